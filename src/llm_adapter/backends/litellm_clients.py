"""The SDK's clients with corrections for being handed to LiteLLM, which reads and writes too much."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from llm_adapter.backends.retries import aretrying, retrying
from llm_adapter.backends.sdk_clients import plain_client_class

if TYPE_CHECKING:
    import openai

T = TypeVar("T")


class PastLiteLLM(BaseException):
    """Carries something out of LiteLLM past its handlers, of which none takes it for an error.

    For a failure these take ten times as long as the SDK's whole call: they map it, write its traceback down,
    redact that, and prepare what callbacks would be told.
    """

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


def through(call: Callable[[], T]) -> T:
    """The result of a call of LiteLLM's; a failure that went past it is raised."""
    try:
        return call()
    except PastLiteLLM as passed:
        failure: Exception = passed.value
    raise failure


async def written(call: Awaitable[Any]) -> Any:
    """How to send what LiteLLM writes for a call, or what it gives where it has sent that by itself.

    The writing is short, and is never left in its middle: LiteLLM has a coroutine under way then that nobody
    would await. Who is cancelled meanwhile is so when it is over.
    """

    async def write() -> Any:
        try:
            return await call
        except PastLiteLLM as passed:
            return passed.value

    writing = asyncio.ensure_future(write())
    try:
        await asyncio.wait([writing])
    except asyncio.CancelledError:
        await asyncio.wait([writing])
        writing.exception()  # else it would be logged as one that nobody has seen
        raise
    return writing.result()


class _Guarded:
    """What both clients for LiteLLM share."""

    def __setattr__(self, name: str, value: Any) -> None:
        # LiteLLM writes its own retries, and an organisation from the environment, into any client it is
        # given. Clients are shared by all calls: what one was built with stays.
        if name in {"max_retries", "organization"} and name in self.__dict__:
            return
        super().__setattr__(name, value)

    @property
    def chat(self) -> Any:
        return _Chat(self)


@cache
def client_class() -> type[openai.OpenAI]:
    """The SDK's client for LiteLLM. Made on first use, because importing the SDK takes long."""

    class OpenAI(_Guarded, plain_client_class()):  # type: ignore[misc]
        def request(self, cast_to: Any, options: Any, *, stream: bool = False, **more: Any) -> Any:
            ask = super().request
            if not stream:
                return ask(cast_to, options, stream=stream, **more)

            def once(attempt: int) -> Any:
                return ask(cast_to, numbered(options, attempt), stream=stream, **more)

            try:
                return retrying(once, max_retries=self.max_retries)
            except Exception as failure:  # noqa: BLE001 (LiteLLM is to see none of them)
                raise PastLiteLLM(failure) from None

    return OpenAI


@cache
def async_client_class() -> type[openai.AsyncOpenAI]:
    """`client_class`, for an event loop."""

    class AsyncOpenAI(_Guarded, plain_client_class(asynchronous=True)):  # type: ignore[misc]
        async def request(self, cast_to: Any, options: Any, *, stream: bool = False, **more: Any) -> Any:
            ask = super().request
            if not stream:
                return await ask(cast_to, options, stream=stream, **more)

            async def once(attempt: int) -> Any:
                return await ask(cast_to, numbered(options, attempt), stream=stream, **more)

            raise PastLiteLLM(lambda: aretrying(once, max_retries=self.max_retries))

    return AsyncOpenAI


def numbered(options: Any, attempt: int) -> Any:
    """A request's options, so that it is sent once, and says how many attempts there were before."""
    options.max_retries = 0
    options.headers = {**(options.headers or {}), "x-stainless-retry-count": str(attempt - 1)}
    return options


@dataclass(frozen=True, slots=True)
class _Chat:
    """`chat.completions.with_raw_response` of a client, for LiteLLM, which calls no other method of it.

    The SDK's own method first looks through every message for what it would rename, and there is nothing: a
    long conversation takes it milliseconds. LiteLLM itself goes round it from 1.108.11 on.
    """

    client: Any

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
        from openai import AsyncOpenAI, AsyncStream, Stream
        from openai.types.chat import ChatCompletion, ChatCompletionChunk

        options: Any = {
            "headers": {**(extra_headers or {}), "X-Stainless-Raw-Response": "true"},
            "extra_json": extra_body,
            "timeout": timeout,
            "security": {"bearer_auth": True},
        }
        body = {"messages": body.pop("messages", None), **body}  # the SDK's own order
        kind = AsyncStream if isinstance(self.client, AsyncOpenAI) else Stream
        return self.client.post(
            "/chat/completions",
            body=body,
            cast_to=ChatCompletion,
            options=options,
            stream=True,
            stream_cls=kind[ChatCompletionChunk],
        )
