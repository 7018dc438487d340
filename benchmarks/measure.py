"""What all benchmarks share: a figure, and a race between contenders."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from statistics import median, quantiles


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
    return Figure(
        name=name, median=median(values), low=min(values), high=max(values), unit=unit, at_most=at_most
    )


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
    calls = {name: _calls(action, shortest, clock) for name, action in contenders.items()}
    found: dict[str, list[float]] = {name: [] for name in contenders}
    order = list(contenders)
    for _ in range(rounds):
        for name in order:
            found[name].append(_timed(contenders[name], calls[name], clock))
        order.append(order.pop(0))
    return Race(seconds={name: tuple(seconds) for name, seconds in found.items()})


def _calls(action: Callable[[], object], shortest: float, clock: Callable[[], float]) -> int:
    """How many calls fill a timing. The first call of all only warms up."""
    action()
    return max(1, round(shortest / max(_timed(action, 1, clock), 1e-9)))


def _timed(action: Callable[[], object], calls: int, clock: Callable[[], float]) -> float:
    with _uncollected():
        start = clock()
        for _ in range(calls):
            action()
        return (clock() - start) / calls


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage of one contender is collected in the time of another."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
