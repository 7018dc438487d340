"""JSON from outside, where anything may come: what is missing or of another kind reads as nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def read_json(data: bytes | str) -> Any:
    """The value; None for what is not JSON, or is nested too deep to read."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def as_mapping(value: Any) -> Mapping[str, Any]:
    """The value, if it is an object; else an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_text(value: Any) -> str:
    """The value, if it is text; else an empty one. Only so may it be looked up in a set or a mapping."""
    return value if isinstance(value, str) else ""


def as_list(value: Any) -> list[Any]:
    """The value, if it is an array; else an empty one."""
    return value if isinstance(value, list) else []
