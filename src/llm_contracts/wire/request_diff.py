"""What keeps a request from being the recorded one, field by field. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from llm_contracts.util.json_values import differences as value_differences
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
    pairs = zip(reversed(path.split("/")), reversed(other_path.split("/")), strict=False)
    segments = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return (2 * segments + (method == other_method), -len(differences(sent, recorded)))


def place_of(request: Request) -> tuple[str, str]:
    """Its method and path."""
    return request.method.upper(), urlsplit(request.uri).path


class _Absent:
    """A value that is not there."""


def _differing(sent: Request, recorded: Request) -> Iterator[tuple[str, Any, Any]]:
    (method, path), (other_method, other_path) = place_of(sent), place_of(recorded)
    if method != other_method:
        yield "method", method, other_method
    if path != other_path:
        yield "path", path, other_path
    yield from value_differences(_query(sent), _query(recorded), "query", _Absent)
    if sent.body == recorded.body:
        return
    try:
        yield from value_differences(_value(sent.body), _value(recorded.body), "body", _Absent)
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
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "backslashreplace")


def _shown(value: Any) -> str:
    text = ABSENT if value is _Absent else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
