"""Rounds: reference and candidate in turn, so that whatever else the machine does weighs on both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import fmean, median
from typing import Protocol

from llm_contracts.clients.call import Call, Client
from llm_contracts.cost.drive import CannotMeasureError, Taken, what_is_there_set_aside
from llm_contracts.cost.model import Measure, SideBySide, side_by_side

_ENOUGH = 0.1  # seconds of processor time a round; what is over sooner cannot be told from noise
_MOST_CALLS = 16  # a round
_MEMORY_ROUNDS = 2  # memory hardly varies

_NOISE = "what the reference takes is less than the noise of this machine"


class Meter(Protocol):
    """What measures one call. See `drive.Driver`, whose methods these are."""

    def text(self, path: Client, call: Call, /) -> int: ...
    def taken(self, path: Client, call: Call, /) -> Taken: ...
    def peak(self, path: Client, call: Call, /) -> float: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedCall:
    """A call that will be answered, by how many chunks, and with how many characters of text."""

    call: Call
    chunks: int
    text: int


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasuringPlan:
    """What is run to measure two clients: a short answer, and a long one that is the same but for its length.
    Without a long one there is no telling what a chunk takes, and `why` says why there is none.
    """

    reference: Client
    candidate: Client
    short: PlannedCall
    long: PlannedCall | None
    why: str = ""

    @property
    def sides(self) -> Mapping[str, Client]:
        """Both clients by their roles."""
        return {"reference": self.reference, "candidate": self.candidate}


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What was measured, and what was not → why not."""

    found: Mapping[Measure, SideBySide]
    missing: Mapping[Measure, str]


def measured(course: MeasuringPlan, meter: Meter, *, rounds: int) -> Measured:
    """Measure both clients; memory apart from time, because counting it takes time.

    Everything is run once beforehand, to warm up and to see that the text arrives: a path that fails early
    must not look cheap.
    """
    try:
        _tried(course, meter)
        with what_is_there_set_aside():  # only now are the clients imported
            times = _times(course, meter, rounds)
            figures = {**times, **_peaks(course, meter, min(rounds, _MEMORY_ROUNDS))}
    except CannotMeasureError as error:
        return Measured(found={}, missing=dict.fromkeys(Measure, str(error)))
    pairs = {measure: side_by_side(each["reference"], each["candidate"]) for measure, each in figures.items()}
    missing = {measure: _NOISE for measure, pair in pairs.items() if pair is None}
    if course.long is None:
        missing[Measure.CPU_PER_CHUNK] = course.why
    return Measured(found={m: pair for m, pair in pairs.items() if pair is not None}, missing=missing)


def _tried(course: MeasuringPlan, meter: Meter) -> None:
    for answer in (course.short, course.long):
        for role, path in course.sides.items():
            if answer is not None:
                with _named(role):
                    _arrives(meter.text(path, answer.call), answer.text)


def _arrives(handed_on: int, sent: int) -> None:
    if handed_on != sent:
        raise CannotMeasureError(f"it hands on {handed_on:,} of {sent:,} characters")


@contextmanager
def _named(role: str) -> Iterator[None]:
    """Says of which path a failure is."""
    try:
        yield
    except CannotMeasureError as error:
        raise CannotMeasureError(f"the {role} cannot be measured: {error}") from error


_Figures = dict[Measure, dict[str, list[float]]]


def _times(course: MeasuringPlan, meter: Meter, rounds: int) -> _Figures:
    figures: _Figures = {}
    calls = {role: _calls(course, path, meter) for role, path in course.sides.items()}
    for role, path in _in_turn(course.sides, rounds):
        with _named(role):
            for measure, value in _round(course, path, meter, calls[role]):
                figures.setdefault(measure, {}).setdefault(role, []).append(value)
    return figures


def _calls(course: MeasuringPlan, path: Client, meter: Meter) -> tuple[int, int]:
    """How many short and long calls make a round."""
    answers = (course.short, course.long or course.short)
    taken = (max(meter.taken(path, answer.call).cpu, _ENOUGH / _MOST_CALLS) for answer in answers)
    short, long = (max(1, round(_ENOUGH / cpu)) for cpu in taken)
    return short, long


def _round(
    course: MeasuringPlan, path: Client, meter: Meter, calls: tuple[int, int]
) -> Iterator[tuple[Measure, float]]:
    short = [meter.taken(path, course.short.call) for _ in range(calls[0])]
    per_call = fmean(each.cpu for each in short)
    yield Measure.CPU_PER_CALL, per_call * 1e3
    yield Measure.FIRST_DELTA, median(each.first for each in short) * 1e3
    if course.long is not None:
        long = fmean(meter.taken(path, course.long.call).cpu for _ in range(calls[1]))
        yield Measure.CPU_PER_CHUNK, (long - per_call) / (course.long.chunks - course.short.chunks) * 1e6


def _peaks(course: MeasuringPlan, meter: Meter, rounds: int) -> _Figures:
    answer = course.long or course.short
    figures: dict[str, list[float]] = {}
    for role, path in _in_turn(course.sides, rounds):
        with _named(role):
            figures.setdefault(role, []).append(meter.peak(path, answer.call) / 1e3)
    return {Measure.PEAK_MEMORY: figures}


def _in_turn(sides: Mapping[str, Client], rounds: int) -> Iterable[tuple[str, Client]]:
    """Both, so many times, each round begun by the other of them."""
    order = list(sides.items())
    for _ in range(rounds):
        yield from order
        order.reverse()
