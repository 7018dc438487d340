"""What telemetry was told: the finished generations, field by field.

The usage of the last generation is compared in `usage` where it is what a client reports, and not again here.
Metadata and status messages hold wording and settings of a client; they are counted, not compared. But for
`metadata.reasoning`: where a client hands on text alone, it is the only place that reasoning reaches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_contracts.parity.compare.finding import ABSENT, Finding, Findings, ObservationPair, differing
from llm_contracts.parity.compare.usage import totals, usage_of
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.normalise import Normalisation
from llm_contracts.util.json_values import differences

_ALWAYS = ("name", "model", "input", "ended")
_UNTIL_ERROR = ("output", "level", "metadata.reasoning")
"""Follow from the failure where only one client failed."""

_COUNTED = {"metadata": Normalisation.TELEMETRY_METADATA, "status_message": Normalisation.TELEMETRY_MESSAGE}

_ELSEWHERE = frozenset({"usage", *_COUNTED})
"""Compared by their own rules."""

Generation = Mapping[str, Any]


def compare_telemetry(pair: ObservationPair) -> Findings:
    """The generations in order; a difference in number is one divergence."""
    ours, theirs = pair.reference.generations, pair.candidate.generations
    yield from differing(Kind.TELEMETRY, "generations", len(ours), len(theirs))
    last = min(len(ours), len(theirs)) - 1
    for index, (one, other) in enumerate(zip(ours, theirs, strict=False)):
        place = "generation" if index == 0 else f"generation[{index}]"
        yield from _fields(pair, one, other, place)
        if index != last or any(side.reported_usage for side in pair.sides):
            yield from _usage(pair, one, other, place)


def _fields(pair: ObservationPair, one: Generation, other: Generation, place: str) -> Findings:
    further = (name for name in (*one, *other) if name not in _ELSEWHERE)
    for name in dict.fromkeys((*_ALWAYS, *_UNTIL_ERROR, *further)):
        ours, theirs = _value(one, name), _value(other, name)
        found = next(differences(ours, theirs, f"{place}.{name}", ABSENT), None)
        if found is None:
            continue
        if pair.cut and name in _UNTIL_ERROR:
            yield Finding(kind=Normalisation.AFTER_ERROR)
        else:
            yield Finding(kind=Kind.TELEMETRY, where=found[0], reference=found[1], candidate=found[2])
    for name, note in _COUNTED.items():
        if _wording(one, name) != _wording(other, name):
            yield Finding(kind=note)


def _wording(generation: Generation, name: str) -> Any:
    """What is only counted: the reasoning has been compared."""
    value = generation.get(name)
    return {**value, "reasoning": ABSENT} if isinstance(value, Mapping) else value


def _value(generation: Generation, name: str) -> Any:
    """No level means `DEFAULT`, as in Langfuse."""
    if name == "level":
        return generation.get("level") or "DEFAULT"
    if name == "metadata.reasoning":
        metadata = generation.get("metadata")
        return (metadata.get("reasoning") if isinstance(metadata, Mapping) else None) or ABSENT
    return generation.get(name, ABSENT)


def _usage(pair: ObservationPair, one: Generation, other: Generation, place: str) -> Findings:
    ours, theirs = _flat(one), _flat(other)
    if pair.cut and bool(ours) != bool(theirs):
        yield Finding(kind=Normalisation.AFTER_ERROR)
        return
    for name in dict.fromkeys((*ours, *theirs)):
        values = ours.get(name, ABSENT), theirs.get(name, ABSENT)
        yield from differing(Kind.TELEMETRY, f"{place}.usage.{name}", *values)


def _flat(generation: Generation) -> dict[str, Any]:
    usage = usage_of(generation)
    named = {**totals(usage), **usage.details} if usage else {}
    return {name: value for name, value in named.items() if value is not None}
