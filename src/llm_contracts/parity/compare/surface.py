"""What code that was written for the reference finds on the candidate's objects and errors, and what not."""

from __future__ import annotations

from typing import Any

from llm_contracts.clients.surface import MAPPING, OF_KIND
from llm_contracts.parity.compare.finding import ABSENT, Finding, Findings, ObservationPair, differing
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.normalise import Normalisation

_GENERATOR = ("close", "__next__", "__iter__")
"""What any generator offers, which is how most applications wrap a stream: for a stream of no class."""


def compare_surface(pair: ObservationPair) -> Findings:
    """`surface` for each name that the reference's objects have and the candidate's lack."""
    ours, theirs = pair.reference.surface, pair.candidate.surface
    for part, names in ours.items():
        there = theirs.get(part, _GENERATOR if part == "stream" else None)
        if there is None:
            continue
        if MAPPING in (names, there):
            yield from _mapped(part, names, there)
            continue
        for name in names:
            if name not in there:
                yield _gone(f"{part}.{name}", "present")
    for part in theirs.keys() - ours.keys():
        name, _, kind = part.partition(OF_KIND)
        if kind:
            yield _gone(name, "as JSON has it", f"an object: {kind}")
    yield from _clauses(pair)


def _gone(where: str, was: Any, now: Any = ABSENT) -> Finding:
    return Finding(kind=Kind.SURFACE, where=where, reference=was, candidate=now)


def _mapped(part: str, names: tuple[str, ...], there: tuple[str, ...]) -> Findings:
    """Where one client's part is a mapping. Who hands on mappings hands on nothing else; a mapping inside an
    object is an attribute that is gone.
    """
    if names == there:
        return
    one, other = (
        "a mapping" if each == MAPPING else "an object" if each else "text" for each in (names, there)
    )
    hidden = (part.startswith("chunk") or names == MAPPING) and there
    yield _counted_type(part, one, other) if hidden else _gone(part, one, other)


def _counted_type(part: str, one: str, other: str) -> Finding:
    return Finding(kind=Normalisation.OBJECT_TYPE, where=f"surface.{part}", reference=one, candidate=other)


def _clauses(pair: ObservationPair) -> Findings:
    """The `except` clauses that no longer catch: the classes that only the reference's error has. An error of
    another class below is counted; none where the reference's has one is a name that is gone.
    """
    ours, theirs = pair.reference.failure, pair.candidate.failure
    if ours is None or theirs is None:
        return
    where, below = "error.__cause__", [list(failure.below[:1]) for failure in (ours, theirs)]
    if ours.below and theirs.classes and not theirs.below:
        yield _gone(where, ours.below[0])
    else:
        yield from differing(Normalisation.ERROR_CAUSE, where, *below)
    lost = [name for name in ours.classes if name not in theirs.classes]
    if lost and not theirs.classes:  # of a program in another language
        yield _counted_type("error", "classes", "a name")
    elif lost:
        yield _gone("error.except", lost, list(theirs.classes[:1]))
