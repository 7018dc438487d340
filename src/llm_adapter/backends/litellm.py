"""Calls over LiteLLM; the only module that names it.

LiteLLM is used for what it is good at here, one entry point for all providers, and kept from what it changes:

* The routing table is a `litellm.Router` configuration, but `litellm.completion` is called with a
  deployment's parameters: a Router call costs 10 ms of CPU where this one costs 4 and the bare SDK 3, wraps
  the stream so that the provider's chunks cannot be reached, and answers one 429 by refusing later calls
  for a while.
* Every deployment names its protocol and an `api_base`: the provider is never guessed from a model's name.
* Messages and parameters go in `extra_body`, which no parameter table sees. LiteLLM otherwise drops `user`
  and `metadata`, leaves out nulls, shortens `stop`, and renames roles and limits, depending on the model's
  name and on its own version.
* What is not compatible with OpenAI is LiteLLM's to translate (Gemini), and ours to send: its own handler
  never tries again, waits ten minutes for a connection, and reports a refusal as the stream's first chunk.
* The chunks are taken from beneath its stream wrapper. The wrapper invents totals, finish reasons and model
  names, refuses runs of equal chunks, and starts a logging job a chunk, each of which runs an event loop of
  its own (which fails under gevent). LiteLLM's callbacks therefore see a call begin, not end.

Clients are kept for each process, so calls work on both sides of a fork. LiteLLM's own thread pool does not
survive one; only its callbacks need it, and nothing here does.
"""

from __future__ import annotations

import linecache
import logging
import os
import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

from llm_adapter.backends import REHEARSED, Opened, dify, ernie_v1, gemini
from llm_adapter.backends.connection import Connections, default_timeout, rehearsal
from llm_adapter.backends.litellm_clients import PastLiteLLM, client_class, through
from llm_adapter.backends.reading import opened
from llm_adapter.backends.retries import sleep
from llm_adapter.backends.retrying_client import Request, RetryingClient
from llm_adapter.backends.stream_reader import StreamReader
from llm_adapter.errors import SettingsError
from llm_adapter.failures import NotSentError
from llm_adapter.garbage import uncollected
from llm_adapter.providers import PROVIDERS
from llm_adapter.requests import MAX_RETRIES, Outgoing
from llm_adapter.settings import Account, Settings, environment

_logger = logging.getLogger(__name__)


@cache
def library() -> Any:
    """LiteLLM, imported and configured on first use.

    Its import would otherwise download a price list and a tokenizer, load a `.env` file found above the
    package into the process, and silence the HTTP library's log.
    """
    http_log = logging.getLogger("httpx")
    quiet = environment(
        LITELLM_LOCAL_MODEL_COST_MAP="True", LITELLM_MODE="PRODUCTION", CUSTOM_TIKTOKEN_CACHE_DIR=""
    )
    with quiet, uncollected():  # one thread at a time
        level = http_log.level
        try:
            import litellm
            from litellm._service_logger import ServiceLogging
        except ImportError:
            raise
        except Exception as error:  # whatever it makes of a variable: `LITELLM_LOG` is an attribute's name
            raise SettingsError(_misread(error)) from error
        http_log.setLevel(level)

    litellm.suppress_debug_info = True  # else it prints a banner to stdout on every error
    litellm.disable_streaming_logging = True
    litellm.disable_hf_tokenizer_download = True
    # A hundred equal chunks in a row are a table's rules or a poem's laughter, not an error.
    litellm.REPEATED_STREAMING_CHUNK_LIMIT = 10**9
    # It tells its own proxy's monitoring how long each call took, by an event loop in the calling thread: one
    # more that fails under gevent, and in a main thread one that is never closed.
    ServiceLogging.service_success_hook = _nothing
    ServiceLogging.async_service_success_hook = _anothing
    # Models that its table says to speak to by another endpoint (`/responses`, another body) are asked like
    # all others: the table has no say in where a request goes.
    for row in litellm.model_cost.values():
        if row.get("mode") == "responses":
            row["mode"] = "chat"
    return litellm


