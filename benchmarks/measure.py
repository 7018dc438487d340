"""What all benchmarks share: figures, a race between contenders, and servers in processes of their own."""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing.connection import Connection
from statistics import quantiles

import psutil

from llm_contracts.cost.model import in_turn, spread
from llm_contracts.util.child import child

_STARTING = 30.0  # seconds
_MOST_GROWTH = 8.0  # MiB: memory goes up and down


class Size(StrEnum):
    """How much to measure."""

    QUICK = "quick"
    FULL = "full"


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One number to act on.

    Attributes:
        name: what was measured, such as "large cassette, ours / raw YAML".
        median: its middle over all rounds, or over all samples.
        low: its lowest value.
        high: its highest value.
        unit: "x" for a ratio; else "ms", "MiB/s" and so on.
        at_most: what is promised: the median must not be above it. None where nothing is.
    """

    name: str
    median: float
    low: float
    high: float
    unit: str = "x"
    at_most: float | None = None

    @property
    def kept(self) -> bool:
        """Whether the promise, if there is one, is kept."""
        return self.at_most is None or self.median <= self.at_most


def figure(name: str, values: Sequence[float], *, unit: str = "x", at_most: float | None = None) -> Figure:
    """The figure that these values of one quantity give."""
    found = spread(values)
    return Figure(name=name, median=found.median, low=found.low, high=found.high, unit=unit, at_most=at_most)


def faults(name: str, wrong: Sequence[str]) -> Figure:
    """How often something went wrong, which it never may. Each case is named on standard error."""
    sys.stderr.writelines(f"{name}: {each}\n" for each in wrong)
    return figure(name, [len(wrong)], unit="", at_most=0)


def held() -> dict[str, float]:
    """What this process holds on to: file descriptors, threads, and resident memory in MiB."""
    gc.collect()
    process = psutil.Process()
    return {
        "descriptors": process.num_fds(),
        "threads": threading.active_count(),
        "memory": process.memory_info().rss / 2**20,
    }


def left(what: str, before: Mapping[str, float], after: Mapping[str, float]) -> Iterator[Figure]:
    """What is held more than before: nothing may be, but for a little memory."""
    for name, now in after.items():
        unit, at_most = ("MiB", _MOST_GROWTH) if name == "memory" else ("", 0)
        yield figure(f"{what}: {name} left", [now - before[name]], unit=unit, at_most=at_most)


@contextmanager
def serving(serve: Callable[[Connection], None]) -> Iterator[str]:
    """Where a server can be reached, while it runs. `serve` sends its port through the pipe first."""
    with child(serve) as pipe:
        if not pipe.poll(_STARTING):
            raise RuntimeError("the server of the benchmark did not start")
        yield f"http://127.0.0.1:{pipe.recv()}"


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that `percent` of the values do not exceed."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


@dataclass(frozen=True, kw_only=True, slots=True)
class Race:
    """Seconds per call of each contender in each round."""

    seconds: Mapping[str, tuple[float, ...]]

    def ratio(self, name: str, to: str, *, at_most: float | None = None, about: str = "") -> Figure:
        """How many times as long `name` took as `to`, compared within each round."""
        pairs = zip(self.seconds[name], self.seconds[to], strict=True)
        title = f"{about}{', ' if about else ''}{name} / {to}"
        return figure(title, [mine / other for mine, other in pairs], at_most=at_most)

    def rate(self, name: str, amount: float, unit: str, *, about: str = "") -> Figure:
        """How much of something one call of `name` does in a second."""
        title = f"{about}{', ' if about else ''}{name}"
        return figure(title, [amount / seconds for seconds in self.seconds[name]], unit=unit)


def race(
    contenders: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    shortest: float = 0.02,
    clock: Callable[[], float] = time.perf_counter,
) -> Race:
    """Time the contenders in turn, round by round, each round begun by another of them.

    Args:
        contenders: what to call, by the name that figures use. Each is called once beforehand, to warm up.
        rounds: how often each is timed.
        shortest: seconds that one timing lasts at least; what is quicker is called several times in it.
        clock: `time.process_time` measures work that keeps the processor busy apart from what else runs.
    """
    calls = {}
    for name, action in contenders.items():
        action()
        calls[name] = max(1, round(shortest / max(_timed(action, 1, clock), 1e-9)))
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for name in in_turn(contenders, rounds):
        found[name].append(_timed(contenders[name], calls[name], clock))
    return Race(seconds={name: tuple(seconds) for name, seconds in found.items()})


def _timed(action: Callable[[], object], calls: int, clock: Callable[[], float]) -> float:
    gc.collect()
    gc.disable()  # no garbage of one contender is collected in the time of another
    try:
        start = clock()
        for _ in range(calls):
            action()
        return (clock() - start) / calls
    finally:
        gc.enable()
