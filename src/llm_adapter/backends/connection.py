"""Connections to providers, by the openai SDK: what LiteLLM calls through, and what lists models.

The SDK is named only here and in `legacy`. It exists in two generations (over httpx and over httpx2), so
nothing here names the HTTP library: timeouts and pools are the SDK's own.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from llm_adapter.backends.litellm_clients import client_class
from llm_adapter.backends.sdk_clients import http_client
from llm_adapter.requests import MAX_RETRIES

if TYPE_CHECKING:
    import openai

Headers = tuple[tuple[str, str], ...]
"""Sent with every request of a client."""


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
        for client in self.drop(lambda _key: True):
            client.close()

    def drop(self, wanted: Callable[[Any], bool]) -> list[Any]:
        """Forget those of this process's clients whose name is wanted; gives them."""
        # A copy, because other threads add to it.
        mine = [own for own in self._made.copy() if own[0] == os.getpid() and wanted(own[1])]
        return [client for own in mine if (client := self._made.pop(own, None)) is not None]


@dataclass(slots=True)
class Connections:
    """One client, and so one connection pool (1000 connections), for each provider and key.

    Attributes:
        transport: takes the requests in place of the network, for a rehearsal; None for the network.
    """

    transport: Any = None
    _clients: ClientCache = field(default_factory=ClientCache, repr=False)

    def client(self, base_url: str, api_key: str, headers: Headers = ()) -> openai.OpenAI:
        """The client for a provider; made when it is first asked for."""

        def make() -> openai.OpenAI:
            return client_class()(
                base_url=base_url,
                api_key=api_key,
                default_headers=dict(headers),
                timeout=default_timeout(),
                max_retries=MAX_RETRIES,
                http_client=self.http() if self.transport else http_client(),
            )

        client: openai.OpenAI = self._clients.client((base_url, api_key, headers), make)
        return client

    def http(self) -> Any:
        """A bare HTTP client with the SDK's pool and timeouts, for what the SDK itself cannot speak to."""
        given = {"transport": self.transport} if self.transport else {}
        return self._clients.client("http", lambda: http_client(timeout=default_timeout(), **given))

    def close(self) -> None:
        """Close all pools. The next call opens new ones."""
        self._clients.close()


@dataclass(slots=True)
class AsyncConnections:
    """`Connections` on event loops: a connection belongs to the loop that opened it.

    Attributes:
        kind: gives the class of a provider's client.
    """

    kind: Callable[[], Any]
    _clients: ClientCache = field(default_factory=ClientCache, repr=False)

    def client(self, base_url: str, api_key: str, headers: Headers = ()) -> Any:
        """The client for a provider."""

        def make() -> Any:
            return self.kind()(
                base_url=base_url,
                api_key=api_key,
                default_headers=dict(headers),
                http_client=http_client(asynchronous=True),
            )

        return self._of_this_loop((base_url, api_key, headers), make)

    def http(self) -> Any:
        """A bare HTTP client."""
        return self._of_this_loop("http", lambda: http_client(asynchronous=True, timeout=default_timeout()))

    async def close(self) -> None:
        """Close the clients of this event loop."""
        loop = asyncio.get_running_loop()
        for client in self._clients.drop(lambda key: key[0] is loop):
            await (client.close() if hasattr(client, "close") else client.aclose())

    def _of_this_loop(self, name: Hashable, make: Callable[[], Any]) -> Any:
        def make_here() -> Any:
            self._clients.drop(lambda key: key[0].is_closed())  # nothing can close these any more
            return make()

        return self._clients.client((asyncio.get_running_loop(), name), make_here)


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
