"""LiteLLM as its front page says to call it: what a migration starts with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from llm_adapter.backends import Backend, Opened
from llm_adapter.backends.connection import Connections
from llm_adapter.backends.litellm import LiteLLMBackend, library
from llm_adapter.requests import Outgoing


def plain(backend: Backend, outgoing: Outgoing, **more: Any) -> Opened:
    """Open a stream of LiteLLM's own chunks."""
    stream = library().completion(
        model=outgoing.model,
        messages=[dict(message) for message in outgoing.messages],
        stream=True,
        api_base=outgoing.base_url,
        api_key=outgoing.api_key,
        client=_connections(backend).client(outgoing.base_url, outgoing.api_key),
        **{**outgoing.params, **more},
    )
    return Opened(chunks=iter(stream), close=stream.completion_stream.close)


def as_openai(backend: Backend, outgoing: Outgoing) -> Opened:
    """The same, with the one argument that keeps the provider from being guessed."""
    return plain(backend, outgoing, custom_llm_provider="openai")


def watched(opened: Opened, look: Callable[[Any], object]) -> Opened:
    """The same stream, each chunk looked at before it is handed on."""

    def chunks() -> Iterator[Any]:
        for chunk in opened.chunks:
            look(chunk)
            yield chunk

    return Opened(chunks=chunks(), close=opened.close)


def _connections(backend: Backend) -> Connections:
    """Our own pool of clients: what LiteLLM makes itself is left to garbage collection, which warns."""
    assert isinstance(backend, LiteLLMBackend)
    return backend.connections
