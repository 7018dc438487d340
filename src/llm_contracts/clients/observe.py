"""Run one client once and say what it did: raising, hanging, yielding nonsense and never ending included."""

from __future__ import annotations

import asyncio
import gc
import inspect
import time
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field, is_dataclass, replace
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from llm_contracts.clients.call import Call, Client
from llm_contracts.clients.chunks import ItemReader
from llm_contracts.clients.command import CommandClient
from llm_contracts.clients.effects import Effects
from llm_contracts.clients.failures import ForeignError, describe, without_key
from llm_contracts.clients.imports import join
from llm_contracts.clients.jsonable import jsonable
from llm_contracts.clients.libraries.making import close_async
from llm_contracts.clients.observation import HANG, Chunk, Failure, Observation
from llm_contracts.clients.process_state import setting_changed
from llm_contracts.clients.received import Received, StopRunError
from llm_contracts.clients.session import SessionLike
from llm_contracts.clients.side_effects import GRACE, found, watched
from llm_contracts.clients.surface import error_names
from llm_contracts.clients.virtual_clock import Pauses, VirtualLoop, virtual_time
from llm_contracts.clients.waits import Waits
from llm_contracts.wire.protocols import BUILT_IN, Protocols

_ON_THEIR_WAY = 3  # events that the other side may have sent before it hears that the client has left
_GRACE = 1.0  # seconds a hanging client gets to end by itself after its connections were dropped


def observe(
    client: Client,
    call: Call,
    *,
    name: str,
    session: SessionLike,
    timeout: float = 60.0,
    max_chunks: int = 200_000,
    skip_pauses: bool = False,
    protocols: Protocols = BUILT_IN,
    leaving: bool = False,
    again: bool = False,
) -> Observation:
    """Run the client in a thread of its own and collect everything it does.

    A fault of the client is never raised, only reported.

    Args:
        client: what makes the call. Nothing it raises, not even `SystemExit`, reaches the caller.
        call: what to ask. Its `telemetry` sink is kept and still called.
        name: what the observation calls the client.
        session: where the client's requests arrive; it hears how much text was handed on.
        timeout: seconds for the whole call, without what it imports. After that the session is aborted and
            the failure is a `hang`, with what had been handed on until then; a thread that cannot be ended is
            named in the message.
        max_chunks: after so many items the failure is `endless`.
        skip_pauses: let the client sleep on a virtual clock and note its pauses between attempts. Not for
            real providers, which mean what they say in Retry-After.
        protocols: the APIs whose objects the client may hand on.
        leaving: take the first piece that carries something, close the stream and go, as a caller does whose
            user presses stop.
        again: call once more where connections are left open: a pool that the second call uses again is none
            of what a call leaves. Not for real providers.

    Returns:
        The observation; its requests are those the session saw until the end.
    """

    def new_run(delivered: tuple[int, int, int, int]) -> _ClientRun:
        return _ClientRun(
            client=client,
            # A copy of its own for each run: what one client changes must not reach the next.
            call=replace(
                call,
                messages=deepcopy(call.messages),
                params=deepcopy(dict(call.params)),
                input=deepcopy(call.input),
            ),
            session=session,
            pauses=Pauses(sent=lambda: len(session.requests()), budget=timeout) if skip_pauses else None,
            leaving=leaving,
            effects=Effects(edge=getattr(client, "address", urlsplit(call.base_url).netloc)),
            received=Received(
                session=session,
                max_chunks=max_chunks,
                read=ItemReader(protocols),
                waits=Waits(spent=session.patience_spent),
                delivered=delivered,
            ),
        )

    def ended(run: _ClientRun) -> Failure | None:
        """Let it run in a thread of its own; how it failed."""
        thread = Thread(target=run, daemon=True, name=f"client {name}")
        thread.start()
        try:
            join(thread, timeout)
        except BaseException:  # Ctrl-C while waiting: the thread must not go on talking to a provider
            run.abort()
            raise
        run.received.sealed = True
        if run.ended_ms is not None:
            return run.failure
        run.abort()
        thread.join(_GRACE)
        left = (
            "its thread is still running"
            if thread.is_alive()
            else "it ended when its connections were dropped"
        )
        return Failure(category=HANG, message=f"no end within the limit of {timeout:g} s; {left}")

    run = new_run((0, 0, 0, 0))
    seen = run.observation(name, ended(run), asked=call)
    hangs = seen.failure is not None and seen.failure.category == HANG  # it would do so for as long again
    if again and "connections" in seen.effects and not hangs:
        second = new_run(run.received.delivered)  # the session goes on counting
        if _is_pool(session, lambda: ended(second)):
            return replace(seen, effects={k: v for k, v in seen.effects.items() if k != "connections"})
    return seen


