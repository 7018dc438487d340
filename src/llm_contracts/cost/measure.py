"""What calls take, measured: nothing of the comparison runs beside them, and clients are called in turn, so
that whatever else the machine does affects all of them.
"""

from __future__ import annotations

import asyncio
import gc
import time
import tracemalloc
from collections.abc import AsyncIterable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import fmean, median
from threading import Thread
from typing import Any, Protocol

from llm_contracts.clients.call import Call, Client
from llm_contracts.clients.chunks import NotAChunkError, to_chunk
from llm_contracts.clients.failures import describe
from llm_contracts.clients.imports import join
from llm_contracts.cost.model import Measure, ProviderCost, in_turn, side_by_side

_STEP = 0.005  # seconds between two looks at whether a process is idle
_LOOKS = 200
_IDLE = 0.1  # of the time between two looks; who uses less of a processor is idle
_ENOUGH = 0.1  # seconds of processor time a round; what is over sooner drowns in noise
_MOST_CALLS = 16  # a round
_MEMORY_ROUNDS = 2  # memory hardly varies
_NOISE = "what the reference takes is less than the noise of this machine"


class CannotMeasureError(Exception):
    """A call did not do what it must for its cost to mean anything. The message says what it did."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallCost:
    """What one call took: seconds of processor time in all threads, seconds to its first text."""

    cpu: float
    first: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Driver:
    """Makes calls and measures them.

    Attributes:
        timeout: seconds for one call.
        cpu, wall, sleep: the clocks of the process and of the wall, and how to let time pass.
    """

    timeout: float = 60.0
    cpu: Callable[[], float] = time.process_time
    wall: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = time.sleep

    def text(self, client: Client, call: Call) -> int:
        """The characters of text that a call hands on.

        Raises:
            CannotMeasureError: it fails, hangs, or yields something that is not a chunk.
        """
        counted: list[int] = []
        self._run(client, call, lambda item: counted.append(len(to_chunk(item).text)))
        return sum(counted)

    def cost(self, client: Client, call: Call) -> CallCost:
        """What a call takes. Work that goes on in other threads after its end is waited for and counted.

        Raises:
            CannotMeasureError: as `text` does; or no text comes.
        """
        first: float | None = None

        def hear(item: Any) -> None:
            nonlocal first
            if first is None and to_chunk(item).text:
                first = self.wall()

        gc.collect()
        begun, cpu = self.wall(), self.cpu()
        self._run(client, call, hear)
        used = self.cpu()
        for _ in range(_LOOKS):  # until no thread works any more
            self.sleep(_STEP)
            before, used = used, self.cpu()
            if used - before < _STEP * _IDLE:
                used = before
                break
        cpu = used - cpu
        if first is None:
            raise CannotMeasureError("it hands on no text")
        return CallCost(cpu=cpu, first=first - begun)

    def peak(self, client: Client, call: Call) -> float:
        """The most bytes that Python has allocated during a call, beyond what was there before. Raises as
        `text` does.
        """
        gc.collect()
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            self._run(client, call, lambda _item: None)
            return tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()

    def _run(self, client: Client, call: Call, hear: Callable[[Any], None]) -> None:
        failures: list[BaseException] = []

        async def read(items: AsyncIterable[Any]) -> None:
            async for item in items:
                hear(item)

        def run() -> None:
            try:
                items = client(call)
                if isinstance(items, AsyncIterable):
                    asyncio.run(read(items))
                    return
                for item in items:
                    hear(item)
            except BaseException as error:  # noqa: BLE001 - SystemExit of a client is not a reason to end here
                failures.append(error)

        thread = Thread(target=run, daemon=True, name="measured client")
        thread.start()
        join(thread, self.timeout)
        if thread.is_alive():
            raise CannotMeasureError(f"no end within {self.timeout:g} s")
        for error in failures:
            if isinstance(error, NotAChunkError):
                raise CannotMeasureError(f"it yields {error}") from error
            failure = describe(error, call.api_key)
            raise CannotMeasureError(f"it fails: {failure.category}, {failure.message}") from error


@contextmanager
def garbage_frozen() -> Iterator[None]:
    """What is in memory by now takes no part in collecting garbage: that would take most of the time."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


