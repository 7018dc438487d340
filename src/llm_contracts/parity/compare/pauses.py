"""How long both clients mean to wait between their attempts.

A pause that the provider asked for (Retry-After) is that long on both, to the millisecond. Any other is a
back-off of which a part is chance: the openai SDK takes up to a quarter off each, so that two of the same
kind are at most 4 to 3. What lies within that is the same; what does not is a difference in `attempts`. A
path that pauses where the other goes on at once always differs.
"""

from __future__ import annotations

from llm_contracts.parity.compare.finding import Findings, ObservationPair, UnnamedDivergence
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.normalise import Normalisation, NormalisationCount

WIDEST = 1.34
"""The most that one back-off may be of another: 1 / 0.75, and a little for rounding."""

_ROUNDING = 0.001  # seconds


def compare_pauses(pair: ObservationPair) -> Findings:
    """The pauses that both have, in order; a difference in their number is one of requests."""
    ours, theirs = pair.reference.pauses or (), pair.candidate.pauses or ()
    by_chance = 0
    for index, (one, other) in enumerate(zip(ours, theirs, strict=False)):
        if not _equal(one, other, _asked_for(pair, index)):
            # The values are partly chance, so they are no part of the difference's name.
            yield UnnamedDivergence(
                kind=Kind.ATTEMPTS, where=f"pauses[{index}]", reference=one, candidate=other, unstable=True
            )
        elif one and not _is(one, _asked_for(pair, index)):
            by_chance += 1
    if by_chance:
        yield NormalisationCount(name=Normalisation.PAUSE_JITTER, count=by_chance)


def _asked_for(pair: ObservationPair, index: int) -> float | None:
    """What the answer before the pause asks for; the last answer of a recording is given again and again."""
    return pair.facts[min(index, len(pair.facts) - 1)].retry_after if pair.facts else None


def _equal(one: float, other: float, asked: float | None) -> bool:
    shorter, longer = sorted((one, other))
    if _is(one, asked) or _is(other, asked) or not shorter:
        return longer - shorter <= _ROUNDING
    return longer / shorter <= WIDEST


def _is(pause: float, asked: float | None) -> bool:
    return asked is not None and abs(pause - asked) <= _ROUNDING
