"""The simulator's own HTTP server: one dialect on a loopback port."""

from __future__ import annotations

import asyncio
import re
from contextlib import ExitStack, suppress
from itertools import chain, repeat
from types import TracebackType
from typing import Self

from aiohttp import web

from llm_contracts.simulator.dialect import Dialect, compact
from llm_contracts.simulator.dialects import DIALECTS
from llm_contracts.simulator.engine import KEY, Responder
from llm_contracts.simulator.scripts import SCRIPTS, script_named
from llm_contracts.wire.content import UnpackingError, unpacker
from llm_contracts.wire.interaction import Request
from llm_contracts.wire.proxy.access_check import refused
from llm_contracts.wire.proxy.server import Edge
from llm_contracts.wire.proxy.session import Session


class Simulator:
    """A provider of one dialect on loopback, while the `with` block lasts.

    Args:
        dialect: a built-in one's name, or one.
        key: the one key that is accepted.
        pause: seconds between two server-sent events; 0 lets them run together as they will.

    Raises:
        ValueError: no dialect has this name.
    """

    def __init__(self, dialect: str | Dialect, *, key: str = KEY, pause: float = 0.001) -> None:
        if isinstance(dialect, str):
            if dialect not in DIALECTS:
                raise ValueError(f"the simulator speaks no {dialect!r}; it speaks {', '.join(DIALECTS)}")
            dialect = DIALECTS[dialect]
        self._dialect = dialect
        self.key = key
        self._pause = pause
        self._open = ExitStack()
        self.origin = ""  # scheme, host and port, without a path
        self.play(next(iter(SCRIPTS)))

    @property
    def base_url(self) -> str:
        """The base URL a client would be given: the origin and the provider's own path."""
        return self.origin + self._dialect.base_path

    def play(self, script: str) -> None:
        """Put a script on, from its first turn.

        Raises:
            ValueError: there is no such script; the message gives the nearest names.
        """
        turns = script_named(script, self._dialect.scripts)
        numbered = enumerate(chain(turns, repeat(turns[-1])))
        # Set from outside, advanced by the server's thread alone. The seed is that of all that looks random.
        self._turns = ((turn, f"{self._dialect.name}/{script}/{number}") for number, turn in numbered)

    def __enter__(self) -> Self:
        edge = self._open.enter_context(Edge())
        self.origin = edge.mount(lambda loop, origin: _Session(self, loop, origin)).origin
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    async def answer(self, incoming: web.BaseRequest, body: bytes) -> web.StreamResponse:
        """What the provider says to a request; called by the server."""
        dialect, headers = self._dialect, incoming.headers.copy()
        asked, base = f"{incoming.method} {incoming.path}", dialect.base_path
        if dialect.grants:
            if asked == f"POST {base}{dialect.grants.path}":
                status, document = dialect.grants.grant(incoming.query, self.key)
                lines = [("Content-Type", dialect.json_type), *dialect.headers("grant")]
                return web.Response(status=status, headers=lines, body=compact(document).encode())
            # A token in the query stands where others have their key.
            headers["Authorization"] = f"Bearer {incoming.query.get(dialect.grants.field, '')}"
        if not re.fullmatch(f"(?:GET|HEAD) {base}/models|POST {base}{dialect.chats_at}", asked):
            return refused(404, "The provider has no such path.")
        if unpack := unpacker(incoming.headers.get("Content-Encoding", "")):
            with suppress(UnpackingError):  # as it came it is not a request, which the provider says
                body = b"".join(unpack(body))
        turn, seed = next(self._turns)
        ask = dialect.read(incoming.path, headers, body)
        reply = Responder(dialect=dialect, key=self.key, seed=seed).respond(ask, turn)
        if not reply.streamed:
            return web.Response(status=reply.status, headers=list(reply.headers), body=b"".join(reply.pieces))
        response = web.StreamResponse(status=reply.status, headers=list(reply.headers))
        response.enable_chunked_encoding()
        await response.prepare(incoming)
        for piece in reply.pieces:
            await response.write(piece)
            await asyncio.sleep(self._pause)
        await response.write_eof()
        return response


class _Session(Session):
    """All that is asked of a simulator."""

    def __init__(self, simulator: Simulator, loop: asyncio.AbstractEventLoop, origin: str) -> None:
        super().__init__(loop=loop, origin=origin, public=origin)
        self._simulator = simulator

    async def _answer(
        self, incoming: web.BaseRequest, transport: asyncio.Transport, request: Request
    ) -> web.StreamResponse:
        del transport
        return await self._simulator.answer(incoming, request.body)