def _is_pool(session: SessionLike, call_again: Callable[[], object]) -> bool:
    """Whether the connections that a call left are a pool: their answers were read, and a second call uses
    them again. One more for each call is a leak, unless garbage collection closes it: when that comes is
    chance.
    """
    if any(ended is None for _, ended in session.exchange_times()):
        return False
    left = session.connections_open()
    call_again()
    if session.connections_open() > left:
        gc.collect()
    limit = time.monotonic() + GRACE
    while session.connections_open() > left and time.monotonic() < limit:  # what is about to close may
        time.sleep(0.005)
    return session.connections_open() <= left


@dataclass(kw_only=True)
class _ClientRun:
    """One run, for a thread of its own."""

    client: Client
    call: Call
    session: SessionLike
    pauses: Pauses | None
    leaving: bool
    effects: Effects
    received: Received
    generations: list[Mapping[str, Any]] = field(default_factory=list)
    failure: Failure | None = None
    ended_ms: float | None = None
    _error: tuple[str, ...] | None = None
    _raised: str = "call"
    _aborting: list[Callable[[], None]] = field(default_factory=list)

    def __call__(self) -> None:
        try:
            with ExitStack() as stack:
                stack.enter_context(watched(self.effects))
                if self.pauses is not None:
                    stack.enter_context(virtual_time(self.pauses))
                items = self.client(replace(self.call, telemetry=self._sink, on_abort=self._on_abort))
                self._raised = "stream"
                self._drain(items)
        except StopRunError as stop:
            self.failure = stop.failure
        except BaseException as error:  # noqa: BLE001 - SystemExit of a client is a finding, not the end of the run
            self._error = None if isinstance(error, ForeignError) else error_names(error)
            self.failure = describe(error, self.call.api_key, raised=self._raised)
        finally:
            if self.received.reused:
                self.effects.left["chunks"] = ["changed after they were handed on"]
            self.received.waits.note(len(self.received.chunks))
            self.ended_ms = self.received.elapsed

    def abort(self) -> None:
        """Take nothing more, and end what is under way."""
        self.received.sealed = True
        self.session.abort()
        for end in self._aborting:
            end()

    def _on_abort(self, end: Callable[[], None]) -> None:
        self._aborting.append(end)
        if self.received.sealed:  # too late for `abort`
            end()

    def observation(self, name: str, failure: Failure | None, *, asked: Call) -> Observation:
        """What was seen; `asked` is the call before the client had it."""
        received, requests = self.received, self.session.requests()
        pauses, waits = None, dict[str, float]()
        if self.pauses is not None:
            starting, times = isinstance(self.client, CommandClient), self.session.exchange_times()
            pauses, waits = received.waits.found(self.pauses, len(requests), times, starting=starting)
        return Observation(
            client=name,
            protocol=received.read.protocol,
            requests=requests,
            pauses=pauses,
            waits=waits,
            surface=received.surface | ({} if self._error is None else {"error": self._error}),
            answer=without_key(received.answer, self.call.api_key),
            effects={**found(self.effects, self._connections), **_changed(asked, self.call)},
            chunks=received.positioned(requests),
            failure=failure,
            generations=tuple(self.generations),
            duration_ms=received.elapsed if self.ended_ms is None else self.ended_ms,
        )

    def _connections(self) -> int:
        """The client's open connections. Those of a gateway belong to none of its calls."""
        return 0 if getattr(self.client, "outlives_calls", False) else self.session.connections_open()

    def _drain(self, items: Any) -> None:
        # LiteLLM's wrapper is an iterable of both kinds: what a plain call returns is read plainly.
        both = isinstance(items, AsyncIterable) and isinstance(items, Iterable)
        if (isinstance(items, AsyncIterable) and not both) or inspect.iscoroutine(items):
            with asyncio.Runner(loop_factory=self._loop) as runner:
                runner.run(self._drain_async(items))
        else:
            self._drain_sync(items)
        if not self.leaving:
            self.received.finish()

    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.new_event_loop() if self.pauses is None else VirtualLoop(self.pauses)

    def _drain_sync(self, items: Any) -> None:
        if _is_answer(items):
            self.received.take(items)
            return
        if not isinstance(items, Iterable) or isinstance(items, (str, bytes, Mapping)):
            kind = "nothing (None)" if items is None else f"an object of type {type(items).__name__}"
            raise StopRunError("nonsense", f"the client returned {kind} instead of an iterable of chunks")
        self.received.look_at(items)
        close = getattr(items, "close", bool)
        try:
            for item in items:
                self.received.take(item)
                if self._leaves():
                    with self._no_further():
                        close()
                    return
        except StopRunError:
            with suppress(Exception):
                close()
            raise

    async def _drain_async(self, items: Any) -> None:
        before, settings = asyncio.all_tasks(), _settings_of_loop()
        if inspect.iscoroutine(items):
            items = await items
        if not isinstance(items, AsyncIterable):
            self._drain_sync(items)
            return
        self.received.look_at(items)
        try:
            async for item in items:
                self.received.take(item)
                if self._leaves():
                    with self._no_further():
                        await close_async(items)
                    break
            await self._wait_for_tasks(before)
            if _settings_of_loop() != settings:
                setting_changed(self.effects, "asyncio.loop")
        except StopRunError:
            with suppress(Exception):
                await close_async(items)
            raise

    def _leaves(self) -> bool:
        last = self.received.chunks[-1] if self.received.chunks else Chunk()
        return self.leaving and bool(last.text or last.reasoning or last.tool_calls)

    @contextmanager
    def _no_further(self) -> Iterator[None]:
        """Note how many events the other side sends while the client is told to stop."""
        before = self.session.events_sent() or 0
        yield
        further = (self.session.events_sent() or 0) - before
        self.effects.left["events"] = further if further > _ON_THEIR_WAY else 0

    async def _wait_for_tasks(self, before: set[asyncio.Task[Any]]) -> None:
        """Look what stays while the loop still runs: its end would hide it. What is about to end may."""

        def stay() -> tuple[int, int]:
            return len(asyncio.all_tasks() - before), self._connections() if self.leaving else 0

        limit = time.monotonic() + GRACE
        while any(stay()) and time.monotonic() < limit:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.005)
        self.effects.left["tasks"], self.effects.left["connections"] = stay()

    def _sink(self, generation: Mapping[str, Any]) -> None:
        copy = without_key(jsonable(generation), self.call.api_key)
        if not self.received.sealed:
            unreadable = {"unreadable": f"an object of type {type(generation).__name__}"}
            self.generations.append(copy if isinstance(copy, dict) else unreadable)
        self.call.telemetry(generation)


def _settings_of_loop() -> tuple[Any, ...]:
    loop = asyncio.get_running_loop()
    return loop.get_exception_handler(), loop.get_task_factory(), loop.get_debug()


def _is_answer(items: Any) -> bool:
    """Whether this is a whole answer, as a call without `stream` gives. A model of pydantic is iterable."""
    if isinstance(items, Mapping):
        return bool(items)
    is_model = hasattr(items, "model_dump") or is_dataclass(items) or hasattr(items, "choices")
    return is_model and not hasattr(items, "__next__")


def _changed(asked: Call, given: Call) -> dict[str, Any]:
    """What the client made of the caller's messages and parameters, where it changed them."""
    pairs = {f"call.{n}": (getattr(asked, n), getattr(given, n)) for n in ("messages", "params", "input")}
    return {place: jsonable(now) for place, (was, now) in pairs.items() if jsonable(was) != jsonable(now)}
