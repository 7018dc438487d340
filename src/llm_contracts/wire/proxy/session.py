"""What both kinds of session share: the address, what arrived, and how to stop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, NoReturn, Self
from weakref import ref

from aiohttp import web

from llm_contracts.wire.interaction import Headers, Request
from llm_contracts.wire.proxy.access_check import LATE, refused
from llm_contracts.wire.proxy.exchange import Limits
from llm_contracts.wire.proxy.headers import elsewhere, end_to_end, kept_at_the_edge, with_host

_FLUSH_POLL = 0.001
_SLOWEST = 1024  # bytes of a request's body in a second


class Session:
    """One user of the edge, apart from all others by the key in its origin.

    Attributes:
        origin: what takes the place of the provider's scheme and host in a client's base URL.
        limits: a request whose body is too large is refused with status 413, one that is too slow with 408.
        on_close: what the edge does when the session is closed.
    """

    def __init__(self, *, loop: asyncio.AbstractEventLoop, origin: str, public: str) -> None:
        self.origin = origin
        self._loop = loop
        self._public = public.rstrip("/")
        self.limits = Limits()
        self._requests: list[Request] = []
        self._sent = 0
        self._times: list[list[Any]] = []
        self._connections: set[ref[asyncio.Transport]] = set()
        self._transports: set[asyncio.Transport] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self.on_close: Callable[[], object] = lambda: None

    def requests(self) -> tuple[Request, ...]:
        """What arrived, in order; addressed to the provider, as the client would have sent it there."""
        return tuple(self._requests)

    def events_sent(self) -> int:
        """How many server-sent events have left the edge in the latest exchange."""
        return self._sent

    def exchanges_open(self) -> int:
        """How many exchanges have been begun and not ended; a client that leaves ends its own."""
        return len(self._transports)

    def delivered(self, text: int, reasoning: int = 0, arguments: int = 0, others: int = 0, /) -> None:
        """The consumer has handed on so many characters of each. Only a replay in lockstep listens."""

    def exchange_times(self) -> tuple[tuple[float, float | None], ...]:
        """When each request came and its answer ended, on the monotonic clock; None if it has not."""
        return tuple((begun, ended) for begun, ended in self._times)

    def patience_spent(self) -> float:
        """The seconds for which the edge waited in vain for the consumer."""
        return 0.0

    def connections_open(self) -> int:
        """How many of the connections that brought requests are open."""
        # Copied in one step, as no `WeakSet` can be: the edge's thread adds to it.
        connections = (each() for each in self._connections.copy())
        return sum(each is not None and not each.is_closing() for each in connections)

    def abort(self) -> None:
        """Drop this session's open connections, now."""
        self.call(self._abort)

    def close(self) -> None:
        """End the session: its connections are dropped, its address is unknown from now on."""
        self.abort()
        self.on_close()

    def at_the_edge(self, headers: Headers, request: Request) -> Headers:
        """An answer's headers as a client may see them: no redirect leads it past the edge."""
        return kept_at_the_edge(headers, uri=request.uri, own=frozenset({self._public}), origin=self.origin)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def call(self, action: Callable[[], None]) -> None:
        """Run something in the edge's thread; nothing happens when the edge is closed already."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(action)

    async def handle(self, incoming: web.BaseRequest, target: str) -> web.StreamResponse:
        """Answer one request. `target` is the path and query without the session's key."""
        transport = incoming.transport
        if transport is None:  # pragma: no cover - the client left between aiohttp's parser and here
            raise asyncio.CancelledError
        with self._open(transport):
            try:
                body = await self._body(incoming, transport)
            except TimeoutError:
                transport.write(LATE)
                await hang_up(transport)
            if body is None:
                response = refused(
                    413,
                    f"The request's body has more than {self.limits.request} bytes, the most that is taken.",
                )
                response.force_close()
                return response
            goal = elsewhere(target)
            uri = goal or self._public + target
            headers = with_host(end_to_end(incoming.raw_headers), uri)
            request = Request(method=incoming.method, uri=uri, headers=headers, body=body)
            if goal is None:
                return await self._answer(incoming, transport, request)
            self._requests.append(request)
            return refused(
                421, f"The provider redirected to {goal}, and the edge leads nowhere but to the provider."
            )

    async def _answer(
        self, incoming: web.BaseRequest, transport: asyncio.Transport, request: Request
    ) -> web.StreamResponse:
        """What a kind of session does with a request."""
        raise NotImplementedError

    async def _body(self, incoming: web.BaseRequest, transport: asyncio.Transport) -> bytes | None:
        """The request's body; None if it is too large.

        Raises:
            TimeoutError: it came too slowly.
        """
        if (incoming.content_length or 0) > self.limits.request:
            return None
        if incoming.headers.get("Expect", "").lower() == "100-continue":
            transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body, begun = bytearray(), self._loop.time()
        async with asyncio.timeout(self.limits.body_within) as clock:
            while data := await incoming.content.readany():
                body += data
                if len(body) > self.limits.request:
                    return None
                clock.reschedule(begun + self.limits.body_within + len(body) / _SLOWEST)
        return bytes(body)

    @contextlib.contextmanager
    def _open(self, transport: asyncio.Transport) -> Iterator[None]:
        self._transports.add(transport)
        self._connections.add(ref(transport, self._connections.discard))
        self._idle.clear()
        times = [time.monotonic(), None]
        self._times.append(times)
        try:
            yield
        finally:
            times[1] = time.monotonic()
            self._transports.discard(transport)
            if not self._transports:
                self._idle.set()

    def _abort(self) -> None:
        for transport in tuple(self._transports):
            transport.abort()


async def hang_up(transport: asyncio.Transport) -> NoReturn:
    """Close the connection in mid-message; what was written still goes out.

    Never returns: the handler is cancelled, as in the next one.
    """
    transport.close()
    await _cancelled()


async def reset(transport: asyncio.Transport) -> NoReturn:
    """Break the connection with a reset, after what was written has gone out."""
    while transport.get_write_buffer_size() and not transport.is_closing():  # noqa: ASYNC110 - no event for it
        await asyncio.sleep(_FLUSH_POLL)
    connection = transport.get_extra_info("socket")
    # A linger time of zero makes the kernel send RST in FIN's place.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await _cancelled()


async def _cancelled() -> NoReturn:
    """Wait for the cancellation that follows the loss of a connection."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError
