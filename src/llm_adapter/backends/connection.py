"""Connections to providers, by the openai SDK: what LiteLLM calls through, and what lists models.

The SDK is named only here and in `legacy`. It exists in two generations (over httpx and over httpx2), so
nothing here names the HTTP library: timeouts and pools are the SDK's own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from llm_adapter.backends import Opened
from llm_adapter.backends.response_body import ResponseBody
from llm_adapter.backends.sdk_clients import http_client, plain_client_class
from llm_adapter.backends.stream_reader import StreamReader

if TYPE_CHECKING:
    import openai

MAX_RETRIES = 2
"""Attempts after the first, for 408, 409, 429, 5xx and broken connections; the SDK's default, said aloud."""


@cache
def client_class() -> type[openai.OpenAI]:
    """That client with two corrections for being handed to LiteLLM, which reads and writes too much.

    Made on first use, because importing the SDK takes longer than importing this package may.
    """
    import openai

    class OpenAI(plain_client_class()):  # type: ignore[misc]
        def __setattr__(self, name: str, value: Any) -> None:
            # LiteLLM writes its own retries, and an organisation from the environment, into any client it is
            # given. Clients are shared by all calls: what one was built with stays.
            if name in {"max_retries", "organization"} and name in self.__dict__:
                return
            super().__setattr__(name, value)

        def _make_status_error(self, err_msg: str, *, body: object, response: Any) -> openai.APIStatusError:
            # LiteLLM acts on words of the provider's text: a 400 about roles makes it send the conversation
            # again in other words, one about the output limit becomes a successful empty answer. The text
            # stays in `body`, where only this package looks.
            del err_msg
            words = f"HTTP {response.status_code}"
            error: openai.APIStatusError = super()._make_status_error(words, body=body, response=response)
            return error

        @property
        def chat(self) -> Any:
            return _Chat(self)

        def request(self, *arguments: Any, stream: bool = False, **more: Any) -> Any:
            # LiteLLM takes ten times as long over a refusal as the SDK: it maps the exception, writes its
            # traceback down, redacts it, and prepares what its callbacks would be told.
            try:
                return super().request(*arguments, stream=stream, **more)
            except openai.OpenAIError as failure:
                if not stream:
                    raise
                return _postponed()(failure)

    return OpenAI


@dataclass(frozen=True, slots=True)
class _Chat:
    """`chat.completions.with_raw_response` of a client, for LiteLLM, which calls no other method of it.

    The SDK's own method first looks through every message for what it would rename, and there is nothing: a
    long conversation takes it milliseconds. LiteLLM itself goes round it from 1.108.11 on.
    """

    client: openai.OpenAI

    @property
    def completions(self) -> Any:
        return self

    with_raw_response = completions

    def create(
        self,
        *,
        timeout: Any = None,
        extra_headers: Mapping[str, str] | None = None,
        extra_body: Any = None,
        **body: Any,
    ) -> Any:
        """Open a stream."""
        from openai import Stream
        from openai.types.chat import ChatCompletion, ChatCompletionChunk

        options: Any = {
            "headers": {**(extra_headers or {}), "X-Stainless-Raw-Response": "true"},
            "extra_json": extra_body,
            "timeout": timeout,
            "security": {"bearer_auth": True},
        }
        return self.client.post(
            "/chat/completions",
            body=body,
            cast_to=ChatCompletion,
            options=options,
            stream=True,
            stream_cls=Stream[ChatCompletionChunk],
        )


@dataclass(slots=True)
class FailedStream:
    """What LiteLLM gets in the place of a stream that could not be opened.

    Attributes:
        failure: what is to be raised once LiteLLM has handed this on.
    """

    failure: Exception

    def __iter__(self) -> Iterator[Any]:
        raise self.failure

    def close(self) -> None:
        """There is nothing to close."""


@cache
def _postponed() -> Callable[[Exception], Any]:
    """What makes a failure a response whose stream fails."""
    from openai._legacy_response import LegacyAPIResponse

    class Postponed(LegacyAPIResponse[Any]):  # LiteLLM lets no other class through
        headers: Mapping[str, str] = MappingProxyType({})  # type: ignore[assignment]

        def __init__(self, failure: Exception) -> None:
            self._failure = failure

        def parse(self, **_: Any) -> FailedStream:  # type: ignore[override]
            return FailedStream(self._failure)

    return Postponed


