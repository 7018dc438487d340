"""The fields of JSON documents, the types they hold, and what clients make of them. Pure.

A protocol names the members that its clients read. An application may read more; so nothing else is passed
over, it only weighs less.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from llm_contracts.parity.divergence import Severity

Fields = Mapping[str, "Field"]
_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}

MEMBERS_OF_ERRORS = frozenset(
    {
        *("error", "message", "code", "type", "param", "status", "error_code", "error_msg"),
        *("error_description", "base_resp", "status_code", "status_msg", "detail", "details", "reason"),
        "retryDelay",
    }
)
"""What clients read of an error, whatever the API."""

_FINISH = frozenset({"finish_reason", "finishReason", "stop_reason"})
_KNOWN_FINISH = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})
"""What OpenAI's API names; clients have a branch for each."""
_REFUSAL = frozenset({"code", "error_code", "status_code", "status", "type", "reason", "blockReason"})
_COSMETIC = frozenset({"model", "modelVersion", "service_tier"})
_CHOICES = _FINISH | _REFUSAL | _COSMETIC | {"object", "role", "event", "param"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One place in documents of a kind: `choices[].delta.content`.

    Attributes:
        types: the JSON types seen there, `null` excepted: clients take null for nothing, as they take a field
            that is not there.
        always: whether it held something in every object that could have it.
        values: what stood there, where clients choose their way by it (see `is_choice`).
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
    # Without recursion: how deep documents are is for their sender to say.
    left = [("", document) for document in documents][::-1]
    while left:
        path, value = left.pop()
        place = places.setdefault(path, _Place())
        if value is not None:
            place.held += 1
            place.types.add(_TYPES.get(type(value), "object"))
        if is_choice(path) and isinstance(value, (str, int)) and not isinstance(value, bool):
            place.values.add(str(value))
        if isinstance(value, dict):
            place.objects += 1
            left += ((f"{path}.{_spelt(name)}".removeprefix("."), each) for name, each in value.items())
        elif isinstance(value, list):
            place.elements += len(value)
            left += ((f"{path}[]", element) for element in value)
    found = {}
    for path, place in places.items():
        if path:
            above = places[parent(path)]
            possible = above.elements if path.endswith("[]") else above.objects
            types, values = frozenset(place.types), frozenset(place.values)
            found[path] = Field(types=types, always=place.held == possible, values=values)
    return found


def merged(all_fields: Iterable[Fields]) -> Fields:
    """What is seen in documents of any kind; `always` where it is so in all of them."""
    kinds = tuple(all_fields)
    found = {}
    for path in dict.fromkeys(chain.from_iterable(kinds)):
        seen = [fields.get(path, Field()) for fields in kinds]
        found[path] = Field(
            types=frozenset().union(*(one.types for one in seen)),
            always=all(one.always for one in seen),
            values=frozenset().union(*(one.values for one in seen)),
        )
    return found


def _spelt(name: str) -> str:
    """A name that cannot be mistaken for a path."""
    for sign, spelling in (("%", "%25"), (".", "%2E"), ("[", "%5B"), ("]", "%5D")):
        name = name.replace(sign, spelling)
    return name or '""'


def parent(path: str) -> str:
    """The place that a place lies in; empty for the document itself."""
    return path.removesuffix("[]") if path.endswith("[]") else path.rpartition(".")[0]


def member(path: str) -> str:
    """The name of the member at the end of a path."""
    return path.replace("[]", "").rpartition(".")[2]


def is_choice(path: str) -> bool:
    """Whether the value itself means something. What a listing lists is stock, not shape."""
    return member(path) in _CHOICES and not path.startswith(("data[]", "models[]"))


def severity_of_value(path: str, value: str, *, error: bool) -> Severity:
    """What a value means that was not there before. `error`: whether it says what went wrong."""
    name = member(path)
    if name in _FINISH:
        return Severity.VISIBLE if value in _KNOWN_FINISH else Severity.BREAKING
    if name in _COSMETIC:
        return Severity.COSMETIC
    return Severity.BREAKING if error and name in _REFUSAL else Severity.VISIBLE
