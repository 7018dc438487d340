"""How the calls ended, on both clients and in the bytes."""

from __future__ import annotations

from typing import Any

from llm_contracts.clients.observation import Failure
from llm_contracts.parity.compare.finding import ABSENT, Finding, Findings, ObservationPair, Rules, differing
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.normalise import Normalisation


def compare_failures(pair: ObservationPair) -> Findings:
    """`error` where only one fails, or what an application can tell from the failure differs.

    What else they say (message, provider's code, body, headers) is compared in `fields`.
    """
    ours, theirs = pair.reference.failure, pair.candidate.failure
    if ours is not None and theirs is not None:
        yield from _both(pair, ours, theirs)
    elif pair.one_failed:
        yield Finding(kind=Kind.ERROR, where="error", reference=_shown(ours), candidate=_shown(theirs))


def _both(pair: ObservationPair, ours: Failure, theirs: Failure) -> Findings:
    yield from _category(pair.rules, ours, theirs)
    yield from differing(Kind.ERROR, "error.status", ours.status, theirs.status)
    yield from differing(Kind.ERROR, "error.code", ours.code, theirs.code)
    reached = (len(side.deltas) for side in pair.sides)
    yield from differing(Kind.ERROR_POSITION, "error.position", *reached)
    if any(b"stream" in one.body or "stream" in one.uri.lower() for one in pair.reference.requests):
        yield from differing(Kind.ERROR_POSITION, "error.raised", ours.raised, theirs.raised)
    elif ours.raised != theirs.raised:
        yield Finding(kind=Normalisation.WHOLE_ANSWER, where="error.raised")


def _category(rules: Rules, ours: Failure, theirs: Failure) -> Findings:
    """The categories where both name one, else the classes: an error of a subclass is caught as before."""
    named = all(_names_its_category(rules, failure) for failure in (ours, theirs))
    one, other = (failure.category if named else _class(failure) for failure in (ours, theirs))
    subclass = not named and ours.classes and ours.classes[0] in theirs.classes
    yield from differing(
        Normalisation.ERROR_SUBCLASS if subclass else Kind.ERROR, "error.category", one, other
    )


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
