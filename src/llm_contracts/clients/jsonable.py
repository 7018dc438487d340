"""Turn what a client hands over into plain JSON values, so that it can be compared, stored and shown."""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from pathlib import PurePath
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import UUID

_DEEPEST = 40  # a client may hand over something that contains itself
_SCALARS = frozenset({str, int, float, bool, type(None)})
_WRITTEN = (date, time, timedelta, UUID, Decimal, PurePath)
"""Values whose text says all; some hold others of their kind in their properties, and so on without end."""
_OF_THE_CALL = frozenset({"_response_ms", "_response_headers", "_hidden_params"})
"""What LiteLLM notes on answers about the call: it is in no document, and some of it differs each time."""
_OPAQUE = (type, ModuleType, BaseException)


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


def jsonable(value: Any, depth: int = 0) -> Any:  # noqa: PLR0911 - one for each form of value
    """The value as JSON would hold it, with every public field of every object in it.

    What JSON cannot hold becomes the name of its type in angle brackets: its `repr` may contain an address,
    which would differ from run to run.
    """
    if value.__class__ in _SCALARS:
        return value
    if depth >= _DEEPEST:
        return f"<{type(value).__name__}>"
    if isinstance(value, (list, tuple)):
        if hasattr(value, "_fields"):  # a named tuple
            return _of_mapping(dict(zip(value._fields, value, strict=True)), depth)
        return [part if part.__class__ in _SCALARS else jsonable(part, depth + 1) for part in value]
    if isinstance(value, Mapping):
        return _of_mapping(value, depth)
    if isinstance(value, Enum):
        return jsonable(value.value, depth + 1)
    if isinstance(value, (str, int, float)):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, _WRITTEN):
        return str(value)
    return _of_object(value, depth)


def _of_object(value: Any, depth: int) -> Any:
    kind: Any = value.__class__  # that of what a transparent proxy stands for, such as wrapt's
    parts = _fields_of(kind)(value)
    if parts is None:
        return f"<{type(value).__name__}>"
    if type(value) is not kind:  # it may say something of its own
        parts = {name: read(value, name) for name in parts}
    return {
        name: part if part.__class__ in _SCALARS else jsonable(part, depth + 1)
        for name, part in parts.items()
    }


def _of_mapping(value: Mapping[Any, Any], depth: int) -> Any:
    try:
        given = list(value.items())
    except Exception:  # noqa: BLE001 - somebody else's mapping: httpx's of cookies lacks some that it lists
        return f"<{type(value).__name__}>"
    return {str(name): jsonable(part, depth + 1) for name, part in given}


def public_fields(value: BaseException, *, without: Collection[str] = ()) -> dict[str, Any]:
    """The public data of an exception as JSON: attributes, slots, properties, and what its class says."""
    kind: Any = type(value)
    found = _public(kind)(value) or {}
    return {name: jsonable(part) for name, part in found.items() if name not in without}


@lru_cache(maxsize=512)
def _fields_of(kind: Any) -> Callable[[Any], Mapping[str, Any] | None]:
    """How to read the public fields of objects of this class; gives None where they have none."""
    if issubclass(kind, _OPAQUE) or any("__call__" in vars(each) for each in kind.__mro__):
        return lambda _value: None
    if hasattr(kind, "__pydantic_fields__") or hasattr(kind, "model_fields"):
        return _of_model
    return _public(kind)


@lru_cache(maxsize=512)
def _public(kind: Any) -> Callable[[Any], Mapping[str, Any] | None]:
    declared = [
        name
        for each in reversed(kind.__mro__[:-1])
        for name in (*slots(each), *(n for n, v in vars(each).items() if _is_data(v)))
        if not name.startswith("_")
    ]

    def public(value: Any) -> Mapping[str, Any] | None:
        held = getattr(value, "__dict__", {})
        names = [*declared, *(name for name in held if not name.startswith("_"))]
        if not names:
            return {} if issubclass(kind, SimpleNamespace) else None  # nothing but its fields
        return {name: read(value, name) for name in dict.fromkeys(names)}

    return public


def _is_data(value: Any) -> bool:
    """Whether a class's attribute is a field of its objects: a property, or a value and no function."""
    return isinstance(value, property) or not (callable(value) or hasattr(value, "__get__"))


def slots(kind: type) -> tuple[str, ...]:
    """The names of a class's own slots."""
    slots = vars(kind).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _of_model(value: Any) -> Mapping[str, Any]:
    """Declared and additional fields, without the warnings of `model_dump` where a vendor's value does not
    fit the declared type.
    """
    held: Mapping[str, Any] = value.__dict__
    extra: Mapping[str, Any] = getattr(value, "__pydantic_extra__", None) or {}  # dataclasses have none
    if any(name.startswith("_") for name in held):  # of the library's own, one is documented
        held = {name: part for name, part in held.items() if name == "_request_id" or name[:1] != "_"}
    more = {name: part for name, part in extra.items() if name not in _OF_THE_CALL}
    return {**held, **more} if more else held
