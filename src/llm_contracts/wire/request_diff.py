"""What keeps a request from being the recorded one, field by field. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from llm_contracts.wire.interaction import Request
from llm_contracts.wire.scrub import scrub_query

ABSENT = "(absent)"
"""Stands for a value that one of two requests does not have."""

_LONGEST = 200
_MOST = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestDifference:
    """One place in which two requests differ: `method`, `path`, `query.<name>`, `body.<field>` or `body`; and
    both values as JSON, shortened where they are long.
    """

    where: str
    sent: str
    recorded: str


def same_request(sent: Request, recorded: Request) -> bool:
    """Whether nothing differs that a provider would look at. Headers take no part."""
    return next(_differing(sent, recorded), None) is None


def differences(sent: Request, recorded: Request) -> tuple[RequestDifference, ...]:
    """The first twenty places in which the requests differ; none if they are the same.

    Bodies are compared as JSON values, in which 1 and 1.0 are one number: languages write them differently.
    """
    found = _differing(sent, recorded)
    return tuple(
        RequestDifference(where=where, sent=_shown(mine), recorded=_shown(theirs))
        for (where, mine, theirs), _ in zip(found, range(_MOST), strict=False)
    )


def same_place(sent: Request, recorded: Request) -> bool:
    """Whether method and path agree."""
    return place_of(sent) == place_of(recorded)


def likeness(sent: Request, recorded: Request) -> tuple[int, int]:
    """How near a recording is: by method and path, the path counting by its segments from the end; among
    equals by how little of the rest differs.
    """
    (method, path), (other_method, other_path) = place_of(sent), place_of(recorded)
    segments = shared_segments(path, other_path)
    return (2 * segments + (method == other_method), -len(differences(sent, recorded)))


def shared_segments(path: str, other: str) -> int:
    """How many segments two paths have in common, counted from the end."""
    pairs = zip(reversed(path.split("/")), reversed(other.split("/")), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def place_of(request: Request) -> tuple[str, str]:
    """Its method and path."""
    return request.method.upper(), urlsplit(request.uri).path


class _Absent:
    """A value that is not there."""


_Found = tuple[str, Any, Any]


def _differing(sent: Request, recorded: Request) -> Iterator[_Found]:
    (method, path), (other_method, other_path) = place_of(sent), place_of(recorded)
    if method != other_method:
        yield "method", method, other_method
    if path != other_path:
        yield "path", path, other_path
    yield from _in_values(_query(sent), _query(recorded), "query")
    if sent.body == recorded.body:
        return
    try:
        yield from _in_values(_value(sent.body), _value(recorded.body), "body")
    except RecursionError:
        yield "body", "(nested too deep to compare)", "(nested too deep to compare)"


def _query(request: Request) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in parse_qsl(urlsplit(scrub_query(request.uri)).query, keep_blank_values=True):
        fields.setdefault(name, []).append(value)
    return fields


def _value(body: bytes) -> Any:
    """The JSON value of a body, or its text where it has none."""
    try:
        return json.loads(body, parse_float=_number)
    except ValueError:
        return body.decode("utf-8", "backslashreplace")


def _number(text: str) -> float | int:
    number = float(text)
    return int(number) if number.is_integer() else number


def _in_values(sent: Any, recorded: Any, where: str) -> Iterator[_Found]:
    if isinstance(sent, dict) and isinstance(recorded, dict):
        for name in dict.fromkeys((*recorded, *sent)):
            mine, theirs = sent.get(name, _Absent), recorded.get(name, _Absent)
            yield from _in_values(mine, theirs, f"{where}.{name}")
    elif isinstance(sent, list) and isinstance(recorded, list):
        for index in range(max(len(sent), len(recorded))):
            mine, theirs = (side[index] if index < len(side) else _Absent for side in (sent, recorded))
            yield from _in_values(mine, theirs, f"{where}[{index}]")
    elif type(sent) is not type(recorded) or sent != recorded:  # True is no 1
        yield where, sent, recorded


def _shown(value: Any) -> str:
    text = ABSENT if value is _Absent else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
