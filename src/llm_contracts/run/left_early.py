"""What is left behind by a caller who takes the first piece of an answer, closes the stream and goes.

Users press stop, and handlers fail. What then stays open (connections, threads, tasks, files) is invisible in
a stream that is read to its end, and so is a generation that nobody ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from llm_contracts.clients.observation import Observation
from llm_contracts.parity.compare import Comparison
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.parity.looks import Looks

_COUNTS = frozenset({Kind.SIDE_EFFECT, Kind.TELEMETRY, Kind.ERROR})
_PIECES = 2  # an answer of one piece has no middle

Leave = Callable[..., Observation]
"""Plays the recording to a client whose caller leaves early; with `alone`, while nothing else is played."""


def left_early_differences(reference: Leave, candidate: Leave, looks: Looks) -> Iterator[Divergence]:
    """What the candidate leaves behind and the reference does not, if it comes again when it is alone.

    Nothing of what was seen when the stream was read to its end; behind each place stands `(left early)`.
    """
    whole = (looks.references[0], looks.candidates[0])
    if any(side.failure is not None or len(side.chunks) < _PIECES for side in whole):
        return
    theirs = candidate()
    more = len(theirs.requests) > len(whole[1].requests)
    if not (theirs.effects or theirs.failure or theirs.generations or whole[1].generations or more):
        return
    known = {(each.kind, each.where) for each in looks.divergences}
    found = _counting(looks.compare(reference(), theirs))
    again = _counting(looks.compare(reference(alone=True), candidate(alone=True))) if found else {}
    for key, each in found.items():
        if key in again and key not in known:
            yield replace(each, where=f"{each.where} (left early)")


def _counting(found: Comparison) -> dict[tuple[Kind, str], Divergence]:
    return {
        (each.kind, each.where): each
        for each in found.divergences
        if each.kind in _COUNTS or each.where == "requests"
    }
