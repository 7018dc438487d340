"""Turn what a client hands over into plain JSON values, so that it can be compared, stored and shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

_DEEPEST = 40  # a client may hand over something that contains itself


def read(item: Any, name: str) -> Any:
    """One field of a mapping or an object; None where there is none, or where reading it raises.

    LiteLLM leaves out `usage` on ordinary chunks, and a property of anybody's object may raise.
    """
    if isinstance(item, Mapping):
        return item.get(name)
    try:
        return getattr(item, name, None)
    except Exception:  # noqa: BLE001 - somebody else's property
        return None


def fields(item: Any) -> Mapping[str, Any]:
    """Every public field of a mapping or object, vendor's additions included.

    Iterating a pydantic model yields declared and additional fields without serialising them, which
    `model_dump` would do with warnings where a vendor's value does not fit the declared type.
    """
    if isinstance(item, Mapping):
        return {str(key): value for key, value in item.items()}
    if hasattr(item, "model_dump") and hasattr(item, "__iter__"):
        return dict(item)
    return dict(_attributes(item))


def jsonable(value: Any, depth: int = 0) -> Any:
    """The value as JSON would hold it.

    What JSON cannot hold becomes the name of its type in angle brackets: its `repr` may contain an address,
    which would differ from run to run.
    """
    if isinstance(value, Enum):
        return jsonable(value.value, depth)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if depth >= _DEEPEST:
        return f"<{type(value).__name__}>"
    if isinstance(value, (list, tuple)):
        return [jsonable(part, depth + 1) for part in value]
    if isinstance(value, Mapping) or _has_fields(value):
        return {name: jsonable(part, depth + 1) for name, part in fields(value).items()}
    return f"<{type(value).__name__}>"


def _has_fields(value: Any) -> bool:
    return hasattr(value, "model_dump") or hasattr(value, "__dataclass_fields__")


def _attributes(item: Any) -> Iterator[tuple[str, Any]]:
    names = getattr(item, "__dataclass_fields__", None) or getattr(item, "__dict__", {})
    for name in names:
        if not name.startswith("_"):
            yield name, read(item, name)