def _misread(error: Exception) -> str:
    """Why LiteLLM cannot be imported: it reads some 200 variables then, and names none of them."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    place = traceback.extract_tb(error.__traceback__)[-1]
    end = place.end_lineno or 0
    lines = "".join(linecache.getline(place.filename, number) for number in range(end - 3, end + 1))
    named = re.findall(r"""env\w*\W+(?:get\W+)?["'](\w+)""", lines)[-1:]
    texts = {value for value in frame.f_locals.values() if isinstance(value, str)}
    named = named or sorted(texts & os.environ.keys())
    named = named or sorted(name for name in os.environ if name.startswith(("LITELLM_", "SSL_")))
    return f"LiteLLM cannot be imported with what {' or '.join(named) or 'the environment'} says"


def router_configuration(settings: Settings) -> list[dict[str, Any]]:
    """The providers that have a key, as the `model_list` of a `litellm.Router`: one deployment each.

    The Router puts what the `*` of a name stands for into the `*` of the deployment's model.
    """
    return [
        {
            "model_name": f"{row.prefix or row.bare_models}*",
            "litellm_params": _deployment(
                f"{row.bare_models}*", account.base_url, account.api_key, speaks=row.speaks
            ),
        }
        for row in PROVIDERS
        # Our own providers need more than a key and an address, and no Router hands that on.
        if (account := settings.accounts[row.key]).api_key and row.speaks in {"openai", "gemini"}
    ]


def _deployment(model: str, base_url: str, api_key: str, *, speaks: str = "openai") -> dict[str, Any]:
    return {
        "model": f"{speaks}/{model}",  # LiteLLM takes off this prefix, and only one
        "custom_llm_provider": speaks,
        "api_base": base_url,
        "api_key": api_key,
        "timeout": default_timeout(),
        "max_retries": MAX_RETRIES,
    }


def call_arguments(outgoing: Outgoing) -> dict[str, Any]:
    """What LiteLLM is given beside the deployment, for its Router or for `completion` alike."""
    messages = deepcopy(list(outgoing.messages))
    arguments = {
        "messages": messages,
        "stream": True,
        # The messages are repeated here so that the provider gets the originals of what LiteLLM rewrites.
        "extra_body": {"messages": deepcopy(messages), **deepcopy(outgoing.body)},
    }
    given = {name: outgoing.params[name] for name in ("extra_headers", "timeout") if name in outgoing.params}
    return {**arguments, **given}


_NO_CLIENT = object()
"""What LiteLLM's handler has for an HTTP client where it only writes requests."""

SPEAKS = {row.key: row.speaks for row in PROVIDERS}


