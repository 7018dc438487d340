"""The simulator's own HTTP server: one dialect on a loopback port, in a thread of its own."""

from __future__ import annotations

import asyncio
from itertools import chain, repeat
from threading import Event, Thread
from types import TracebackType
from typing import Self

from aiohttp import web

from llm_contracts.simulator.dialect import Dialect, compact
from llm_contracts.simulator.dialects import DIALECTS
from llm_contracts.simulator.engine import KEY, Reply, Responder
from llm_contracts.simulator.scripts import SCRIPTS, script_named

_START_SECONDS = 10.0


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
        self.play(next(iter(SCRIPTS)))
        self._ready = Event()
        self._port = 0
        self._thread = Thread(target=self._run, name=f"simulator-{dialect.name}", daemon=True)

    @property
    def origin(self) -> str:
        """Scheme, host and port, without a path."""
        return f"http://127.0.0.1:{self._port}"

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
        self._thread.start()
        self._ready.wait(_START_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_SECONDS)

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            served = runner.run(self._start())
            self._ready.set()
            self._loop.run_forever()
            runner.run(served.cleanup())

    async def _start(self) -> web.AppRunner:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        base = self._dialect.base_path
        app.router.add_post(base + self._dialect.chat_path, self._handle)
        app.router.add_get(f"{base}/models", self._handle)
        if self._dialect.grants:
            app.router.add_post(base + self._dialect.grants.path, self._grant)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self._port = int(runner.addresses[0][1])
        return runner

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        grants, headers = self._dialect.grants, request.headers.copy()
        if grants:  # a token in the query stands where others have their key
            headers["Authorization"] = f"Bearer {request.query.get(grants.field, '')}"
        ask = self._dialect.read(request.path, headers, body)
        turn, seed = next(self._turns)
        reply = Responder(dialect=self._dialect, key=self.key, seed=seed).respond(ask, turn)
        if reply.streamed:
            return await self._send(request, reply)
        return web.Response(status=reply.status, headers=list(reply.headers), body=b"".join(reply.pieces))

    async def _grant(self, request: web.Request) -> web.Response:
        assert self._dialect.grants is not None
        status, document = self._dialect.grants.grant(request.query, self.key)
        headers = [("Content-Type", self._dialect.json_type), *self._dialect.headers("grant")]
        return web.Response(status=status, headers=headers, body=compact(document).encode())

    async def _send(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        response = web.StreamResponse(status=reply.status, headers=list(reply.headers))
        response.enable_chunked_encoding()
        await response.prepare(request)
        for piece in reply.pieces:
            await response.write(piece)
            await asyncio.sleep(self._pause)
        await response.write_eof()
        return response
