"""What the provider is sent: how often, where to, with which body and which headers that mean something."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from llm_contracts.parity.compare.finding import (
    ABSENT,
    Findings,
    ObservationPair,
    UnnamedDivergence,
    at,
    canonical,
)
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.normalise import Normalisation, NormalisationCount
from llm_contracts.wire.interaction import Request

_SECRET = ("authorization", "api-key", "x-api-key", "x-goog-api-key")
_PLAIN = ("openai-organization", "openai-project")
_EVENT_STREAM = "text/event-stream"

Difference = tuple[str, Any, Any]


def compare_requests(pair: ObservationPair) -> Findings:
    """All requests in order. What later attempts repeat of an earlier one's differences is only counted."""
    ours, theirs = pair.reference.requests, pair.candidate.requests
    yield from _attempts(pair)
    seen: set[tuple[str, str, str]] = set()
    for index, (one, other) in enumerate(zip(ours, theirs, strict=False)):
        for found in _request(one, other):
            if isinstance(found, UnnamedDivergence):
                key = (found.where, canonical(found.reference), canonical(found.candidate))
                yield (
                    NormalisationCount(name=Normalisation.REPEATED_REQUEST)
                    if key in seen
                    else _numbered(found, index)
                )
                seen.add(key)
            else:
                yield found


def _attempts(pair: ObservationPair) -> Findings:
    counts = len(pair.reference.requests), len(pair.candidate.requests)
    if counts[0] != counts[1]:
        yield UnnamedDivergence(
            kind=Kind.ATTEMPTS, where="requests", reference=counts[0], candidate=counts[1]
        )
        return
    ours, theirs = pair.reference.failure, pair.candidate.failure
    told = (ours and ours.attempts, theirs and theirs.attempts)
    if None not in told and told[0] != told[1]:
        yield UnnamedDivergence(
            kind=Kind.ATTEMPTS, where="error.attempts", reference=told[0], candidate=told[1]
        )


def _numbered(finding: UnnamedDivergence, index: int) -> UnnamedDivergence:
    if index == 0:
        return finding
    where = f"request[{index}].{finding.where}"
    return UnnamedDivergence(
        kind=finding.kind, where=where, reference=finding.reference, candidate=finding.candidate
    )


def _request(one: Request, other: Request) -> Findings:
    for where, ours, theirs in _targets(one, other):
        yield UnnamedDivergence(kind=Kind.REQUEST_TARGET, where=where, reference=ours, candidate=theirs)
    for where, ours, theirs in _bodies(one.body, other.body):
        yield UnnamedDivergence(kind=Kind.REQUEST_BODY, where=where, reference=ours, candidate=theirs)
    if one.body != other.body and _parsed(one.body) == _parsed(other.body):
        yield NormalisationCount(name=Normalisation.BODY_SPELLING)
    yield from _headers(one, other)


def _targets(one: Request, other: Request) -> Iterator[Difference]:
    ours, theirs = urlsplit(one.uri), urlsplit(other.uri)
    parts = {
        "method": (one.method, other.method),
        "origin": (f"{ours.scheme}://{ours.netloc}", f"{theirs.scheme}://{theirs.netloc}"),
        "path": (ours.path, theirs.path),
        "query": (ours.query, theirs.query),
    }
    for name, (a, b) in parts.items():
        if a != b:
            yield f"target.{name}", a, b


def _bodies(one: bytes, other: bytes) -> Iterator[Difference]:
    ours, theirs = _parsed(one), _parsed(other)
    yield from differences(ours, theirs, "body")


def _parsed(body: bytes) -> Any:
    """The JSON value; a body that is no JSON is compared as text, an empty one is absent."""
    if not body:
        return ABSENT
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "backslashreplace")


def differences(ours: Any, theirs: Any, place: str) -> Iterator[Difference]:
    """Where two JSON values differ, each place once. A missing key is `ABSENT`, which is not null."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in dict.fromkeys((*ours, *theirs)):
            parts = ours.get(name, ABSENT), theirs.get(name, ABSENT)
            yield from differences(*parts, f"{place}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list):
        for index in range(max(len(ours), len(theirs))):
            yield from differences(at(ours, index), at(theirs, index), f"{place}[{index}]")
    elif ours != theirs or isinstance(ours, bool) != isinstance(theirs, bool):
        yield place, ours, theirs


def _headers(one: Request, other: Request) -> Findings:
    ours, theirs = _by_name(one), _by_name(other)
    shown: list[Difference] = [*_secrets(ours, theirs), *_plain(ours, theirs)]
    for where, a, b in shown:
        yield UnnamedDivergence(kind=Kind.REQUEST_HEADERS, where=f"headers.{where}", reference=a, candidate=b)
    named = {where for where, _, _ in shown}
    names = {*ours, *theirs} - named - set(_SECRET)
    hidden = sum(ours.get(name) != theirs.get(name) for name in names)
    if hidden:
        yield NormalisationCount(name=Normalisation.HEADER, count=hidden)


def _by_name(request: Request) -> dict[str, str]:
    return {name.lower(): value for name, value in reversed(request.headers)}


def _secrets(ours: dict[str, str], theirs: dict[str, str]) -> Iterator[Difference]:
    """Keys are said to be the same or not; they are never shown."""
    for name in _SECRET:
        one, other = ours.get(name), theirs.get(name)
        if one != other:
            yield name, _masked(one, "a key"), _masked(other, "another key" if one is not None else "a key")


def _masked(value: str | None, word: str) -> str:
    if value is None:
        return ABSENT
    scheme, space, secret = value.partition(" ")
    if not (space and secret.strip()):
        return f"({word})" if value.strip() else "(empty)"
    return f"{scheme} ({word})"


def _plain(ours: dict[str, str], theirs: dict[str, str]) -> Iterator[Difference]:
    for name in _PLAIN:
        one, other = ours.get(name, ABSENT), theirs.get(name, ABSENT)
        if one != other:
            yield name, one, other
    one, other = (_media_type(side.get("content-type", ABSENT)) for side in (ours, theirs))
    if one != other:
        yield "content-type", one, other
    one, other = ours.get("accept", ABSENT), theirs.get("accept", ABSENT)
    if (_EVENT_STREAM in one) != (_EVENT_STREAM in other):
        yield "accept", one, other


def _media_type(value: str) -> str:
    return value.partition(";")[0].strip().lower()