class Meter(Protocol):
    """What measures one call. See `Driver`, whose methods these are."""

    def text(self, client: Client, call: Call, /) -> int: ...
    def cost(self, client: Client, call: Call, /) -> CallCost: ...
    def peak(self, client: Client, call: Call, /) -> float: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedCall:
    """A call, by how many chunks it will be answered, and with how many characters of text."""

    call: Call
    chunks: int
    text: int


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasuringPlan:
    """What is run to measure clients: a short answer, and a long one that is the same but for its length.
    Without a long one the cost of a chunk is unknown, and `why` says why.
    """

    clients: Mapping[str, Client]
    short: PlannedCall
    long: PlannedCall | None
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """What one client took in one round, per call.

    Attributes:
        short, long: seconds of processor time; of the long call None where there is none.
        first: seconds from the call to its first text, in the short call.
    """

    short: float
    first: float
    long: float | None


def measured(row: ProviderCost, plan: MeasuringPlan, meter: Meter, *, rounds: int) -> ProviderCost:
    """A provider's row with what the clients `reference` and `candidate` take; memory is measured by itself,
    because counting it takes time.

    Everything is run once beforehand, to warm up and to see that the text arrives: a client that fails early
    must not look cheap.
    """
    try:
        _try_all(plan, meter)
        with garbage_frozen():  # only now are the clients imported
            times = timed(plan, meter, rounds=rounds)
            peaks: dict[str, list[float]] = {name: [] for name in plan.clients}
            for name in in_turn(plan.clients, min(rounds, _MEMORY_ROUNDS)):
                with _naming_client(name):
                    peak = meter.peak(plan.clients[name], (plan.long or plan.short).call)
                peaks[name].append(peak / 1e3)
    except CannotMeasureError as error:
        return replace(row, missing=dict.fromkeys(Measure, str(error)))
    figures = {
        Measure.CPU_PER_CALL: {name: [each.short * 1e3 for each in rows] for name, rows in times.items()},
        Measure.FIRST_DELTA: {name: [each.first * 1e3 for each in rows] for name, rows in times.items()},
        Measure.PEAK_MEMORY: peaks,
    }
    if plan.long is not None:
        more = plan.long.chunks - plan.short.chunks
        figures[Measure.CPU_PER_CHUNK] = {
            name: [(each.long - each.short) / more * 1e6 for each in rows if each.long is not None]
            for name, rows in times.items()
        }
    pairs = {measure: side_by_side(each["reference"], each["candidate"]) for measure, each in figures.items()}
    missing = {measure: _NOISE for measure, pair in pairs.items() if pair is None}
    if plan.long is None:
        missing[Measure.CPU_PER_CHUNK] = plan.why
    return replace(row, found={m: pair for m, pair in pairs.items() if pair is not None}, missing=missing)


def timed(plan: MeasuringPlan, meter: Meter, *, rounds: int) -> Mapping[str, list[Round]]:
    """What each client takes, round by round. What is cheap is called several times a round.

    Raises:
        CannotMeasureError: a call did not do what it must.
    """
    found: dict[str, list[Round]] = {name: [] for name in plan.clients}
    planned = [each.call for each in (plan.short, plan.long) if each is not None]
    counts: dict[str, list[int]] = {}
    for name, client in plan.clients.items():
        with _naming_client(name):
            taken = (max(meter.cost(client, call).cpu, _ENOUGH / _MOST_CALLS) for call in planned)
            counts[name] = [max(1, round(_ENOUGH / cpu)) for cpu in taken]
    for name in in_turn(plan.clients, rounds):
        with _naming_client(name):
            short, *long = (
                [meter.cost(plan.clients[name], call) for _ in range(count)]
                for call, count in zip(planned, counts[name], strict=True)
            )
        found[name].append(
            Round(
                short=fmean(each.cpu for each in short),
                first=median(each.first for each in short),
                long=fmean(each.cpu for each in long[0]) if long else None,
            )
        )
    return found


def _try_all(plan: MeasuringPlan, meter: Meter) -> None:
    for planned in filter(None, (plan.short, plan.long)):
        for name, client in plan.clients.items():
            with _naming_client(name):
                arrived = meter.text(client, planned.call)
                if arrived != planned.text:
                    raise CannotMeasureError(f"it hands on {arrived:,} of {planned.text:,} characters")


@contextmanager
def _naming_client(name: str) -> Iterator[None]:
    """Says of which client a failure is."""
    try:
        yield
    except CannotMeasureError as error:
        raise CannotMeasureError(f"the {name} cannot be measured: {error}") from error
