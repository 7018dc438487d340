"""JSON from outside, where anything may come: what is missing or of another kind reads as nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import zip_longest
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


def is_number(value: Any) -> bool:
    """Whether it is a number, as JSON has them: a boolean is not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def differences(one: Any, other: Any, place: str, absent: Any) -> Iterator[tuple[str, Any, Any]]:
    """Where two values differ, each place (`body.messages[0].role`) once, and both values there; `absent`
    stands for what is not there, which is not null. 1 and 1.0 are one number, and True is none.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        for name in dict.fromkeys((*one, *other)):
            parts = one.get(name, absent), other.get(name, absent)
            yield from differences(*parts, f"{place}.{name}", absent)
    elif isinstance(one, list) and isinstance(other, list):
        for index, parts in enumerate(zip_longest(one, other, fillvalue=absent)):
            yield from differences(*parts, f"{place}[{index}]", absent)
    elif one != other or isinstance(one, bool) != isinstance(other, bool):
        yield place, one, other
