"""What a change that must not matter did to each of two clients: every path is held against itself.

Whatever the two clients think of each other has been judged on the recording as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llm_contracts.clients.observation import Observation
from llm_contracts.parity.compare import Comparison, compare
from llm_contracts.parity.compare.finding import UnnamedDivergence
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.wire.facts import WireFacts

UNCHANGED = "unchanged"
"""Stands for what a path did where only the other one's doing has changed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BothSides:
    """What the two clients did with the same bytes."""

    reference: Observation
    candidate: Observation


def compare_change(
    recorded: BothSides, varied: BothSides, facts: tuple[WireFacts, ...], *, scope: str
) -> Comparison:
    """Find what either client does otherwise than on the recording itself.

    Args:
        recorded: what both did with the recording.
        varied: what both did with the same answer in another shape.
        facts: what the recorded answers say.
        scope: the item's id.

    Returns:
        A divergence for each kind and place. Its two values say what either client did: `recorded` and
        `varied`, or `UNCHANGED`.
    """
    ours = compare(recorded.reference, varied.reference, facts, scope=scope)
    theirs = compare(recorded.candidate, varied.candidate, facts, scope=scope)
    one, other = _by_place(ours), _by_place(theirs)
    findings = (
        UnnamedDivergence(
            kind=kind,
            where=where,
            reference=_shown(one.get((kind, where))),
            candidate=_shown(other.get((kind, where))),
        )
        for kind, where in dict.fromkeys((*one, *other))
    )
    return Comparison(divergences=tuple(finding.seal(scope) for finding in findings))


def _by_place(comparison: Comparison) -> Mapping[tuple[Kind, str], Divergence]:
    """Faults that both of a path's runs show alike are no change."""
    return {(d.kind, d.where): d for d in comparison.divergences if d.kind is not Kind.UNFAITHFUL}


def _shown(divergence: Divergence | None) -> Any:
    if divergence is None:
        return UNCHANGED
    return {"recorded": divergence.reference, "varied": divergence.candidate}
