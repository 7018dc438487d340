"""Answers of which it is known that bytes are missing, because they are in the recording."""

from __future__ import annotations

from llm_contracts.parity.compare.finding import UnnamedDivergence
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.sweep.changed import BothSides
from llm_contracts.wire.facts import WireFacts

_PLACE = "end"


def shown_as_whole(
    sides: BothSides, left: WireFacts, whole: WireFacts, found: tuple[Divergence, ...], *, scope: str
) -> tuple[Divergence, ...]:
    """`unfaithful` where both clients end as if all were well, and something was lost.

    Bytes that end in good order need not show that. A path that fails alone is an `error` already.

    Args:
        sides: what both did.
        left: what remains of the answer.
        whole: what the recording has.
        found: the divergences so far; what the bytes themselves show is not said twice.
        scope: the item's id.
    """
    known = any(d.kind is Kind.UNFAITHFUL and d.where == _PLACE for d in found)
    failed = sides.reference.failure is not None or sides.candidate.failure is not None
    lost = _lost(left, whole)
    if known or failed or not lost:
        return ()
    value = {"shown": "a normal end", "bytes": f"over before {lost}"}
    return (
        UnnamedDivergence(
            kind=Kind.UNFAITHFUL, where=_PLACE, reference=value, candidate=value, unstable=True
        ).seal(scope),
    )


def _lost(left: WireFacts, whole: WireFacts) -> str:
    """What an application would miss, or empty."""
    if len(left.whole_text) < len(whole.whole_text) or len(left.reasoning) < len(whole.reasoning):
        return "the last text"
    if len(left.finish_reasons) < len(whole.finish_reasons):
        return "the finish reason"
    if left.usage_count < whole.usage_count:
        return "the totals"
    return ""