@dataclass(frozen=True, slots=True)
class LiteLLMBackend:
    """Opens streams over LiteLLM.

    Attributes:
        connections: the connection pools.
        sleep: waits so many seconds between two attempts, where the SDK is not the one who waits.
        tokens: ERNIE's access tokens.
    """

    connections: Connections = field(default_factory=Connections)
    sleep: Callable[[float], None] = sleep
    tokens: ernie_v1.Tokens = field(default_factory=ernie_v1.Tokens)

    def __call__(self, outgoing: Outgoing) -> Opened:
        """Send the request."""
        return replace(self._open(outgoing), repeatable=True)

    def output_limit(self, model: str) -> int | None:
        """The most output of a model in LiteLLM's table, by the provider's name for it; None if not there.

        As `litellm.get_max_tokens`, which raises for what is not there, and may ask the network.
        """
        row = library().model_cost.get(model) or {}
        limit = row.get("max_output_tokens", row.get("max_tokens"))
        return limit if isinstance(limit, int) and limit > 0 else None

    def preload(self) -> None:
        """Import what any call needs."""
        client_class()
        _handler_class()
        _register_custom()

    def warm_up(self, accounts: Iterable[Account]) -> None:
        """Do all that a first call would do but talk to a provider: imports, types, connection pools."""
        play = rehearsal()
        with closing(play):
            list(LiteLLMBackend(connections=play)(REHEARSED).chunks)
        for account in accounts:
            if account.speaks == "openai":
                self.connections.client(account.base_url, account.api_key, account.headers)
                continue
            self.connections.http()
            _handler_class() if account.speaks == "gemini" else _register_custom()

    def close(self) -> None:
        """Close the connection pools."""
        self.connections.close()

    def _open(self, outgoing: Outgoing) -> Opened:
        match SPEAKS.get(outgoing.provider):
            case "gemini":
                answer = self._client(outgoing, gemini.error_document).send(written_for_gemini(outgoing))
                return opened(answer.response, gemini.reader(answer.response), attempts=answer.attempts)
            case "ernie_v1":
                client = self._client(outgoing, ernie_v1.error_document)
                asked = ernie_v1.ErnieV1(outgoing=outgoing, client=client, tokens=self.tokens)
                return asked.open(*written_by_us(outgoing, ernie_v1.body(outgoing)))
            case "dify":
                written = written_by_us(outgoing, dify.body(outgoing))
                answer = self._client(outgoing, dify.error_document).send(dify.request(outgoing, *written))
                return opened(answer.response, dify.reader(answer.response), attempts=answer.attempts)
        shared = self.connections.client(outgoing.base_url, outgoing.api_key, outgoing.headers)
        call = {**compatible_call(outgoing), "client": with_options(shared, outgoing)}
        return _beneath(through(partial(library().completion, **call)))

    def _client(self, outgoing: Outgoing, error_document: Callable[[Any], Any]) -> RetryingClient:
        return RetryingClient(
            client=self.connections.http(),
            error_document=error_document,
            max_retries=outgoing.max_retries,
            sleep=self.sleep,
        )


def with_options(client: Any, outgoing: Outgoing) -> Any:
    """A client with what LiteLLM would put elsewhere or forget."""
    query = outgoing.params.get("extra_query")
    options = {
        **({"default_query": query} if query else {}),
        **({"max_retries": outgoing.max_retries} if "max_retries" in outgoing.params else {}),
    }
    return client.with_options(**options) if options else client


def compatible_call(outgoing: Outgoing) -> dict[str, Any]:
    """What LiteLLM is given for a call of a provider that is compatible with OpenAI.

    Raises:
        NotSentError: LiteLLM would ask another endpoint.
    """
    if outgoing.model.startswith("responses/"):
        way_out = f"LLM_BACKEND_{outgoing.provider.upper()}=legacy"
        raise NotSentError(f"LiteLLM takes the model's name for an endpoint of its own; set {way_out}")
    deployment = _deployment(outgoing.model, outgoing.base_url, outgoing.api_key)
    return {**deployment, **call_arguments(outgoing)}


def written_for_gemini(outgoing: Outgoing) -> Request:
    """The request to Google as LiteLLM writes it, which hands it to its HTTP handler, which is ours."""

    def post(url: str, headers: Mapping[str, str], body: str) -> Any:
        raise PastLiteLLM(gemini.build_request(url, headers, body, outgoing))

    handler = _handler_class()(_NO_CLIENT, post)
    deployment = _deployment(outgoing.model, outgoing.base_url.rstrip("/"), outgoing.api_key, speaks="gemini")
    wrapper = library().completion(**{**deployment, **gemini.arguments(outgoing)}, client=handler)
    disarm(wrapper)
    try:
        wrapper.make_call(client=handler)
    except PastLiteLLM as passed:
        request: Request = passed.value
        return request
    raise NotSentError("LiteLLM sent the request to Google by itself")


def written_by_us(outgoing: Outgoing, body: Mapping[str, Any]) -> tuple[str, dict[str, Any], dict[str, str]]:
    """Model, body and headers of a call by one of our own providers, which LiteLLM sees as any other."""
    _register_custom()
    wrapper = library().completion(
        model=f"{outgoing.provider}/{outgoing.model}",
        custom_llm_provider=outgoing.provider,
        messages=deepcopy(list(outgoing.messages)),
        stream=True,
        extra_body=dict(body),
        extra_headers=dict(outgoing.params.get("extra_headers") or {}),
    )
    disarm(wrapper)
    written: tuple[str, dict[str, Any], dict[str, str]] = wrapper.completion_stream
    return written


def _find_tokenizer() -> None:
    """Let LiteLLM use the tokenizer's table that it brings along.

    For every provider but OpenAI's kind it wants a tokenizer, which older releases (1.80) would download.
    """
    library()
    import litellm.litellm_core_utils.default_encoding  # noqa: F401 - it is the import that tells


@cache
def _handler_class() -> Any:
    """LiteLLM's HTTP handler, with another way to post. It takes none that is not of this class."""
    _find_tokenizer()
    from litellm.llms.custom_httpx.http_handler import HTTPHandler

    class Handler(HTTPHandler):  # type: ignore[misc]
        def __init__(self, client: Any, send: Callable[..., Any]) -> None:
            super().__init__(client=client)
            self._send_by = send

        def close(self) -> None:
            """Nothing. Up to 1.100 LiteLLM closes any client as soon as its handler is forgotten, and this
            client is shared: other answers that are still being read would break off.
            """

        def post(self, url: str, data: Any = None, headers: Any = None, **_: Any) -> Any:
            return self._send_by(url, headers, data)

    return Handler


@cache
def _register_custom() -> None:
    """Make LiteLLM know our own providers."""
    _find_tokenizer()

    class Custom(library().CustomLLM):  # type: ignore[misc]
        def streaming(
            self, *, model: str, optional_params: Mapping[str, Any], headers: Mapping[str, str], **_: Any
        ) -> Any:
            return model, optional_params["extra_body"], headers

    library().custom_provider_map.extend(
        {"provider": name, "custom_handler": Custom()} for name in ("ernie_v1", "dify")
    )


def _beneath(wrapper: Any) -> Opened:
    """The provider's own chunks under LiteLLM's wrapper, or the wrapper's where they cannot be reached."""
    stream = getattr(wrapper, "completion_stream", None)
    response = getattr(stream, "response", None)
    if hasattr(response, "iter_bytes") and hasattr(response, "request"):
        disarm(wrapper)
        return opened(response, StreamReader(response))
    warn_of_hidden_stream(wrapper)
    return Opened(chunks=_without_inventions(wrapper), close=getattr(stream, "close", _nothing))


def warn_of_hidden_stream(wrapper: Any) -> None:
    """Say once a process that this release of LiteLLM keeps the response to itself."""
    _warn_of(type(getattr(wrapper, "completion_stream", None)).__name__)


@cache
def _warn_of(kind: str) -> None:
    _logger.warning("LiteLLM hides the provider's stream (%s): token totals are not known", kind)


def disarm(wrapper: Any) -> None:
    """Keep LiteLLM's wrapper, when it is collected, from writing context variables.

    It does so since 1.98 (`CustomStreamWrapper.__del__`), by way of its logging object. The collector may
    come in the middle of another `ContextVar.set`, such as Langfuse makes for every span, and Python 3.11
    then reads memory that was freed: the process crashes (python/cpython#148891; 3.12 collects at other
    moments). May go with Python 3.11.
    """
    if hasattr(wrapper, "logging_obj"):
        wrapper.logging_obj = None


def _without_inventions(wrapper: Iterable[Any]) -> Iterator[Any]:
    """LiteLLM's own chunks without totals and finish reasons: nothing tells a provider's from its guesses."""
    try:
        for chunk in wrapper:
            yield PlainChunk(chunk)
    finally:
        disarm(wrapper)


class PlainChunk:
    """A chunk whose totals and finish reason are not believed."""

    usage = None

    def __init__(self, chunk: Any) -> None:
        self.id = chunk.id
        self.choices = [_PlainChoice(choice.delta) for choice in chunk.choices]


@dataclass(frozen=True, slots=True)
class _PlainChoice:
    delta: Any
    finish_reason: Mapping[str, Any] | None = None


def _nothing(*_: Any, **__: Any) -> None:
    """There is nothing to do."""


async def _anothing(*_: Any, **__: Any) -> None:
    """There is nothing to do on an event loop either."""
