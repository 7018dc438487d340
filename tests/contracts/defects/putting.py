"""Ways to put a fault into the new client: composed around the parts it is made of, at their edges."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from openai.types.chat import ChatCompletionChunk

from llm_adapter.adapter import Adapter, adapter_from
from llm_adapter.backends import Backend, Opened
from llm_adapter.backends.connection import Connections
from llm_adapter.backends.litellm import LiteLLMBackend
from llm_adapter.clients import Clients
from llm_adapter.redaction import Redactor
from llm_adapter.requests import ChatRequest, Outgoing
from llm_adapter.responses import LLMStreamResponse
from llm_adapter.settings import BackendName, Settings
from llm_adapter.telemetry import Recorder, langfuse_tracer
from llm_contracts import Call, Client
from llm_contracts.clients import builtin
from tests.contracts.clients import adapter_path

Chunks = Iterable[Any]
Responses = Iterable[LLMStreamResponse]


def sending(fault: Callable[[Outgoing], Outgoing], *, variables: Mapping[str, str] | None = None) -> Client:
    """The request is changed just before the client gets it; with more variables set, if any."""
    return opening(lambda backend, outgoing: backend(fault(outgoing)), variables=variables)


def receiving(fault: Callable[[Chunks], Chunks]) -> Client:
    """The provider's chunks are changed before the adapter reads them."""

    def faulty(backend: Backend, outgoing: Outgoing) -> Opened:
        opened = backend(outgoing)
        return replace(opened, chunks=iter(fault(map(_as_object, opened.chunks))))

    return opening(faulty)


def _as_object(chunk: Any) -> Any:
    """Most faults are put into the SDK's objects, which the adapter reads as well as decoded JSON."""
    return ChatCompletionChunk.construct(**chunk) if isinstance(chunk, Mapping) else chunk


def connecting(fault: Callable[[], Connections]) -> Client:
    """The clients come from elsewhere."""
    return opening(lambda backend, outgoing: backend(outgoing), fault)


def opening(
    fault: Callable[[Backend, Outgoing], Opened],
    connections: Callable[[], Connections] = Connections,
    *,
    variables: Mapping[str, str] | None = None,
) -> Client:
    """Streams are opened otherwise than by our backend, which is handed over."""

    def make(environ: Mapping[str, str]) -> Adapter:
        clients = Clients(
            backends={BackendName.LITELLM: lambda: _Faulty(fault, LiteLLMBackend(connections()))}
        )
        return Adapter(settings=Settings.from_environ({**environ, **(variables or {})}), clients=clients)

    return partial(adapter_path, "litellm", make=make)


@dataclass(frozen=True, slots=True)
class _Faulty:
    fault: Callable[[Backend, Outgoing], Opened]
    backend: LiteLLMBackend

    def __call__(self, outgoing: Outgoing) -> Opened:
        return self.fault(self.backend, outgoing)

    def close(self) -> None:
        self.backend.close()


def handing_on(
    fault: Callable[[Responses], Responses], *, variables: Mapping[str, str] | None = None
) -> Client:
    """What the adapter yields is changed on the way to the application."""
    sound = configured("litellm", variables or {})

    def path(call: Call) -> Iterator[Any]:
        yield from fault(cast("Responses", sound(call)))

    return path


def asking(fault: Callable[[Call], Call]) -> Client:
    """The application's own call is changed."""
    return lambda call: adapter_path("litellm", fault(call))


def telling(fault: Callable[[Recorder], Recorder]) -> Client:
    """Telemetry hears through something that changes it."""

    def tracer(span: Any, request: ChatRequest, *, redactor: Redactor, logger: logging.Logger) -> Recorder:
        return fault(langfuse_tracer(span, request, redactor=redactor, logger=logger))

    return partial(adapter_path, "litellm", make=partial(adapter_from, tracer=tracer))


def configured(backend: str, variables: Mapping[str, str]) -> Client:
    """One of our clients without a fault, with more variables set."""
    return partial(adapter_path, backend, make=lambda environ: adapter_from({**environ, **variables}))


def bare(fault: Callable[[Chunks], Chunks]) -> Client:
    """The SDK's own stream is changed: for what our responses have no place for."""

    def path(call: Call) -> Iterator[Any]:
        yield from fault(builtin.openai(call))

    return path
