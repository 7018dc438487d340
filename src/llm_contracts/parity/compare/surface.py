"""What code that was written for the reference finds on the candidate's objects and errors, and what not."""

from __future__ import annotations

from collections.abc import Mapping

from llm_contracts.clients.surface import MAPPING, OF_KIND
from llm_contracts.parity.compare.finding import ABSENT, Findings, ObservationPair, UnnamedDivergence
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.normalise import Normalisation, NormalisationCount

_GENERATOR = ("close", "__next__", "__iter__")
"""What any generator offers, which is how most applications wrap a stream: for a stream of no class."""


def compare_surface(pair: ObservationPair) -> Findings:
    """`surface` for each name that the reference's objects have and the candidate's lack."""
    ours, theirs = pair.reference.surface, pair.candidate.surface
    for part, names in ours.items():
        there = _there(part, theirs)
        if there is None:
            continue
        if MAPPING in (names, there):
            yield from _mapped(part, names, there)
            continue
        for name in names:
            if name not in there:
                yield UnnamedDivergence(
                    kind=Kind.SURFACE, where=f"{part}.{name}", reference="present", candidate=ABSENT
                )
    for part in theirs.keys() - ours.keys():
        name, _, kind = part.partition(OF_KIND)
        if kind:
            yield UnnamedDivergence(
                kind=Kind.SURFACE, where=name, reference="as JSON has it", candidate=f"an object: {kind}"
            )
    yield from _clauses(pair)


def _mapped(part: str, names: tuple[str, ...], there: tuple[str, ...]) -> Findings:
    """Where one client's part is a mapping. Who hands on mappings hands on nothing else; a mapping inside an
    object is an attribute that is gone.
    """
    if names == there:
        return
    one, other = (
        "a mapping" if each == MAPPING else "an object" if each else "text" for each in (names, there)
    )
    if (part.startswith("chunk") or names == MAPPING) and there:
        yield NormalisationCount(
            name=Normalisation.OBJECT_TYPE, where=f"surface.{part}", reference=one, candidate=other
        )
    else:
        yield UnnamedDivergence(kind=Kind.SURFACE, where=part, reference=one, candidate=other)


def _there(part: str, theirs: Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    """The candidate's names; None where it has no such part."""
    if part == "stream":
        return theirs.get(part, _GENERATOR)
    return theirs.get(part)


def _clauses(pair: ObservationPair) -> Findings:
    """The `except` clauses that no longer catch: the classes that only the reference's error has. An error of
    another class below is counted; none where the reference's has one is a name that is gone.
    """
    ours, theirs = pair.reference.failure, pair.candidate.failure
    if ours is None or theirs is None:
        return
    if ours.below and theirs.classes and not theirs.below:
        yield UnnamedDivergence(
            kind=Kind.SURFACE, where="error.__cause__", reference=ours.below[0], candidate=ABSENT
        )
    elif ours.below[:1] != theirs.below[:1]:
        yield NormalisationCount(
            name=Normalisation.ERROR_CAUSE,
            where="error.__cause__",
            reference=list(ours.below[:1]),
            candidate=list(theirs.below[:1]),
        )
    lost = [name for name in ours.classes if name not in theirs.classes]
    if lost and not theirs.classes:  # of a program in another language
        yield NormalisationCount(
            name=Normalisation.OBJECT_TYPE, where="surface.error", reference="classes", candidate="a name"
        )
    elif lost:
        yield UnnamedDivergence(
            kind=Kind.SURFACE, where="error.except", reference=lost, candidate=list(theirs.classes[:1])
        )
