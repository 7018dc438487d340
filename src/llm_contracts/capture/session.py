"""A provider's address at the edge: every exchange passes, and a copy of it is handed over when it ends.

Whatever goes wrong with the copy, the call goes on as if nobody had looked.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from llm_contracts.capture.writer import Room, Writer
from llm_contracts.wire.interaction import End, Headers, Request
from llm_contracts.wire.proxy.access_check import refused
from llm_contracts.wire.proxy.exchange import Exchange
from llm_contracts.wire.proxy.headers import elsewhere
from llm_contracts.wire.proxy.record import RecordSession
from llm_contracts.wire.proxy.session import reset
from llm_contracts.wire.proxy.upstream import MISTAKES, Upstream
from llm_contracts.wire.scrub import Scrubber

LEFT_OUT = "left out by --sample"
LEFT = "the application left before the end"
UNREACHED = "the provider could not be reached"
TOO_LARGE = "the request is larger than an answer may be"
WEBSOCKET = "a WebSocket, which passes and cannot be compared"
NO_ROOM = "too much was under way at once to keep a copy"


@dataclass(kw_only=True, slots=True)
class _Copied(Exchange):
    """An exchange that is copied as long as there is room."""

    room: Room
    taken: int = 0

    def add(self, data: bytes, now: float) -> None:
        """Bytes have arrived."""
        if self.flaw:
            return
        if not self.room.take(len(data)):
            self.spoil(NO_ROOM)
            return
        self.taken += len(data)
        Exchange.add(self, data, now)

    def spoil(self, flaw: str) -> None:
        """No copy is kept: its room is free."""
        Exchange.spoil(self, flaw)
        self.room.give(self.taken)
        self.taken = 0


class CaptureSession(RecordSession):
    """Passes everything on to one provider for as long as the process lives, and holds nothing itself.

    Args:
        loop, origin: see `Session`.
        provider: its name.
        upstream: the provider.
        public: scheme and host that a recording names.
        sample: the part of the exchanges that are copied, from 0 to 1.
        writer: is given each copy, or why there is none.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        origin: str,
        *,
        provider: str,
        upstream: Upstream,
        public: str,
        sample: float,
        writer: Writer,
    ) -> None:
        super().__init__(
            loop=loop,
            origin=origin,
            public=public,
            upstream=upstream,
            scrubber=Scrubber({}),  # nobody reads anything here that would have to be scrubbed
        )
        self._provider = provider
        self._sample = sample
        self._writer = writer

    async def handle(self, incoming: web.BaseRequest, target: str) -> web.StreamResponse:
        """Answer one request, and keep nothing of it."""
        try:
            return await super().handle(incoming, target)
        finally:
            for kept in (self._requests, self._times, self._failures):
                kept.clear()

    async def _exchange(
        self, incoming: web.BaseRequest, transport: asyncio.Transport, request: Request
    ) -> web.StreamResponse:
        if incoming.headers.get("Upgrade", "").lower() != "websocket":
            return await super()._exchange(incoming, transport, request)
        self._writer.lost(self._provider, WEBSOCKET)
        try:
            return await self._upstream.websocket(incoming, request, request.uri.removeprefix(self._public))
        except aiohttp.WSServerHandshakeError as error:
            return refused(error.status, "The provider did not accept the WebSocket.")
        except MISTAKES:
            await reset(transport)

    def wait_idle(self, seconds: float) -> bool:
        """Whether everything under way has ended, or ends within so many seconds."""
        idle = asyncio.run_coroutine_threadsafe(self._idle.wait(), self._loop)
        try:
            return bool(idle.result(seconds))
        except TimeoutError:
            idle.cancel()
            return self._idle.is_set()

    def at_the_edge(self, headers: Headers, request: Request) -> Headers:
        """A redirect to somebody else leads there, as it would without the edge."""
        edged = super().at_the_edge(headers, request)
        return tuple(
            line if elsewhere(changed[1].removeprefix(self.origin)) else changed
            for line, changed in zip(headers, edged, strict=True)
        )

    def _begun(self, request: Request) -> Exchange:
        room = self._writer.room
        exchange = _Copied(request=request, started=self._loop.time(), limits=self.limits, room=room)
        if self._sample < 1 and random.random() >= self._sample:  # noqa: S311 - no secret hangs on it
            exchange.spoil(LEFT_OUT)
        elif len(request.body) > self.limits.answer:
            exchange.spoil(TOO_LARGE)
        elif room.take(len(request.body)):
            exchange.taken = len(request.body)
        else:
            exchange.spoil(NO_ROOM)
        return exchange

    def _keep(self, exchange: Exchange, end: End) -> None:
        assert isinstance(exchange, _Copied)
        if not exchange.flaw and end is End.CLIENT_LEFT:
            exchange.spoil(LEFT)
        elif not exchange.flaw and end is End.REFUSED:
            why, _, _query = self._failures[-1].partition("?")
            exchange.spoil(f"{UNREACHED}: {why.rstrip('.')}")
        if exchange.flaw:
            self._writer.lost(self._provider, exchange.flaw)
            return
        taken, exchange.taken = exchange.taken, 0
        self._writer.copied(self._provider, exchange.finished(end), taken)
