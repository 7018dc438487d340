"""What a change did to each of two clients.

One that must not matter: every client is held against itself, because whatever differs between the two has
been judged on the recording as it is. One that removed bytes: what neither client noticed is found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from llm_contracts.clients.observation import Observation
from llm_contracts.parity.compare import NO_RULES, Comparison, Rules, compare
from llm_contracts.parity.compare.finding import Finding, unfaithful
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.parity.value_class import UNCHANGED
from llm_contracts.wire.facts import WireFacts

_PLACE = "end"
_FAILS = frozenset({Kind.ERROR, Kind.ERROR_POSITION})
_NOT_REACHED = frozenset({Kind.FINISH_REASON, Kind.USAGE, Kind.USAGE_DETAILS, Kind.USAGE_MISSING, Kind.ORDER})


Sides = tuple[Observation, Observation]
"""What the reference and the candidate did with the same bytes."""


def compare_change(
    recorded: Sides, varied: Sides, facts: tuple[WireFacts, ...], *, scope: str, rules: Rules = NO_RULES
) -> tuple[Divergence, ...]:
    """Find what either client does otherwise than on the recording itself.

    Args:
        recorded: what both did with the recording.
        varied: what both did with the same answer in another shape.
        facts: what the recorded answers say.
        scope: the item's id.
        rules: what the project says about comparing.

    Returns:
        A divergence for each kind and place. Its two values say what either client did: `recorded` and
        `varied`, or `UNCHANGED`.
    """
    one, other = (
        _by_place(compare(before, after, facts, scope=scope, rules=rules))
        for before, after in zip(recorded, varied, strict=True)
    )
    findings = (
        Finding(kind=key[0], where=key[1], reference=_shown(one.get(key)), candidate=_shown(other.get(key)))
        for key in dict.fromkeys((*one, *other))
    )
    return tuple(finding.seal(scope) for finding in findings)


def _by_place(comparison: Comparison) -> Mapping[tuple[Kind, str], Divergence]:
    """Faults that both of a client's runs show alike are not a change. Of a run that fails otherwise, or
    elsewhere, that is the change: its words, and what was not reached, follow from it.
    """
    failed = any(d.kind in _FAILS for d in comparison.divergences)
    return {
        (d.kind, d.where): d
        for d in comparison.divergences
        if d.kind is not Kind.UNFAITHFUL and not (failed and _follows(d.kind, d.where))
    }


def _follows(kind: Kind, where: str) -> bool:
    further = kind in _NOT_REACHED or where.startswith(("error.", "generation.usage"))
    return further and kind not in _FAILS


def _shown(divergence: Divergence | None) -> Any:
    if divergence is None:
        return UNCHANGED
    return {"recorded": divergence.reference, "varied": divergence.candidate}


def shown_as_whole(
    sides: Sides, left: WireFacts, whole: WireFacts, known: tuple[Divergence, ...], *, scope: str
) -> tuple[Divergence, ...]:
    """`unfaithful` where both clients end as if all were well, and something was lost.

    Bytes that end in good order need not show that. A client that fails alone is an `error` already.

    Args:
        sides: what both did.
        left: what remains of the answer.
        whole: what the recording has.
        known: the divergences so far; what the bytes themselves show is not said twice.
        scope: the item's id.
    """
    named = any(d.kind is Kind.UNFAITHFUL and d.where == _PLACE for d in known)
    failed = any(side.failure is not None for side in sides)
    lost = _missing(left, whole)
    if named or failed or not lost:
        return ()
    found = unfaithful(_PLACE, "a normal end", f"over before {lost}")
    return (replace(found, unstable=True).seal(scope),)


def _missing(left: WireFacts, whole: WireFacts) -> str:
    """What an application would miss, or empty."""
    if len(left.whole_text) < len(whole.whole_text) or len(left.reasoning) < len(whole.reasoning):
        return "the last text"
    if len(left.finish_reasons) < len(whole.finish_reasons):
        return "the finish reason"
    if len(left.usages) < len(whole.usages):
        return "the totals"
    if whole.protocol and not left.protocol:
        return "anything"
    return ""