def default_timeout() -> Any:
    """Five seconds to connect and 600 for each read, as the SDK's default; LiteLLM's would be 600 for all."""
    import openai

    return openai.Timeout(600.0, connect=5.0)


@dataclass(slots=True)
class ClientCache:
    """Clients, each made when it is first asked for and kept until `close`.

    Threads share them, processes do not: two that read from one socket take pieces out of each other's
    answers, and nobody notices. So a process that was forked makes its own. There is no lock, which a fork
    might catch locked: of two threads that make the same client one wins, and the other's has opened nothing.
    """

    _made: dict[tuple[int, Hashable], Any] = field(default_factory=dict, repr=False)

    def client(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The client of that name."""
        own = (os.getpid(), key)
        found = self._made.get(own)
        return self._made.setdefault(own, make()) if found is None else found

    def close(self) -> None:
        """Close this process's clients. The next call opens new ones."""
        for own in [key for key in self._made if key[0] == os.getpid()]:
            self._made.pop(own).close()


@dataclass(slots=True)
class Connections:
    """One client, and so one connection pool (1000 connections), for each provider and key.

    Attributes:
        transport: takes the requests in place of the network, for a rehearsal; None for the network.
    """

    transport: Any = None
    _clients: ClientCache = field(default_factory=ClientCache, repr=False)

    def client(self, base_url: str, api_key: str) -> openai.OpenAI:
        """The client for a provider; made when it is first asked for."""

        def make() -> openai.OpenAI:
            return client_class()(
                base_url=base_url,
                api_key=api_key,
                timeout=default_timeout(),
                max_retries=MAX_RETRIES,
                http_client=self.http() if self.transport else http_client(),
            )

        client: openai.OpenAI = self._clients.client((base_url, api_key), make)
        return client

    def http(self) -> Any:
        """A bare HTTP client with the SDK's pool and timeouts, for what the SDK itself cannot speak to."""
        given = {"transport": self.transport} if self.transport else {}
        return self._clients.client("http", lambda: http_client(timeout=default_timeout(), **given))

    def close(self) -> None:
        """Close all pools. The next call opens new ones."""
        self._clients.close()


_REHEARSED = (
    b'data: {"id": "rehearsal", "object": "chat.completion.chunk", "created": 0, "model": "rehearsal", '
    b'"choices": [{"index": 0, "delta": {"content": "."}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
)


def rehearsal() -> Connections:
    """Connections that lead nowhere: whatever is asked, a short stream is the answer.

    The first call of a process builds types, compiles patterns and imports a good deal beneath the client
    libraries. A call through these does all of it, and sends nothing.
    """
    import openai

    # The HTTP library that this generation of the SDK is built on.
    http = import_module(openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0])

    def answer(_request: Any) -> Any:
        return http.Response(200, headers={"content-type": "text/event-stream"}, content=_REHEARSED)

    return Connections(transport=http.MockTransport(answer))


def read_by_sdk(stream: Any) -> Opened:
    """The SDK's stream as a backend gives it; what the SDK cannot read fails."""
    response = stream.response
    body = ResponseBody(response=response)
    pieces = response.iter_bytes
    response.iter_bytes = lambda *size: body.watched(pieces(*size))
    return Opened(chunks=_checked(stream, body), close=stream.close, attempts=attempts(response))


def read_by_us(response: Any) -> Opened:
    """The response beneath the SDK's stream as a backend gives it."""
    return Opened(chunks=_chunks(response), close=response.close, attempts=attempts(response))


def attempts(response: Any) -> int:
    """How many requests it took to get this response; the SDK writes it into their headers."""
    headers: Mapping[str, str] = response.request.headers
    return int(headers.get("x-stainless-retry-count", "0")) + 1


def _chunks(response: Any) -> Iterator[Any]:
    reader = StreamReader(response)
    try:
        for piece in response.iter_bytes():
            yield from reader.feed(piece)
            if reader.done:
                break
        yield from reader.end()
    finally:
        response.close()


def _checked(stream: Any, body: ResponseBody) -> Iterator[Any]:
    """The stream's chunks, and what the body holds that the SDK passes over.

    Raises:
        InBandError: an error came in the place of a chunk.
        NoAnswerError: what came is no answer.
    """
    try:
        for item in stream:
            if not getattr(item, "choices", None) and (error := body.error()) is not None:
                raise error
            yield item
    except ValueError as trouble:  # an error event need not be JSON
        raise (body.error() or trouble) from trouble
    if (error := body.error()) is not None:
        raise error
    yield from body.documents()
