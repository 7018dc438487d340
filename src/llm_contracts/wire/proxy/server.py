"""The edge itself: one HTTP server on the loopback, in a thread of its own, for any number of sessions."""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
from collections.abc import Callable, Collection, Sequence
from types import TracebackType
from typing import Self, TypeVar

from aiohttp import web

from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.proxy.access_check import AccessCheck, objection, refused
from llm_contracts.wire.proxy.exchange import Limits
from llm_contracts.wire.proxy.network import DIRECT, EdgeError, Network, reached_straight
from llm_contracts.wire.proxy.playback_options import PlaybackOptions
from llm_contracts.wire.proxy.record import RecordSession
from llm_contracts.wire.proxy.replay import ReplaySession
from llm_contracts.wire.proxy.session import Session
from llm_contracts.wire.proxy.upstream import Upstream
from llm_contracts.wire.scrub import Scrubber

_HOST = "127.0.0.1"
_ROOT = ""
_STARTING = 10.0
_ENDING = 2.0  # seconds for connections to providers to close
_S = TypeVar("_S", bound=Session)
_LIMITS = Limits()
_AS_FAST_AS_TAKEN = PlaybackOptions()


class Edge:
    """The server. A context manager; sessions are opened within it, from any thread.

    Args:
        port: where to listen on 127.0.0.1; 0 lets the system choose.
        limits: how much of one exchange it takes.
        origins: the web pages of other sites whose requests are let in, such as `https://app.example`.
    """

    def __init__(
        self, port: int = 0, *, limits: Limits = _LIMITS, origins: Collection[str] = frozenset()
    ) -> None:
        self.port = port
        self._limits = limits
        self._origins = origins
        self._sessions: dict[str, Session] = {}
        self._ready: threading.Event = threading.Event()
        self._problem: str | None = None
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve()), name="llm-contracts-edge", daemon=True
        )
        self._straight = reached_straight(os.environ)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(_STARTING)
        if self._problem is not None:
            self._thread.join()
            msg = f"port {self.port} on {_HOST} cannot be opened ({self._problem}). Choose another one, or 0."
            raise EdgeError(msg)
        self._straight.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._straight.__exit__(kind, error, trace)
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def replay(
        self,
        interactions: Sequence[Interaction],
        options: PlaybackOptions = _AS_FAST_AS_TAKEN,
    ) -> ReplaySession:
        """A session that serves recorded exchanges."""
        return self.mount(
            lambda loop, origin: ReplaySession(interactions, loop=loop, origin=origin, options=options),
            key=secrets.token_hex(8),
        )

    def record(
        self,
        *,
        upstream: str,
        public: str,
        scrubber: Scrubber,
        timeout: float = 300.0,
        network: Network = DIRECT,
    ) -> RecordSession:
        """A session that passes everything on to `upstream` and keeps what came back.

        Args:
            upstream: scheme and host to send to.
            public: scheme and host to write into the recording: the provider's own.
            scrubber: takes the secrets out before anybody sees the exchange.
            timeout: seconds without a byte after which the provider counts as silent.
            network: proxies and certificate authorities on the way there.

        Raises:
            EdgeError: the network's settings cannot be used.
        """
        provider = Upstream(origin=upstream, timeout=timeout, network=network)
        return self.mount(
            lambda loop, origin: RecordSession(
                loop=loop, origin=origin, public=public, upstream=provider, scrubber=scrubber
            ),
            key=secrets.token_hex(8),
        )

    def mount(self, make: Callable[[asyncio.AbstractEventLoop, str], _S], *, key: str = _ROOT) -> _S:
        """A session of the caller's own making, given the loop and its origin, below the path `/key`.

        At the edge's root it answers every request that is not addressed to another session.
        """
        session = make(self._loop, f"http://{_HOST}:{self.port}/{key}".rstrip("/"))
        session.on_close = lambda: self._sessions.pop(key, None)
        session.limits = self._limits
        self._sessions[key] = session
        return session

    def census(self) -> tuple[int, int]:
        """How many sessions are open, and how many tasks there are in the edge's loop; one is its own."""
        return len(self._sessions), len(asyncio.all_tasks(self._loop))

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server = AccessCheck(self._handle, head_within=self._limits.head_within)
        try:
            listener = await self._loop.create_server(server, _HOST, self.port)
            self.port = listener.sockets[0].getsockname()[1]
        except (OSError, OverflowError) as error:
            self._problem = getattr(error, "strerror", None) or str(error)
            return
        finally:
            self._ready.set()
        await self._stop.wait()
        listener.close()
        for session in tuple(self._sessions.values()):
            session.close()
        await server.shutdown(0.1)
        await listener.wait_closed()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        if rest:
            await asyncio.wait(rest, timeout=_ENDING)

    async def _handle(self, incoming: web.BaseRequest) -> web.StreamResponse:
        if (answer := objection(incoming, self._origins)) is not None:
            return answer
        key, _, rest = incoming.raw_path.removeprefix("/").partition("/")
        session, target = self._sessions.get(key), f"/{rest}"
        if session is None:
            session, target = self._sessions.get(_ROOT), incoming.raw_path
        if session is None:
            return refused(404, "No session of the edge has this address.")
        return await session.handle(incoming, target)
