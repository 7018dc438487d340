"""Run one path once and say what it did: raising, hanging, yielding nonsense and never ending included."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterable, Iterable, Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from threading import Lock, Thread
from typing import Any, Protocol

from llm_contracts.clients.call import Call, Client
from llm_contracts.clients.chunks import NotAChunkError, to_chunk
from llm_contracts.clients.failures import describe, without_key
from llm_contracts.clients.jsonable import jsonable
from llm_contracts.clients.observation import Chunk, Failure, Observation
from llm_contracts.clients.virtual_clock import Pauses, VirtualLoop, virtual_time
from llm_contracts.wire.interaction import Request

_GRACE = 1.0  # seconds a hanging path gets to end by itself after its connections were dropped


class SessionLike(Protocol):
    """What `observe` needs of a session of the edge, or of any other engine."""

    def requests(self) -> tuple[Request, ...]: ...
    def events_sent(self) -> int | None: ...
    def delivered(self, chars: int, /) -> None: ...
    def abort(self) -> None: ...


def observe(
    path: Client,
    call: Call,
    *,
    name: str,
    session: SessionLike,
    timeout: float = 60.0,
    max_chunks: int = 200_000,
    skip_pauses: bool = False,
) -> Observation:
    """Run the path in a thread of its own and collect everything it does.

    A fault of the path is never raised, only reported.

    Args:
        path: the way to the model. Nothing it raises, not even `SystemExit`, reaches the caller.
        call: what to ask. Its `telemetry` sink is kept and still called.
        name: what the observation calls the path.
        session: where the path's requests arrive; it is told how much text was handed on.
        timeout: seconds for the whole call. After that the session is aborted and the failure is a `hang`,
            with what had been handed on until then; a thread that cannot be ended is named in the message.
        max_chunks: after so many items the failure is `endless`.
        skip_pauses: let the path sleep on a virtual clock and note its pauses between attempts. Not for real
            providers, which mean what they say in Retry-After.

    Returns:
        The observation; its requests are those the session saw until the end.
    """
    pauses = Pauses(sent=lambda: len(session.requests()), budget=timeout) if skip_pauses else None
    run = _ObservedRun(path=path, call=call, session=session, max_chunks=max_chunks, pauses=pauses)
    thread = Thread(target=run, daemon=True, name=f"path {name}")
    thread.start()
    try:
        thread.join(timeout)
    except BaseException:  # Ctrl-C while waiting: the thread must not go on talking to a provider
        run.seal()
        session.abort()
        raise
    if run.seal():
        failure = run.failure
    else:
        session.abort()
        thread.join(_GRACE)
        failure = _hang(timeout, running=thread.is_alive())
    return run.observation(name, failure)


@dataclass(kw_only=True)
class _ObservedRun:
    """One run in its thread.

    After `seal` nothing is added, so that a thread that hangs on cannot change what was reported.
    """

    path: Client
    call: Call
    session: SessionLike
    max_chunks: int
    pauses: Pauses | None = None
    started: float = field(default_factory=time.monotonic)
    chunks: list[Chunk] = field(default_factory=list)
    generations: list[Mapping[str, Any]] = field(default_factory=list)
    failure: Failure | None = None
    ended_ms: float | None = None
    _chars: int = 0
    _sealed: bool = False
    _lock: Lock = field(default_factory=Lock)

    def __call__(self) -> None:
        try:
            with nullcontext() if self.pauses is None else virtual_time(self.pauses):
                self._drain(self.path(replace(self.call, telemetry=self._sink)))
        except _StopRunError as stop:
            self._fail(stop.failure)
        except BaseException as error:  # noqa: BLE001 - SystemExit of a path is a finding, not the end of the run
            self._fail(describe(error, self.call.api_key))
        finally:
            with self._lock:
                self.ended_ms = self._elapsed()

    def seal(self) -> bool:
        """Take nothing more; True if the path had come to its end."""
        with self._lock:
            self._sealed = True
            return self.ended_ms is not None

    def observation(self, name: str, failure: Failure | None) -> Observation:
        requests = self.session.requests()
        return Observation(
            path=name,
            requests=requests,
            pauses=None if self.pauses is None else self.pauses.between(len(requests)),
            chunks=tuple(self.chunks),
            failure=failure,
            generations=tuple(self.generations),
            duration_ms=self.ended_ms if self.ended_ms is not None else self._elapsed(),
        )

    def _drain(self, items: Any) -> None:
        if isinstance(items, AsyncIterable):
            with asyncio.Runner(loop_factory=self._loop) as runner:
                runner.run(self._drain_async(items))
        elif isinstance(items, Iterable) and not isinstance(items, (str, bytes, Mapping)):
            self._drain_sync(items)
        else:
            if inspect.iscoroutine(items):
                items.close()  # otherwise Python warns of it later, in somebody else's test
            raise _StopRunError(
                "nonsense", f"the path returned {_kind(items)} instead of an iterable of chunks"
            )

    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.new_event_loop() if self.pauses is None else VirtualLoop(self.pauses)

    def _drain_sync(self, items: Iterable[Any]) -> None:
        try:
            for item in items:
                self._deliver(item)
        except _StopRunError:
            with suppress(Exception):
                getattr(items, "close", _nothing)()
            raise

    async def _drain_async(self, items: AsyncIterable[Any]) -> None:
        try:
            async for item in items:
                self._deliver(item)
        except _StopRunError:
            with suppress(Exception):
                await getattr(items, "aclose", _nothing_async)()
            raise

    def _deliver(self, item: Any) -> None:
        position, at_ms = self.session.events_sent(), self._elapsed()
        index = len(self.chunks)
        if index >= self.max_chunks:
            raise _StopRunError("endless", f"the path yielded more than {self.max_chunks} items")
        try:
            chunk = to_chunk(item)
        except NotAChunkError as error:
            raise _StopRunError("nonsense", f"item {index} is no chunk but {error}") from None
        self._keep(replace(chunk, position=position, at_ms=at_ms))
        self._chars += len(chunk.text)
        self.session.delivered(self._chars)

    def _keep(self, chunk: Chunk) -> None:
        with self._lock:
            if self._sealed:
                raise _StopRunError("hang", "the time limit had passed")
            self.chunks.append(chunk)

    def _sink(self, generation: Mapping[str, Any]) -> None:
        copy = without_key(jsonable(generation), self.call.api_key)
        with self._lock:
            if not self._sealed:
                self.generations.append(copy if isinstance(copy, dict) else {"unreadable": _kind(generation)})
        self.call.telemetry(generation)

    def _fail(self, failure: Failure) -> None:
        with self._lock:
            if not self._sealed:
                self.failure = failure

    def _elapsed(self) -> float:
        return round((time.monotonic() - self.started) * 1000, 3)


class _StopRunError(Exception):
    """The harness ends a run: what the path does is no stream of chunks."""

    def __init__(self, category: str, message: str) -> None:
        super().__init__(message)
        self.failure = Failure(category=category, message=message)


def _hang(timeout: float, *, running: bool) -> Failure:
    left = "its thread is still running" if running else "it ended when its connections were dropped"
    return Failure(category="hang", message=f"no end within the limit of {timeout:g} s; {left}")


def _kind(value: Any) -> str:
    return "nothing (None)" if value is None else f"an object of type {type(value).__name__}"


def _nothing() -> Iterator[None] | None:
    """Stands for `close` where an iterable has none."""
    return None


async def _nothing_async() -> None:
    """Stands for `aclose` where an async iterable has none."""
