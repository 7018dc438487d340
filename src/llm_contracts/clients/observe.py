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
from itertools import pairwise
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlsplit

from llm_contracts.clients.call import Call, Client
from llm_contracts.clients.chunks import ItemReader, NotAChunkError
from llm_contracts.clients.command import CommandClient
from llm_contracts.clients.failures import ForeignError, answered, describe, without_key
from llm_contracts.clients.imports import join
from llm_contracts.clients.jsonable import jsonable, read
from llm_contracts.clients.observation import HANG, Chunk, Failure, Observation
from llm_contracts.clients.process_state import setting_changed
from llm_contracts.clients.session import SessionLike
from llm_contracts.clients.side_effects import GRACE, Effects, watched
from llm_contracts.clients.surface import Shape, error_names, shapes, shared_names, stream_names
from llm_contracts.clients.virtual_clock import Pauses, VirtualLoop, virtual_time
from llm_contracts.clients.waits import Waits
from llm_contracts.wire.interaction import Request
from llm_contracts.wire.protocols import BUILT_IN, Protocols

_BUFFERS = (bytearray, memoryview)
_KEPT = 8  # items that are looked at again when all have come: who yields one over and over does so at once
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

    def new_run(before: _ObservedRun | None = None) -> _ObservedRun:
        return _ObservedRun(
            client=client,
            # A copy of its own for each run: what one client changes must not reach the next.
            call=replace(
                call,
                messages=deepcopy(call.messages),
                params=deepcopy(dict(call.params)),
                input=deepcopy(call.input),
            ),
            session=session,
            max_chunks=max_chunks,
            pauses=Pauses(sent=lambda: len(session.requests()), budget=timeout) if skip_pauses else None,
            waits=Waits(spent=session.patience_spent),
            read=ItemReader(protocols),
            leaving=leaving,
            effects=Effects(edge=getattr(client, "address", urlsplit(call.base_url).netloc)),
            delivered=(0, 0, 0, 0) if before is None else before.delivered,  # the session goes on counting
        )

    def ended(run: _ObservedRun) -> Failure | None:
        """Let it run in a thread of its own; how it failed."""
        thread = Thread(target=run, daemon=True, name=f"client {name}")
        thread.start()
        try:
            join(thread, timeout)
        except BaseException:  # Ctrl-C while waiting: the thread must not go on talking to a provider
            run.seal()
            run.abort()
            raise
        if run.seal():
            return run.failure
        run.abort()
        thread.join(_GRACE)
        return _hang(timeout, running=thread.is_alive())

    run = new_run()
    found = run.observation(name, ended(run), asked=call)
    if again and "connections" in found.effects and _is_pool(session, lambda: ended(new_run(run))):
        return replace(found, effects={k: v for k, v in found.effects.items() if k != "connections"})
    return found


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
class _ObservedRun:
    """One run in its thread.

    After `seal` nothing is added, so that a thread that hangs on cannot change what was reported.
    """

    client: Client
    call: Call
    session: SessionLike
    max_chunks: int
    read: ItemReader
    pauses: Pauses | None = None
    leaving: bool = False
    effects: Effects
    waits: Waits
    chunks: list[Chunk] = field(default_factory=list)
    generations: list[Mapping[str, Any]] = field(default_factory=list)
    delivered: tuple[int, int, int, int]
    failure: Failure | None = None
    ended_ms: float | None = None
    _stream: tuple[str, ...] | None = None
    _answer: Mapping[str, Any] = field(default_factory=dict)
    _error: tuple[str, ...] | None = None
    _shapes: dict[Shape, None] = field(default_factory=dict)
    _items: list[tuple[Any, Any]] = field(default_factory=list)
    _raised: str = "call"
    _sealed: bool = False
    _lock: Lock = field(default_factory=Lock)
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
        except _StopRunError as stop:
            self._fail(stop.failure)
        except BaseException as error:  # noqa: BLE001 - SystemExit of a client is a finding, not the end of the run
            self._error = None if isinstance(error, ForeignError) else error_names(error)
            self._fail(describe(error, self.call.api_key, raised=self._raised))
        finally:
            self.effects.reused = any(_said(item) != said for item, said in self._items)
            with self._lock:
                self.waits.note(len(self.chunks))
                self.ended_ms = self._elapsed()

    def seal(self) -> bool:
        """Take nothing more; True if the client had come to its end."""
        with self._lock:
            self._sealed = True
            return self.ended_ms is not None

    def abort(self) -> None:
        """End what is under way, once it is sealed."""
        self.session.abort()
        for end in self._aborting:
            end()

    def _on_abort(self, end: Callable[[], None]) -> None:
        self._aborting.append(end)
        if self._sealed:  # too late for `abort`
            end()

    def observation(self, name: str, failure: Failure | None, *, asked: Call) -> Observation:
        """What was seen; `asked` is the call before the client had it."""
        requests = self.session.requests()
        pauses, waits = None, dict[str, float]()
        if self.pauses is not None:
            starting, times = isinstance(self.client, CommandClient), self.session.exchange_times()
            pauses, waits = self.waits.found(self.pauses, len(requests), times, starting=starting)
        return Observation(
            client=name,
            protocol=self.read.protocol,
            requests=requests,
            pauses=pauses,
            waits=waits,
            surface=self._surface(),
            answer=without_key(self._answer, self.call.api_key),
            effects={**self.effects.found(self._connections), **_changed(asked, self.call)},
            chunks=self._positioned(requests),
            failure=failure,
            generations=tuple(self.generations),
            duration_ms=self.ended_ms if self.ended_ms is not None else self._elapsed(),
        )

    def _positioned(self, requests: tuple[Request, ...]) -> tuple[Chunk, ...]:
        """The chunks. Where answers to several questions come at once, how far they have come together says
        nothing about any.
        """
        times = self.session.exchange_times()
        at_once = any(ended is None or begun < ended for (_, ended), (begun, _) in pairwise(times))
        if at_once and len({request.body for request in requests}) > 1:
            return tuple(replace(chunk, position=None) for chunk in self.chunks)
        return tuple(self.chunks)

    def _connections(self) -> int:
        """The client's open connections. Those of a gateway belong to none of its calls."""
        return 0 if getattr(self.client, "outlives_calls", False) else self.session.connections_open()

    def _surface(self) -> dict[str, tuple[str, ...]]:
        named = {"stream": self._stream, "error": self._error}
        return {
            **{part: names for part, names in named.items() if names is not None},
            **shared_names(self._shapes),
        }

    def _drain(self, items: Any) -> None:
        # LiteLLM's wrapper is an iterable of both kinds: what a plain call returns is read plainly.
        both = isinstance(items, AsyncIterable) and isinstance(items, Iterable)
        if (isinstance(items, AsyncIterable) and not both) or inspect.iscoroutine(items):
            with asyncio.Runner(loop_factory=self._loop) as runner:
                runner.run(self._drain_async(items))
        else:
            self._drain_sync(items)
        if not self.leaving:
            self._take(self.read.finish)

    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.new_event_loop() if self.pauses is None else VirtualLoop(self.pauses)

    def _drain_sync(self, items: Any) -> None:
        if _is_answer(items):
            self._deliver(items)
            return
        if not isinstance(items, Iterable) or isinstance(items, (str, bytes, Mapping)):
            raise _StopRunError(
                "nonsense", f"the client returned {_kind(items)} instead of an iterable of chunks"
            )
        self._look_at(items)
        try:
            for item in items:
                self._deliver(item)
                if self._leaves():
                    with self._no_further():
                        getattr(items, "close", _nothing)()
                    return
        except _StopRunError:
            with suppress(Exception):
                getattr(items, "close", _nothing)()
            raise

    async def _drain_async(self, items: Any) -> None:
        before, settings = asyncio.all_tasks(), _settings_of_loop()
        if inspect.iscoroutine(items):
            items = await items
        if not isinstance(items, AsyncIterable):
            self._drain_sync(items)
            return
        self._look_at(items)
        try:
            async for item in items:
                self._deliver(item)
                if self._leaves():
                    await self._close(items)
                    break
            await self._wait_for_tasks(before)
            if _settings_of_loop() != settings:
                setting_changed(self.effects.changes, "asyncio.loop")
        except _StopRunError:
            with suppress(Exception):
                await getattr(items, "aclose", _nothing_async)()
            raise

    def _look_at(self, items: Any) -> None:
        self._stream, self._answer = stream_names(items), answered(read(items, "response"))

    def _leaves(self) -> bool:
        last = self.chunks[-1] if self.chunks else Chunk()
        return self.leaving and bool(last.text or last.reasoning or last.tool_calls)

    @contextmanager
    def _no_further(self) -> Iterator[None]:
        """Note how many events the other side sends while the client is told to stop."""
        before = self.session.events_sent() or 0
        yield
        further = (self.session.events_sent() or 0) - before
        self.effects.read_on = further if further > _ON_THEIR_WAY else 0

    async def _close(self, items: AsyncIterable[Any]) -> None:
        with self._no_further():
            await getattr(items, "aclose", getattr(items, "close", _nothing_async))()

    async def _wait_for_tasks(self, before: set[asyncio.Task[Any]]) -> None:
        """Look what stays while the loop still runs: its end would hide it. What is about to end may."""

        def stay() -> tuple[int, int]:
            return len(asyncio.all_tasks() - before), self._connections() if self.leaving else 0

        limit = time.monotonic() + GRACE
        while any(stay()) and time.monotonic() < limit:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.005)
        self.effects.tasks, self.effects.connections = stay()

    def _deliver(self, item: Any) -> None:
        if len(self._items) < _KEPT and not isinstance(item, (str, bytes)):
            self._items.append((item, _said(item)))
        if isinstance(item, _BUFFERS):
            item = bytes(item)
        self._take(lambda: self.read(item))
        self._shapes.update(dict.fromkeys(shapes(item)))

    def _take(self, read: Callable[[], Iterator[Chunk]]) -> None:
        """Keep the chunks that an item is."""
        try:
            for chunk in read():
                self._add(chunk)
        except NotAChunkError as error:
            raise _StopRunError("nonsense", f"item {len(self.chunks)} is not a chunk but {error}") from None

    def _add(self, chunk: Chunk) -> None:
        position, at_ms = self.session.events_sent(), self._elapsed()
        index = len(self.chunks)
        if index >= self.max_chunks:
            raise _StopRunError("endless", f"the client yielded more than {self.max_chunks} items")
        rest = self.chunks[-1].rest if self.chunks and self.chunks[-1].rest == chunk.rest else chunk.rest
        self._keep(replace(chunk, position=position, at_ms=at_ms, rest=rest))
        self.waits.note(index)
        self._progress(chunk)

    def _progress(self, chunk: Chunk) -> None:
        """Tell the session how much has been handed on, of the choice with the index 0 and of the others."""
        text, reasoning, arguments, others = self.delivered
        said = [(self.read.answer, len(chunk.text) + len(chunk.extra.get("refusal") or ""))]
        said += ((other["index"], len(other.get("text", ""))) for other in chunk.others)
        text += sum(size for index, size in said if not index)
        others += sum(size for index, size in said if index)
        text += bool(chunk.rest) and not (self.read.protocol or chunk.text)  # an event of an unknown API
        reasoning += len(chunk.reasoning)
        arguments += sum(len(str(call.get("arguments", ""))) for call in chunk.tool_calls)
        self.delivered = text, reasoning, arguments, others
        self.session.delivered(*self.delivered)

    def _keep(self, chunk: Chunk) -> None:
        with self._lock:
            if self._sealed:
                raise _StopRunError(HANG, "the time limit had passed")
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
        return round((time.monotonic() - self.waits.started) * 1000, 3)


class _StopRunError(Exception):
    """The harness ends a run: what the client does is not a stream of chunks."""

    def __init__(self, category: str, message: str) -> None:
        super().__init__(message)
        self.failure = Failure(category=category, message=message)


def _settings_of_loop() -> tuple[Any, ...]:
    loop = asyncio.get_running_loop()
    return loop.get_exception_handler(), loop.get_task_factory(), loop.get_debug()


def _said(item: Any) -> Any:
    """What an item says now: nothing where it is a view of a buffer that was released."""
    if not isinstance(item, _BUFFERS):
        return jsonable(item)
    try:
        return bytes(item)
    except ValueError:
        return None


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


def _hang(timeout: float, *, running: bool) -> Failure:
    left = "its thread is still running" if running else "it ended when its connections were dropped"
    return Failure(category=HANG, message=f"no end within the limit of {timeout:g} s; {left}")


def _kind(value: Any) -> str:
    return "nothing (None)" if value is None else f"an object of type {type(value).__name__}"


def _nothing() -> Iterator[None] | None:
    """Stands for `close` where an iterable has none."""
    return None


async def _nothing_async() -> None:
    """Stands for `aclose` where an async iterable has none."""
