"""What kind of value stands on either side of a difference, so that equal changes are one decision."""

from __future__ import annotations

from typing import Any

from llm_contracts.parity.compare import ABSENT
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.util.json_values import is_number

_LABELS = frozenset({Kind.ERROR, Kind.FINISH_REASON, Kind.REQUEST_TARGET, Kind.UNFAITHFUL})
"""Kinds whose values are names from a short list, not content: each name is a class of its own."""

_LONGEST_LABEL = 60

UNCHANGED = "unchanged"
"""Stands for what a client did where a variant of a recording has changed only what the other one did."""


def change_of(divergence: Divergence) -> tuple[str, str]:
    """The class of the old value and that of the new one: `number` and `absent`, say.

    Where both are numbers the new one is called by what became of it: twice as many requests and none at all
    are not the same decision.
    """
    # Of a variant in a sweep, what became of it.
    old, new = (
        value["varied"] if isinstance(value, dict) and "varied" in value else value
        for value in (divergence.reference, divergence.candidate)
    )
    if is_number(old) and is_number(new) and divergence.kind not in _LABELS:
        return "number", "more" if new > old else "fewer"
    return _class_of(old, divergence.kind), _class_of(new, divergence.kind)


def _class_of(value: Any, kind: Kind) -> str:
    if value in (ABSENT, UNCHANGED):
        return "absent" if value == ABSENT else UNCHANGED
    if kind in _LABELS:
        label = _label(value)
        if label and len(label) <= _LONGEST_LABEL:
            return label
    return _type_of(value)


def _label(value: Any) -> str:
    """The name in a value of a kind that has names; empty where it holds anything else."""
    if isinstance(value, dict):
        return _label(value.get("category") or value.get("shown") or "")
    if isinstance(value, list):
        return ", ".join(map(_label, value)) if all(map(_label, value)) else ""
    return str(value) if isinstance(value, str) or is_number(value) else ""


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_number(value):
        return "number"
    name = "text" if isinstance(value, str) else "list" if isinstance(value, list) else "object"
    return name if value else f"empty {name}"
