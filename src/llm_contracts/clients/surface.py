"""What an application can name on the objects that a client hands over: public attributes and methods.

Only what all objects of one part have counts: LiteLLM's chunks have `usage` at the end and not before, so
code that reads it from every chunk fails. What a library's base class for models brings (`model_dump`,
`to_dict`) is no part of it, nor are mappings: these have keys, and keys are compared as fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import AsyncGeneratorType, GeneratorType
from typing import Any

from llm_contracts.clients.jsonable import read

_GENERATORS = (GeneratorType, AsyncGeneratorType, list, tuple)
_FRAMEWORKS = ("pydantic.", "pydantic_core.")
_OFFERED = ("__enter__", "__exit__", "__aenter__", "__aexit__", "__next__", "__anext__")
"""Names with underscores that an application relies on without writing them."""

Shape = tuple[str, type, tuple[str, ...]]
"""A part, the class of its object, and what that object itself holds."""


def stream_names(stream: Any) -> tuple[str, ...] | None:
    """The names of the object that a client returned; None for a plain generator or list, which is the
    application's own wrapping.
    """
    return None if isinstance(stream, _GENERATORS) else tuple(sorted(_names(_kind(stream), _own(stream))))


def error_names(error: BaseException) -> tuple[str, ...]:
    """The public names of an error, those of every exception apart."""
    return tuple(sorted(_names(_kind(error), _own(error)) - frozenset(dir(Exception))))


def shapes(item: Any) -> Iterator[Shape]:
    """The parts of one yielded item; their names are the same wherever the shape is."""
    if isinstance(item, (str, bytes, Mapping)):
        return
    kind = read(item, "type")  # APIs with many kinds of events name them
    yield _shape(f"chunk.{kind}" if isinstance(kind, str) else "chunk", item)
    choices = read(item, "choices")
    if isinstance(choices, list) and choices and not isinstance(choices[0], Mapping):
        yield _shape("choice", choices[0])
        delta = read(choices[0], "delta")
        if delta is not None and not isinstance(delta, Mapping):
            yield _shape("delta", delta)
    usage = read(item, "usage")
    if usage is not None and not isinstance(usage, Mapping):
        yield _shape("usage", usage)


def shared_names(seen: Mapping[Shape, None]) -> dict[str, tuple[str, ...]]:
    """Part → the names that all of its objects have."""
    found: dict[str, frozenset[str]] = {}
    for part, kind, own in seen:
        names = _names(kind, own)
        found[part] = found[part] & names if part in found else names
    return {part: tuple(sorted(names)) for part, names in found.items()}


def _shape(part: str, value: Any) -> Shape:
    return part, type(value), _own(value)


def _kind(value: Any) -> Any:
    return type(value)


def _own(value: Any) -> tuple[str, ...]:
    """Its attributes, and what pydantic holds apart: the fields that a model does not declare, as LiteLLM's
    choices and deltas hold all of theirs.
    """
    return (*getattr(value, "__dict__", ()), *(getattr(value, "__pydantic_extra__", None) or ()))


@lru_cache(maxsize=1024)
def _names(kind: Any, own: tuple[str, ...]) -> frozenset[str]:
    inherited = {
        name
        for each in kind.__mro__
        if each.__module__.startswith(_FRAMEWORKS) or each.__qualname__ == "BaseModel"
        for name in vars(each)
        if not name.startswith("_")
    }
    public = {name for name in (*dir(kind), *own) if not name.startswith("_")}
    return frozenset(
        (public - inherited) | {name for name in _OFFERED if hasattr(kind, name)} | set(_public(own))
    )


def _public(names: tuple[str, ...]) -> Iterator[str]:
    return (name for name in names if not name.startswith("_"))
