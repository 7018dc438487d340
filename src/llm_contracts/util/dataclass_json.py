"""Dataclasses as JSON values and back, by the types of their fields: short, readable, nothing lost."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

_Value = TypeVar("_Value")
_AS_THEY_ARE = frozenset({str, int, float, bool, type(None)})


def to_json(value: Any) -> Any:
    """A value as JSON values: a dataclass as an object without the fields that have their default, bytes as
    text, or as `{"base64": …}` where they are not text. What mappings hold is JSON already.
    """
    if isinstance(value, tuple):
        return [to_json(part) for part in value]
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode()}
    if is_dataclass(value):
        defaults = _defaults(cast("Any", type(value)))
        given = ((name, getattr(value, name), default) for name, default in defaults)
        changed = ((name, part) for name, part, default in given if part != default or _is_minus_zero(part))
        return {name: part if type(part) in _AS_THEY_ARE else to_json(part) for name, part in changed}
    return dict(value) if isinstance(value, Mapping) else value


def _is_minus_zero(value: Any) -> bool:
    """Whether it is equal to a default of 0, and not the same."""
    return type(value) is float and str(value) == "-0.0"


@cache
def _defaults(kind: type[Any]) -> tuple[tuple[str, Any], ...]:
    """Field → its default, or what is equal to nothing."""
    return tuple(
        (each.name, each.default if each.default_factory is MISSING else each.default_factory())
        for each in fields(kind)
    )


def from_json(kind: type[_Value], value: Any) -> _Value:
    """The value again, of the type that it had.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: the value is none that `to_json` gives for this type.
    """
    return cast("_Value", _reader(cast("Any", kind))(value))


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """What makes a value of this type out of JSON values."""
    if get_origin(kind) is not None:
        return _reader_of_parts(kind)
    if is_dataclass(kind):
        readers = {name: _reader(hint) for name, hint in get_type_hints(kind).items()}
        by_name = {name: read for name, read in readers.items() if read is not _same}
        make = cast("Callable[..., Any]", kind)
        return lambda value: make(
            **{name: by_name[name](part) if name in by_name else part for name, part in value.items()}
        )
    if kind is bytes:
        return lambda value: value.encode() if isinstance(value, str) else base64.b64decode(value["base64"])
    if isinstance(kind, type) and issubclass(kind, tuple):  # a named one
        return lambda value: kind(*value)
    return kind if isinstance(kind, type) and issubclass(kind, Enum) else _same


def _same(value: Any) -> Any:
    return value


def _reader_of_parts(kind: Any) -> Callable[[Any], Any]:
    of, readers = get_origin(kind), [_reader(part) for part in get_args(kind) if part is not Ellipsis]
    if of in (Union, UnionType):
        return _same if readers[0] is _same else lambda value: None if value is None else readers[0](value)
    if of is Mapping and readers[1] is _same:
        return _same
    if of is Mapping:
        return lambda value: {readers[0](name): readers[1](part) for name, part in value.items()}
    if get_args(kind)[-1] is Ellipsis:
        return lambda value: tuple(map(readers[0], value))
    return lambda value: tuple(read(part) for read, part in zip(readers, value, strict=True))
