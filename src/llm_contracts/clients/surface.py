"""What an application can name on the objects that a client hands over: public attributes and methods.

Only what all objects of one part have counts: LiteLLM's chunks have `usage` at the end and not before, so
code that reads it from every chunk fails. What a library's base class for models brings (`model_dump`,
`to_dict`) is not part of it. Of a mapping counts that it is one: its keys are compared as fields. The
class of a transparent proxy, such as wrapt's, is that of what it stands for (`__class__`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from functools import lru_cache
from types import AsyncGeneratorType, GeneratorType
from typing import Any

from llm_contracts.clients.jsonable import read, slots

_GENERATORS = (GeneratorType, AsyncGeneratorType, list, tuple)
_SCALARS = frozenset({str, int, float, bool, type(None)})
_FRAMEWORKS = ("pydantic.", "pydantic_core.")
_OFFERED = ("__enter__", "__exit__", "__aenter__", "__aexit__", "__next__", "__anext__", "__getitem__")
"""Names with underscores that an application relies on without writing them."""

MAPPING = ("__getitem__",)
"""The names of a mapping."""

OF_KIND = ": "
"""Between the name of a field and the kind of its value, where that is equal to nothing that JSON has."""

_PARTS = {"choices": "choice", "tool_calls": "tool_call"}
_WALKED = frozenset({"choices", "delta", "message", "usage", "tool_calls", "function"})
"""Parts that are looked into whatever they are made of; others only where they are models."""

_DEEPEST = 6

Shape = tuple[str, type, tuple[str, ...]]
"""A part, the class of its object, and what that object itself holds."""


def stream_names(stream: Any) -> tuple[str, ...] | None:
    """The names of the object that a client returned; None for a plain generator or list, which is the
    application's own wrapping.
    """
    return None if isinstance(stream, _GENERATORS) else tuple(sorted(_names(stream.__class__, _own(stream))))


def error_names(error: BaseException) -> tuple[str, ...]:
    """The public names of an error, those of every exception apart."""
    kind: Any = type(error)
    return tuple(sorted(_names(kind, _own(error)) - frozenset(dir(Exception))))


def shapes(item: Any) -> Iterator[Shape]:
    """The parts of one yielded item; their names are the same wherever the shape is."""
    if isinstance(item, str):
        yield "chunk", str, ()
    elif not isinstance(item, bytes):
        kind = read(item, "type")  # APIs with many kinds of events name them
        yield from _walk(f"chunk.{kind}" if isinstance(kind, str) else "chunk", item, 0)


def _walk(part: str, value: Any, depth: int) -> Iterator[Shape]:
    if isinstance(value, Mapping):
        yield part, dict, ()
        return
    yield part, value.__class__, _own(value)
    for name, held in _attributes(value).items() if depth < _DEEPEST else ():
        if held.__class__ in _SCALARS or name.startswith("_"):
            continue
        if isinstance(held, Enum) and not isinstance(held, (str, int)):
            yield f"{name}{OF_KIND}{type(held).__name__}", type(held), ()
            continue
        first = held[0] if _is_list(held) and held else held
        plain = first.__class__ in _SCALARS or _is_list(first)
        if isinstance(first, Mapping) or _is_model(first.__class__) or (name in _WALKED and not plain):
            yield from _walk(_PARTS.get(name, name), first, depth + 1)


def _is_list(value: Any) -> bool:
    """A named tuple is none."""
    return isinstance(value, (list, tuple)) and not hasattr(value, "_fields")


def shared_names(seen: Mapping[Shape, None]) -> dict[str, tuple[str, ...]]:
    """Part → the names that all of its objects have."""
    found: dict[str, frozenset[str]] = {}
    for part, kind, own in seen:
        names = _names(kind, own)
        found[part] = found[part] & names if part in found else names
    return {part: tuple(sorted(names)) for part, names in found.items()}


def _attributes(value: Any) -> Mapping[str, Any]:
    """What an object holds: its attributes, what is in its slots, and of what a model does not declare the
    parts that are known. Whether other things of a vendor's are mappings is the library's affair.
    """
    held = getattr(value, "__dict__", None)
    if held is None:
        return {name: read(value, name) for name in _slots_of(value.__class__)}
    extra = getattr(value, "__pydantic_extra__", None)
    return {**held, **{name: extra[name] for name in _WALKED & extra.keys()}} if extra else held


@lru_cache(maxsize=512)
def _slots_of(kind: Any) -> tuple[str, ...]:
    named = getattr(kind, "_fields", ()) if issubclass(kind, tuple) else ()
    return (*named, *(name for each in kind.__mro__ for name in slots(each)))


@lru_cache(maxsize=512)
def _is_model(kind: Any) -> bool:
    return any(
        hasattr(kind, name) for name in ("__pydantic_fields__", "model_fields", "__dataclass_fields__")
    )


def _own(value: Any) -> tuple[str, ...]:
    """Its attributes, and what pydantic holds apart: the fields that a model does not declare, as LiteLLM's
    choices and deltas hold all of theirs.
    """
    return (*getattr(value, "__dict__", ()), *(getattr(value, "__pydantic_extra__", None) or ()))


@lru_cache(maxsize=1024)
def _names(kind: Any, own: tuple[str, ...]) -> frozenset[str]:
    if issubclass(kind, Mapping):
        return frozenset(MAPPING)
    if kind is str:
        return frozenset()
    inherited = {
        name
        for each in kind.__mro__
        if each.__module__.startswith(_FRAMEWORKS) or each.__qualname__ == "BaseModel"
        for name in vars(each)
        if not name.startswith("_")
    }
    public = {name for name in (*dir(kind), *own) if not name.startswith("_")}
    return frozenset(
        (public - inherited)
        | {name for name in _OFFERED if hasattr(kind, name)}
        | {name for name in own if not name.startswith("_")}
    )
