"""A session that passes everything on to a provider and keeps what came back, and when."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from typing import cast
from weakref import WeakMethod

import aiohttp
from aiohttp import ClientResponse, web

from llm_contracts.wire.content import unpacker
from llm_contracts.wire.interaction import End, Interaction, Request, Response, without
from llm_contracts.wire.proxy.access_check import Connection
from llm_contracts.wire.proxy.arrivals import Arrivals
from llm_contracts.wire.proxy.exchange import Exchange, UnkeepableError
from llm_contracts.wire.proxy.framing import ends_with_connection, marked, streaming
from llm_contracts.wire.proxy.headers import end_to_end, made_public
from llm_contracts.wire.proxy.network import explained
from llm_contracts.wire.proxy.session import Session, hang_up, reset
from llm_contracts.wire.proxy.upstream import MISTAKES, Upstream, end_of, way_of_closing
from llm_contracts.wire.scrub import Scrubber
from llm_contracts.wire.sse import EventDecoder

_LAST_WORDS = 1.0
_SETTLING = 2.0
_DROPPING = 30.0
_REFUSED = 400


class RecordSession(Session):
    """Records through a streaming reverse proxy; nothing is held back, nothing is asked twice."""

    def __init__(
        self,
        *,
        loop: asyncio.AbstractEventLoop,
        origin: str,
        public: str,
        upstream: Upstream,
        scrubber: Scrubber,
    ) -> None:
        super().__init__(loop=loop, origin=origin, public=public)
        self._upstream = upstream
        self._scrubber = scrubber
        # As they were on the wire, secrets included: nobody sees them before the scrubber has. It works when
        # somebody asks, in that caller's time; in the edge's thread it would hold up the other streams.
        self._raw: list[Interaction] = []
        self._flaws: list[str] = []
        self._failures: list[str] = []
        self._cleaning = threading.Lock()
        self._busy: set[object] = set()

    def requests(self) -> tuple[Request, ...]:
        """What arrived, in order and without secrets; addressed to the provider."""
        with self._cleaning:
            self._scrubber.learn(self._raw)
            return tuple(map(self._scrubber.request, self._requests))

    def interactions(self) -> tuple[Interaction, ...]:
        """The exchanges so far, without secrets.

        Those still open are given two seconds to end; then they are dropped and count as left by the client.

        Raises:
            UnkeepableError: an answer was larger than anybody keeps, or packed so that nobody can read it.
        """
        if not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(self._settle(), self._loop).result()
        if self._flaws:
            raise UnkeepableError(self._scrubber.text("; ".join(self._flaws)))
        with self._cleaning:
            self._scrubber.learn(self._raw)  # a token that was sold late is hidden in what came before, too
            return tuple(map(self._scrubber.interaction, self._raw))

    def failures(self) -> tuple[str, ...]:
        """Why the provider could not be reached or broke off, each with what can be done about it."""
        return tuple(map(self._scrubber.text, self._failures))

    async def _settle(self) -> None:
        for deadline in (_SETTLING, _DROPPING):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(deadline):
                    await self._idle.wait()
            self._abort()

    def _abort(self) -> None:
        super()._abort()
        self._upstream.forget_all(but=self._busy)

    async def _answer(
        self, incoming: web.BaseRequest, transport: asyncio.Transport, request: Request
    ) -> web.StreamResponse:
        connection = cast("Connection", incoming.protocol)
        connection.on_lost.add(WeakMethod(self._lost))
        self._busy.add(connection)
        try:
            return await self._exchange(incoming, transport, request)
        finally:
            self._busy.discard(connection)
            if transport.is_closing():
                self._upstream.forget(connection)

    def _lost(self, connection: object) -> None:
        if connection not in self._busy:  # what is under way over it first looks whether all had come
            self._upstream.forget(connection)

    async def _exchange(
        self, incoming: web.BaseRequest, transport: asyncio.Transport, request: Request
    ) -> web.StreamResponse:
        self._sent = 0
        self._requests.append(request)
        exchange = self._begun(request)
        target = request.uri.removeprefix(self._public)
        try:
            answer = await self._upstream.ask(request, target, connection=incoming.protocol)
        except asyncio.CancelledError:
            self._keep(exchange, End.CLIENT_LEFT)
            raise
        except MISTAKES as error:
            self._failures.append(explained(error))
            self._keep(exchange, end_of(error))
            await reset(transport)
        with contextlib.closing(answer):
            return await self._pass_on(incoming, transport, exchange, answer)

    def _begun(self, request: Request) -> Exchange:
        return Exchange(request=request, started=self._loop.time(), limits=self.limits)

    async def _pass_on(
        self,
        incoming: web.BaseRequest,
        transport: asyncio.Transport,
        exchange: Exchange,
        answer: ClientResponse,
    ) -> web.StreamResponse:
        response = self._prepared(incoming, exchange, answer)
        end = await self._copy(incoming, exchange, answer, response)
        answer.close()
        # Kept before the client can know that it is over, so that whoever asks afterwards finds it.
        self._keep(exchange, end)
        if end is End.COMPLETE:
            await response.write_eof()
        elif end is End.CUT:
            await hang_up(transport)
        else:
            await reset(transport)
        return response

    def _prepared(
        self, incoming: web.BaseRequest, exchange: Exchange, answer: ClientResponse
    ) -> web.StreamResponse:
        headers = end_to_end(answer.raw_headers)
        headers = made_public(headers, called=self._upstream.origin, public=self._public)
        if ends_with_connection(answer):
            headers = marked(headers)
        coding = answer.headers.get("Content-Encoding", "identity")
        exchange.unpack = unpacker(coding)
        if exchange.unpack is None and coding.strip().lower() != "identity":
            exchange.spoil(f"the answer is packed as {coding!r}, which cannot be unpacked here")
        packing = ("content-encoding", "content-length") if exchange.unpack else ()
        exchange.head = Response(
            status=answer.status, reason=answer.reason or "", headers=without(headers, packing)
        )
        edged = self.at_the_edge(headers, exchange.request)
        return streaming(incoming, status=answer.status, reason=answer.reason, headers=edged)

    async def _copy(
        self,
        incoming: web.BaseRequest,
        exchange: Exchange,
        answer: ClientResponse,
        response: web.StreamResponse,
    ) -> End:
        """Pass on what comes as it comes; how it ended."""
        decoder, arrivals, broken = EventDecoder(), Arrivals(answer.content), way_of_closing(answer)
        try:
            await response.prepare(incoming)
            while data := await arrivals.next():
                for piece in exchange.take(data, self._loop.time()):
                    # Counted first: the consumer may have the bytes before this thread goes on.
                    self._sent += len(decoder.feed(piece))
                await response.write(data)
            if (error := broken()) is not None:
                return self._broken(error)
        except (asyncio.CancelledError, aiohttp.ClientConnectionResetError):
            end = End.CLIENT_LEFT
            try:
                end = await self._end_without_client(exchange, answer)
            finally:  # the handler may be cancelled twice
                self._keep(exchange, end)
            raise
        except (aiohttp.ClientError, OSError) as error:
            return self._broken(error)
        return End.COMPLETE

    async def _end_without_client(self, exchange: Exchange, answer: ClientResponse) -> End:
        """The client has left: are bytes missing?

        If all had come by then and only the end was outstanding, the exchange is complete: many clients hang
        up as soon as they see `[DONE]`. So it is if a refusal was of no interest beyond its status: SDKs that
        try again leave its body unread.
        """
        with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
            async with asyncio.timeout(_LAST_WORDS):
                arrivals = Arrivals(answer.content)
                while data := await arrivals.next():
                    if answer.status < _REFUSED:
                        return End.CLIENT_LEFT
                    deque(exchange.take(data, self._loop.time()), maxlen=0)
                return End.COMPLETE
        return End.CLIENT_LEFT

    def _broken(self, error: BaseException) -> End:
        self._failures.append(explained(error))
        return end_of(error)

    def _keep(self, exchange: Exchange, end: End) -> None:
        if exchange.flaw:
            self._flaws.append(f"{exchange.request.method} {exchange.request.uri}: {exchange.flaw}")
        else:
            self._raw.append(exchange.finished(end))
