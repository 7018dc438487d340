"""What a call does beside answering. Only what the candidate alone does is a difference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llm_contracts.parity.compare.finding import ABSENT, VOLATILE, Finding, Findings, ObservationPair
from llm_contracts.parity.divergence import Kind


def compare_effects(pair: ObservationPair) -> Findings:
    """`side_effect` for each place: `call.messages`, `stdout`, `log`, `threads`, `environ.NAME`."""
    ours, theirs = pair.reference.effects, pair.candidate.effects
    for place, done in theirs.items():
        before = ours.get(place, ABSENT)
        for value in _added(before, done):
            yield Finding(
                kind=Kind.SIDE_EFFECT,
                where=place,
                reference=before,
                candidate=value,
                unstable=isinstance(done, str),
            )


def _added(before: Any, done: Any) -> Iterator[Any]:
    if isinstance(done, int) and not isinstance(done, bool):
        if done > (before if isinstance(before, int) else 0):
            yield done
    elif isinstance(done, list) and all(isinstance(each, str) for each in done):
        more = [each for each in done if not isinstance(before, list) or each not in before]
        if more:
            yield more
    elif VOLATILE.sub("~", str(before)) != VOLATILE.sub("~", str(done)):
        yield done
