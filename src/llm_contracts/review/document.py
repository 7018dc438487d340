"""The queue as JSON, for scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llm_contracts.parity.decision_groups import DecisionGroup, Member
from llm_contracts.parity.waiver import Waiver
from llm_contracts.review.decisions import Decision

FORMAT = 1
_OF_DIVERGENCE = ("where", "reference", "candidate", "fingerprint")


def queue_document(
    run: str,
    groups: Sequence[DecisionGroup],
    members: Sequence[Member],
    accepted: Mapping[str, Waiver],
    noted: Mapping[str, Decision],
) -> dict[str, Any]:
    """Groups with their members and what was decided about them; the totals are of the whole run."""
    return {
        "format": FORMAT,
        "run": run,
        "totals": {
            "differences": len(members),
            "accepted": sum(member.fingerprint in accepted for member in members),
            "marked": sum(member.fingerprint in noted for member in members),
            "left": sum(m.fingerprint not in accepted and m.fingerprint not in noted for m in members),
        },
        "groups": [_group(group, noted) for group in groups],
    }


def _group(group: DecisionGroup, noted: Mapping[str, Decision]) -> dict[str, Any]:
    return {
        "id": group.id,
        "severity": str(group.severity),
        "kind": str(group.kind),
        "where": group.where,
        "was": group.was,
        "now": group.now,
        "count": len(group.members),
        "providers": group.providers,
        "members": [
            {
                "item": member.item,
                **{name: getattr(member.divergence, name) for name in _OF_DIVERGENCE},
                "noisy": member.noisy,
                "decision": str(decision.choice) if decision else None,
                "note": decision.note if decision else "",
            }
            for member in group.members
            for decision in [noted.get(member.fingerprint)]
        ],
    }
