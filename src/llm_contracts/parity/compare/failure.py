"""How the calls ended, on both clients and in the bytes."""

from __future__ import annotations

from typing import Any

from llm_contracts.clients.observation import Failure
from llm_contracts.parity.compare.finding import ABSENT, Findings, ObservationPair, UnnamedDivergence
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.normalise import Normalisation, NormalisationCount

_COMPARED = ("category", "status", "code")


def compare_failures(pair: ObservationPair) -> Findings:
    """`error` where only one fails, or what an application can tell from the failure differs.

    The wording of a message is for people and not compared; nor is the provider's own code, which a bare
    client may keep elsewhere. Both are counted.
    """
    ours, theirs = pair.reference.failure, pair.candidate.failure
    if ours is not None and theirs is not None:
        yield from _both(pair, ours, theirs)
    elif ours is not None or theirs is not None:
        yield UnnamedDivergence(
            kind=Kind.ERROR, where="error", reference=_shown(ours), candidate=_shown(theirs)
        )


def _both(pair: ObservationPair, ours: Failure, theirs: Failure) -> Findings:
    for name in _COMPARED:
        one, other = getattr(ours, name), getattr(theirs, name)
        if one != other:
            yield UnnamedDivergence(kind=Kind.ERROR, where=f"error.{name}", reference=one, candidate=other)
    counts = len(pair.reference.deltas), len(pair.candidate.deltas)
    if counts[0] != counts[1]:
        where = "error.position"
        yield UnnamedDivergence(
            kind=Kind.ERROR_POSITION, where=where, reference=counts[0], candidate=counts[1]
        )
    if ours.message != theirs.message:
        yield NormalisationCount(name=Normalisation.ERROR_MESSAGE)
    if ours.provider_code != theirs.provider_code:
        yield NormalisationCount(name=Normalisation.ERROR_PROVIDER_CODE)


def _shown(failure: Failure | None) -> Any:
    if failure is None:
        return ABSENT
    names = (*_COMPARED, "provider_code")
    return {name: value for name in names if (value := getattr(failure, name)) is not None}
