"""How the calls ended, on both clients and in the bytes."""

from __future__ import annotations

from typing import Any

from llm_contracts.clients.observation import Failure
from llm_contracts.parity.compare.finding import ABSENT, Findings, ObservationPair, Rules, UnnamedDivergence
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.normalise import Normalisation, NormalisationCount


def compare_failures(pair: ObservationPair) -> Findings:
    """`error` where only one fails, or what an application can tell from the failure differs.

    What else they say (message, provider's code, body, headers) is compared in `fields`.
    """
    ours, theirs = pair.reference.failure, pair.candidate.failure
    if ours is not None and theirs is not None:
        yield from _both(pair, ours, theirs)
    elif ours is not None or theirs is not None:
        yield UnnamedDivergence(
            kind=Kind.ERROR, where="error", reference=_shown(ours), candidate=_shown(theirs)
        )


def _both(pair: ObservationPair, ours: Failure, theirs: Failure) -> Findings:
    yield from _category(pair.rules, ours, theirs)
    for name in ("status", "code"):
        one, other = getattr(ours, name), getattr(theirs, name)
        if one != other:
            yield UnnamedDivergence(kind=Kind.ERROR, where=f"error.{name}", reference=one, candidate=other)
    places = {
        "position": (len(pair.reference.deltas), len(pair.candidate.deltas)),
        "raised": (ours.raised, theirs.raised),
    }
    if not any(b"stream" in one.body or "stream" in one.uri.lower() for one in pair.reference.requests):
        if ours.raised != theirs.raised:
            yield NormalisationCount(name=Normalisation.WHOLE_ANSWER, where="error.raised")
        del places["raised"]
    for name, (a, b) in places.items():
        if a != b:
            yield UnnamedDivergence(kind=Kind.ERROR_POSITION, where=f"error.{name}", reference=a, candidate=b)


def _category(rules: Rules, ours: Failure, theirs: Failure) -> Findings:
    """The categories where both name one, else the classes: an error of a subclass is caught as before."""
    named = all(_names_its_category(rules, failure) for failure in (ours, theirs))
    one, other = (failure.category if named else _class(failure) for failure in (ours, theirs))
    if one == other:
        return
    where = "error.category"
    if not named and ours.classes and ours.classes[0] in theirs.classes:
        yield NormalisationCount(
            name=Normalisation.ERROR_SUBCLASS, where=where, reference=one, candidate=other
        )
    else:
        yield UnnamedDivergence(kind=Kind.ERROR, where=where, reference=one, candidate=other)


def _names_its_category(rules: Rules, failure: Failure) -> bool:
    meant = not rules.categories or any(name in failure.classes for name in rules.categories)
    return failure.named and meant


def _class(failure: Failure) -> str:
    """The name of the error's class; the harness's own failures (`hang`) have none."""
    return failure.classes[0].rpartition(".")[2] if failure.classes else failure.category


def _shown(failure: Failure | None) -> Any:
    if failure is None:
        return ABSENT
    names = ("category", "status", "code", "provider_code")
    return {name: value for name in names if (value := getattr(failure, name)) is not None}
