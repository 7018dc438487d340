"""Cells and pairs, made up, for the tests of the matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_contracts.matrix.plan import ReleasePair
from llm_contracts.matrix.table import Cell, CellDifference
from llm_contracts.parity.divergence import Kind

PINNED = ReleasePair(litellm="1.105.0", openai="2.54.0")


def pair(litellm: str, openai: str = "2.54.0") -> ReleasePair:
    return ReleasePair(litellm=litellm, openai=openai)


def difference(kind: Kind = Kind.USAGE, item: str = "acme/plain", **values: Any) -> CellDifference:
    """A difference whose name follows from its values, as that of a divergence does."""
    where, candidate = values.get("where", "usage.total_tokens"), values.get("candidate", 9)
    return CellDifference(
        item=item,
        kind=kind,
        where=where,
        reference=18,
        candidate=candidate,
        fingerprint=f"{item}|{kind}|{where}|{candidate}",
        accepted=values.get("accepted", False),
    )


def cell(of: ReleasePair, *differences: CellDifference, **values: Any) -> Cell:
    same = {"reference": {"path": "left", "deltas": 2}, "candidate": {"path": "right", "deltas": 2}}
    items = dict.fromkeys(("acme/plain", "acme/other", "zenith/plain"), same)
    return Cell(pair=of, items=values.pop("items", items), differences=differences, **values)


def document(*rows: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """What `check --json` gives, as far as the matrix reads it."""
    return {"versions": {"litellm": "?"}, "items": list(rows), "complaints": [], "inputs": {}, **fields}


def row(item: str, *kinds: Kind, **fields: Any) -> dict[str, Any]:
    found = [
        {
            "kind": str(kind),
            "where": "usage",
            "reference": 1,
            "candidate": 2,
            "fingerprint": f"{item}{kind}",
            "waived": fields.get("waived"),
        }
        for kind in kinds
    ]
    outcome = {"reference": {"deltas": fields.get("deltas", 2)}, "candidate": {"deltas": 2}}
    return {
        "id": item,
        "outcome": outcome,
        "divergences": found,
        "noise": fields.get("noise", []),
        "problem": fields.get("problem"),
    }
