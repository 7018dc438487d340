"""The fields of JSON documents, with the types they hold. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from llm_contracts.drift.meaning import is_choice

Fields = Mapping[str, "Field"]

_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One place in documents of a kind: `choices[].delta.content`.

    Attributes:
        types: the JSON types seen there, `null` excepted: clients take null for nothing, as they take a field
            that is not there.
        always: whether it held something in every object that could have it.
        values: what stood there, where clients choose their way by it (see `meaning`).
    """

    types: frozenset[str] = frozenset()
    always: bool = False
    values: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Place:
    types: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)
    held: int = 0
    objects: int = 0  # how often it was an object, and so could hold members
    elements: int = 0


def fields_of(documents: Iterable[Any]) -> Fields:
    """The fields of all these documents together."""
    places: dict[str, _Place] = {}
    for document in documents:
        _read(document, places)
    return {path: _field(path, place, places) for path, place in places.items() if path}


def merged(all_fields: Iterable[Fields]) -> Fields:
    """What is seen in documents of any kind; `always` where it is so in all of them."""
    kinds = tuple(all_fields)
    found: dict[str, Field] = {}
    counts: Counter[str] = Counter()
    for fields in kinds:
        for path, one in fields.items():
            before = found.get(path, Field(always=True))
            counts[path] += 1
            found[path] = Field(
                types=before.types | one.types,
                always=before.always and one.always,
                values=before.values | one.values,
            )
    return {
        path: Field(types=one.types, values=one.values, always=one.always and counts[path] == len(kinds))
        for path, one in found.items()
    }


def _read(document: Any, places: dict[str, _Place]) -> None:
    """Without recursion: how deep documents are is for their sender to say."""
    left = [("", document)]
    while left:
        path, value = left.pop()
        place = places.setdefault(path, _Place())
        if value is not None:
            place.held += 1
            place.types.add(_TYPES.get(type(value), "object"))
        if is_choice(path) and isinstance(value, (str, int)) and not isinstance(value, bool):
            place.values.add(str(value))
        left.extend(_children(path, value, place))


def _children(path: str, value: Any, place: _Place) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        place.objects += 1
        yield from (
            (f"{path}.{_spelt(name)}" if path else _spelt(name), member) for name, member in value.items()
        )
    elif isinstance(value, list):
        place.elements += len(value)
        yield from ((f"{path}[]", element) for element in value)


def _spelt(name: str) -> str:
    """A name that cannot be mistaken for a path."""
    for sign, spelling in (("%", "%25"), (".", "%2E"), ("[", "%5B"), ("]", "%5D")):
        name = name.replace(sign, spelling)
    return name or '""'


def _field(path: str, place: _Place, places: Mapping[str, _Place]) -> Field:
    above = places[parent(path)]
    possible = above.elements if path.endswith("[]") else above.objects
    return Field(types=frozenset(place.types), always=place.held == possible, values=frozenset(place.values))


def parent(path: str) -> str:
    """The place that a place lies in; empty for the document itself."""
    return path.removesuffix("[]") if path.endswith("[]") else path.rpartition(".")[0]
