"""A session that passes everything on to a provider and keeps what came back, and when."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

import aiohttp
from aiohttp import ClientResponse, HttpVersion11, web
from yarl import URL

from llm_contracts.wire.content import decoded
from llm_contracts.wire.edge.headers import end_to_end, multi, with_host, without
from llm_contracts.wire.edge.session import LONGEST_LINE, Session, hang_up, reset
from llm_contracts.wire.interaction import End, Headers, Interaction, Piece, Request, Response
from llm_contracts.wire.scrub import Scrubber
from llm_contracts.wire.sse import EventDecoder

_CONNECTING = 30.0
_LAST_WORDS = 1.0
_SETTLING = 2.0
_DROPPING = 30.0  # seconds; a dropped exchange ends at once, but a large body takes time to scrub


@dataclass(kw_only=True, slots=True)
class _Exchange:
    """One exchange while it happens."""

    request: Request
    started: float
    status: int = 0
    reason: str = ""
    headers: Headers = ()
    body: bytearray = field(default_factory=bytearray)
    pieces: list[Piece] = field(default_factory=list)

    def add(self, data: bytes, now: float) -> None:
        self.body += data
        self.pieces.append(Piece(size=len(data), at_ms=round((now - self.started) * 1000, 1)))

    def finished(self, end: End) -> Interaction:
        response = Response(
            status=self.status,
            reason=self.reason,
            headers=self.headers,
            body=bytes(self.body),
            end=end,
            pieces=tuple(self.pieces),
        )
        return Interaction(request=self.request, response=decoded(response))


class RecordSession(Session):
    """Records through a streaming reverse proxy; nothing is held back, nothing is asked twice."""

    def __init__(
        self,
        *,
        loop: asyncio.AbstractEventLoop,
        origin: str,
        upstream: str,
        public: str,
        scrubber: Scrubber,
        timeout: float,
    ) -> None:
        super().__init__(loop=loop, origin=origin, public=public)
        self._upstream = upstream.rstrip("/")
        self._scrubber = scrubber
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECTING, sock_read=timeout)
        self._interactions: list[Interaction] = []

    def interactions(self) -> tuple[Interaction, ...]:
        """The exchanges so far, without secrets.

        Those still open are given two seconds to end; then they are dropped and count as left by the client.
        """
        if not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(self._settle(), self._loop).result()
        return tuple(self._interactions)

    async def _settle(self) -> None:
        for deadline in (_SETTLING, _DROPPING):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(deadline):
                    await self._idle.wait()
            self._abort()

    async def _answer(
        self, incoming: web.BaseRequest, transport: asyncio.Transport, request: Request
    ) -> web.StreamResponse:
        self._sent = 0
        self._requests.append(self._scrubber.request(request))
        exchange = _Exchange(request=request, started=self._loop.time())
        async with self._client() as client:
            try:
                answer = await self._ask(client, request)
            except asyncio.CancelledError:
                self._keep(exchange, End.CLIENT_LEFT)
                raise
            except (aiohttp.ClientError, OSError, ValueError) as error:
                self._keep(exchange, _end_before_answer(error))
                await reset(transport)
            return await self._pass_on(incoming, transport, exchange, answer)

    def _client(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            timeout=self._timeout,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
            trust_env=not self._upstream.startswith(("http://127.", "http://localhost")),
        )

    async def _ask(self, client: aiohttp.ClientSession, request: Request) -> ClientResponse:
        """Send the request as it came, but for the host, and without an offer to unpack anything."""
        headers = with_host(
            without(request.headers, ("accept-encoding", "content-length", "expect")), self._upstream
        )
        target = request.uri.removeprefix(self._public)
        return await client.request(
            request.method,
            URL(self._upstream + target, encoded=True),
            headers=multi((*headers, ("Accept-Encoding", "identity"))),
            data=request.body or None,
            allow_redirects=False,
            skip_auto_headers=("Accept", "Content-Type", "User-Agent"),
        )

    async def _pass_on(
        self,
        incoming: web.BaseRequest,
        transport: asyncio.Transport,
        exchange: _Exchange,
        answer: ClientResponse,
    ) -> web.StreamResponse:
        exchange.status, exchange.reason = answer.status, answer.reason or ""
        exchange.headers = end_to_end(answer.raw_headers)
        response = web.StreamResponse(
            status=answer.status, reason=answer.reason, headers=multi(exchange.headers)
        )
        if "content-length" not in answer.headers and incoming.version >= HttpVersion11:
            response.enable_chunked_encoding()
        end = await self._copy(incoming, response, exchange, answer)
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

    async def _copy(
        self,
        incoming: web.BaseRequest,
        response: web.StreamResponse,
        exchange: _Exchange,
        answer: ClientResponse,
    ) -> End:
        decoder = EventDecoder()
        try:
            await response.prepare(incoming)
            while data := await next_piece(answer.content):
                exchange.add(data, self._loop.time())
                self._sent += len(decoder.feed(data))
                await response.write(data)
        except (asyncio.CancelledError, aiohttp.ClientConnectionResetError):
            self._keep(exchange, await _end_without_client(answer))
            answer.close()
            raise
        except TimeoutError:
            return End.TIMEOUT
        except (aiohttp.ClientError, OSError) as error:
            return _end_of_broken(error)
        return End.COMPLETE

    def _keep(self, exchange: _Exchange, end: End) -> None:
        self._interactions.append(self._scrubber.interaction(exchange.finished(end)))


async def next_piece(content: aiohttp.StreamReader) -> bytes:
    """The bytes that have arrived; none at the end.

    aiohttp gives an error of the connection precedence over bytes that came before it. They are part of the
    recording, so they are asked for once more.
    """
    failure = content.exception()
    if failure is not None:
        content.set_exception(None)  # type: ignore[arg-type] # no other way to get at what is buffered
        rest = content.read_nowait()
        content.set_exception(failure)
        if rest:
            return rest
    return await content.readany()


async def _end_without_client(answer: ClientResponse) -> End:
    """The client has left: are bytes missing?

    If all had come by then and only the end was outstanding, the exchange is complete: many clients hang up
    as soon as they see `[DONE]`.
    """
    with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
        async with asyncio.timeout(_LAST_WORDS):
            if not await next_piece(answer.content):
                return End.COMPLETE
    return End.CLIENT_LEFT


def _end_before_answer(error: Exception) -> End:
    if isinstance(error, TimeoutError):
        return End.TIMEOUT
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return End.CUT
    return End.RESET if _is_reset(error) else End.REFUSED


def _end_of_broken(error: Exception) -> End:
    return End.RESET if _is_reset(error) else End.CUT


def _is_reset(error: Exception) -> bool:
    """Aiohttp tells a reset in the middle of a body only in the text of its error."""
    return (
        isinstance(error, ConnectionResetError)
        or "ConnectionResetError" in str(error)
        or "[Errno 104]" in str(error)
    )
