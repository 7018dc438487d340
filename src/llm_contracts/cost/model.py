"""What calls cost over either client: figures side by side, whether they are within limits, and the field
`cost` of a result's document. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from statistics import median
from typing import Any, Self

from llm_contracts.util.dataclass_json import from_json


class Measure(StrEnum):
    """What of a call is measured. Limits and documents use these names."""

    label: str
    unit: str

    def __new__(cls, name: str, label: str = "", unit: str = "") -> Self:
        """`label` is what people call it, `unit` that of its figures."""
        member = str.__new__(cls, name)
        member._value_, member.label, member.unit = name, label, unit
        return member

    # Processor time that one more chunk of text takes, whatever the thread; the same of a whole call with a
    # short answer; from the call to its first text; the most that Python allocates while a long one is read.
    CPU_PER_CHUNK = "cpu_per_chunk", "CPU per chunk", "µs"
    CPU_PER_CALL = "cpu_per_call", "CPU per call", "ms"
    FIRST_DELTA = "first_delta", "time to first delta", "ms"
    PEAK_MEMORY = "peak_memory", "peak memory", "kB"


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """Several figures of one quantity: their middle, the lowest and the highest."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class SideBySide:
    """One measure of both clients.

    Attributes:
        reference, candidate: the figures of the round whose ratio is the median: what is shown fits together.
        ratio: how many times the reference's figure the candidate's is, round by round.
    """

    reference: float
    candidate: float
    ratio: Spread


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderCost:
    """What calls to one provider cost.

    Attributes:
        provider: its name.
        reference: the name of the client that was measured as reference: a provider may have its own.
        recording: the scenario whose recording was played; None where none can be.
        found: what was measured.
        missing: what could not be → why not, in a sentence.
    """

    provider: str
    reference: str
    recording: str | None = None
    found: Mapping[Measure, SideBySide] = field(default_factory=dict)
    missing: Mapping[Measure, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Excess:
    """A limit that is exceeded, or whose measure is missing: `ratio` is None then."""

    provider: str
    measure: Measure
    at_most: float
    ratio: float | None = None

    def __str__(self) -> str:
        limit = f"at most {self.at_most:g} is asked for"
        if self.ratio is None:
            return f"{self.provider}: {self.measure} could not be measured, and {limit}."
        return f"{self.provider}: {self.measure} is {self.ratio:.2f} times the reference's, and {limit}."


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """The costs of both clients, provider by provider.

    Attributes:
        reference, candidate: the clients' names.
        providers: what was found.
        rounds: how often each was measured.
        short, long: chunks of text in the answers that were played.
        processors: how many the machine has.
        load: its load average when measuring began; None where the system has none.
        at_most: the limits of ratios that were asked for.
    """

    reference: str
    candidate: str
    providers: tuple[ProviderCost, ...]
    rounds: int
    short: int
    long: int
    processors: int
    load: float | None = None
    at_most: Mapping[Measure, float] = field(default_factory=dict)

    @property
    def comparable(self) -> tuple[ProviderCost, ...]:
        """The providers with the reference of all. Where one has its own, such as a few lines written by
        hand, a ratio says little, and limits do not apply.
        """
        return tuple(row for row in self.providers if row.reference == self.reference)

    @property
    def exceeded(self) -> tuple[Excess, ...]:
        """The limits that are exceeded. What could not be measured does not count as cheap."""
        ratios = (
            (row.provider, measure, limit, row.found[measure].ratio.median if measure in row.found else None)
            for row in self.comparable
            for measure, limit in self.at_most.items()
        )
        return tuple(
            Excess(provider=provider, measure=measure, at_most=limit, ratio=ratio)
            for provider, measure, limit, ratio in ratios
            if ratio is None or ratio > limit
        )

    def typical(self, measure: Measure) -> Spread | None:
        """The spread of all comparable providers' ratios; None where none was measured."""
        ratios = [row.found[measure].ratio.median for row in self.comparable if measure in row.found]
        return spread(ratios) if ratios else None


def spread(values: Sequence[float]) -> Spread:
    """The spread of at least one value."""
    return Spread(median=median(values), low=min(values), high=max(values))


def side_by_side(reference: Sequence[float], candidate: Sequence[float]) -> SideBySide | None:
    """Both clients' figures, one a round. The ratio is taken within rounds, so that what the machine does
    meanwhile affects both; of an even number of rounds the lower one in the middle is the median. None where
    a figure of the reference is not positive: noise has swallowed it.
    """
    if min(reference) <= 0:
        return None
    rounds = sorted((mine / theirs, theirs, mine) for theirs, mine in zip(reference, candidate, strict=True))
    ratio, theirs, mine = rounds[(len(rounds) - 1) // 2]
    shown = Spread(median=ratio, low=rounds[0][0], high=rounds[-1][0])
    return SideBySide(reference=theirs, candidate=mine, ratio=shown)


def in_turn(names: Iterable[str], rounds: int) -> Iterator[str]:
    """All of them, so many times, each round begun by the next of them."""
    order = list(names)
    for _ in range(rounds):
        yield from order
        order.append(order.pop(0))


def cost_document(cost: Cost) -> dict[str, Any]:
    """Everything that was measured, as plain JSON values."""
    return {
        "reference": cost.reference,
        "candidate": cost.candidate,
        "rounds": cost.rounds,
        "chunks": {"short": cost.short, "long": cost.long},
        "machine": {"processors": cost.processors, "load": cost.load},
        "providers": {
            row.provider: {
                "reference": row.reference,
                "recording": row.recording,
                "measures": {
                    str(measure): {"unit": measure.unit, **_rounded(asdict(pair))}
                    for measure, pair in row.found.items()
                },
                "not_measured": {str(measure): reason for measure, reason in row.missing.items()},
            }
            for row in cost.providers
        },
        "at_most": {str(measure): limit for measure, limit in cost.at_most.items()},
        "exceeded": [{**asdict(excess), "measure": str(excess.measure)} for excess in cost.exceeded],
    }


def cost_from(value: Mapping[str, Any]) -> Cost:
    """The costs again.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: the value does not come from `cost_document`.
    """
    rows = [
        {
            "provider": name,
            "reference": row["reference"],
            "recording": row["recording"],
            "found": {
                measure: {key: pair[key] for key in ("reference", "candidate", "ratio")}
                for measure, pair in row["measures"].items()
            },
            "missing": row["not_measured"],
        }
        for name, row in value["providers"].items()
    ]
    plain = {name: value[name] for name in ("reference", "candidate", "rounds", "at_most")}
    return from_json(Cost, {**plain, **value["chunks"], **value["machine"], "providers": rows})


def _rounded(value: Any) -> Any:
    """Four significant digits: more would only show the noise."""
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return float(f"{value:.4g}")
