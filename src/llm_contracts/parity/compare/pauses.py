"""How long both clients mean to wait between their attempts.

A pause that the provider asked for (Retry-After) is that long on both, to the millisecond. Any other is a
back-off of which a part is chance: the openai SDK takes up to a quarter off each, so that two of the same
kind are at most 4 to 3. What lies within that is the same; what does not is a difference in `attempts`. A
client that pauses where the other goes on at once always differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from llm_contracts.clients.observation import Observation
from llm_contracts.parity.compare.finding import Finding, Findings, ObservationPair
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.normalise import Normalisation

WIDEST = 1.34
"""The most that one back-off may be of another: 1 / 0.75, and a little for rounding."""

_ROUNDING = 0.001  # seconds
_SLACK, _SHARE = 0.3, 0.15  # seconds, and a share: of what the clock of a busy machine says


def compare_pauses(pair: ObservationPair) -> Findings:
    """The pauses that both have, in order; a difference in their number is one of requests."""
    ours, theirs = pair.reference.pauses or (), pair.candidate.pauses or ()
    by_chance = 0
    for index, (one, other) in enumerate(zip(ours, theirs, strict=False)):
        place = f"pauses[{index}]"
        measured = any(place in side.waits for side in pair.sides)  # from the clock, where one really waited
        if measured and abs(one - other) <= _SLACK + max(one, other) * _SHARE:
            continue
        if not _equal(one, other, _asked_for(pair, index)):
            # The values are partly chance, so they are not part of the difference's name.
            yield Finding(kind=Kind.ATTEMPTS, where=place, reference=one, candidate=other, unstable=True)
        elif one and not _is(one, _asked_for(pair, index)):
            by_chance += 1
    if by_chance:
        yield Finding(kind=Normalisation.PAUSE_JITTER, count=by_chance)


def compare_waits(pair: ObservationPair) -> Findings:
    """Waiting before the first request and in the stream, where the candidate's is longer."""
    ours, theirs = (_waits(side.waits) for side in pair.sides)
    for place, seconds in theirs.items():
        before = ours.get(place, 0.0)
        if seconds - before > _SLACK + before * _SHARE:
            yield Finding(
                kind=Kind.ATTEMPTS if place == "before" else Kind.DELIVERY_LAG,
                where=f"pauses.{place}",
                reference=before,
                candidate=seconds,
                unstable=True,
            )


def quietest(runs: Sequence[Observation]) -> Observation:
    """The first of several runs of one client, with the least of what was measured at each place of waiting;
    a place where one run did not wait is none.
    """
    first = runs[0]
    waits = {
        place: min(run.waits[place] for run in runs)
        for place in first.waits
        if all(place in run.waits for run in runs)
    }
    pauses = first.pauses and tuple(
        min(run.pauses[index] for run in runs if run.pauses and index < len(run.pauses))
        if f"pauses[{index}]" in first.waits
        else pause
        for index, pause in enumerate(first.pauses)
    )
    return replace(first, waits=waits, pauses=pauses)


def _waits(waits: Mapping[str, float]) -> dict[str, float]:
    inside = sum(seconds for place, seconds in waits.items() if place.startswith("stream"))
    return {"before": waits.get("before", 0.0), "stream": round(inside, 3)}


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
