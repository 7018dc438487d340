"""What the provider is sent: how often, where to, with which body and which headers that mean something."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from operator import itemgetter
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from llm_contracts.parity.compare.finding import (
    ABSENT,
    VOLATILE,
    Finding,
    Findings,
    ObservationPair,
    canonical,
    differing,
    unfaithful,
)
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.normalise import Normalisation
from llm_contracts.util.json_values import differences
from llm_contracts.wire.interaction import Request
from llm_contracts.wire.protocols import ANTHROPIC_MESSAGES, protocol_at
from llm_contracts.wire.scrub import scrub_query

_SECRET = re.compile(r"authorization|cookie|(^|[-_])(api-?key|key|token|secret)$", re.IGNORECASE)
"""Headers whose values are said to be the same or not, and never shown."""

_OF_THE_LIBRARY = frozenset(
    {
        "user-agent",
        "accept-encoding",
        "accept-language",
        "connection",
        "content-length",
        "transfer-encoding",
        "host",
        "keep-alive",
        "sec-fetch-mode",  # by which every `fetch` of JavaScript says what it is; no program can leave it out
        "traceparent",
        "tracestate",
        "x-goog-api-client",
    }
)
_OF_AN_SDK = "x-stainless-"
"""Headers that say which library speaks and how it writes, and nothing of what is asked."""

_EVENT_STREAM = "text/event-stream"

Difference = tuple[str, Any, Any]


def compare_requests(pair: ObservationPair) -> Findings:
    """All requests in order. What later attempts repeat of an earlier one's differences is only counted."""
    ours, theirs = pair.reference.requests, pair.candidate.requests
    yield from _attempts(pair)
    seen: set[tuple[str, str, str]] = set()
    pairs, moved = _paired(ours, theirs)
    if moved:
        yield Finding(kind=Normalisation.REQUEST_ORDER, where="requests.order")
    for index, (one, other) in enumerate(pairs):
        for found in _request(one, other):
            key = (found.where, canonical(found.reference), canonical(found.candidate))
            if isinstance(found.kind, Normalisation):
                yield found
            elif key in seen:
                yield Finding(kind=Normalisation.REPEATED_REQUEST)
            else:
                seen.add(key)
                yield replace(found, where=f"request[{index}].{found.where}" if index else found.where)


def compare_with_recorded(pair: ObservationPair) -> Findings:
    """`unfaithful` where both ask alike, but not what was asked when it was recorded, or not all of it."""
    sides = [
        {id(recorded): sent for recorded, sent in _paired(pair.recorded, side.requests)[0]}
        for side in pair.sides
    ]
    for index, recorded in enumerate(pair.recorded):
        place = f"request[{index}]"
        if not any(id(recorded) in side for side in sides):
            yield unfaithful(place, ABSENT, recorded.method, "recorded")
        if any(id(recorded) not in side for side in sides):
            continue
        one, other = (side[id(recorded)] for side in sides)
        known = {where: theirs for where, _, theirs in _asked_otherwise(recorded, other)}
        for where, sent, shown in _asked_otherwise(recorded, one):
            if where in known and known[where] == shown:
                yield unfaithful(f"{place if index else 'request'}.{where}", shown, sent, "recorded")


def _asked_otherwise(recorded: Request, sent: Request) -> Iterator[Difference]:
    shown = (replace(request, uri=scrub_query(request.uri)) for request in (recorded, sent))
    yield from (found for found in _targets(*shown) if found[0] != "target.origin")
    yield from _bodies(recorded, sent)


def _paired(ours: Sequence[Request], theirs: Sequence[Request]) -> tuple[list[tuple[Request, Request]], bool]:
    """Requests that ask the same belong together, for calls at once arrive in any order; the others in order.

    The second value says whether the order was another.
    """
    left = list(enumerate(theirs))
    partners: dict[int, tuple[int, Request]] = {}
    for index, one in enumerate(ours):
        same = next((entry for entry in left if _asks_the_same(one, entry[1])), None)
        if same is not None:
            left.remove(same)
            partners[index] = same
    for index in range(len(ours)):
        if index not in partners and left:
            partners[index] = left.pop(0)
    found = [(ours[index], partners[index][1]) for index in sorted(partners)]
    order = [partners[index][0] for index in sorted(partners)]
    return found, order != sorted(order)


def _asks_the_same(one: Request, other: Request) -> bool:
    if (one.method, one.uri) != (other.method, other.uri):
        return False
    return one.body == other.body or _body_value(one) == _body_value(other)


def _attempts(pair: ObservationPair) -> Findings:
    counts = [len(side.requests) for side in pair.sides]
    yield from differing(Kind.ATTEMPTS, "requests", *counts)
    attempts = [side.failure and side.failure.attempts for side in pair.sides]
    if counts[0] == counts[1] and None not in attempts:
        yield from differing(Kind.ATTEMPTS, "error.attempts", *attempts)


def _request(one: Request, other: Request) -> Findings:
    ours, theirs = (urlsplit(request.uri).query for request in (one, other))
    if ours != theirs and _pairs(ours) == _pairs(theirs):
        yield Finding(kind=Normalisation.QUERY_SPELLING, where="target.query")
    for where, ours, theirs in _targets(one, other):
        yield Finding(kind=Kind.REQUEST_TARGET, where=where, reference=ours, candidate=theirs)
    for where, ours, theirs in _bodies(one, other):
        yield Finding(kind=Kind.REQUEST_BODY, where=where, reference=ours, candidate=theirs)
    yield from _spelling(one, other)
    yield from _headers(one, other)


def _spelling(one: Request, other: Request) -> Findings:
    """What a server may tell apart though the values are the same."""
    form, others = _form(one), _form(other)
    for name in form:
        yield from differing(Kind.REQUEST_BODY, f"body.{name}", form[name], others[name])
    if one.body == other.body:
        return
    ours, theirs = _body_value(one), _body_value(other)
    same = ours == theirs
    if isinstance(ours, dict) and isinstance(theirs, dict):  # what differs otherwise hides no spelling
        both = {name for name in ours if name in theirs and ours[name] == theirs[name]}
        ours, theirs = ({n: v for n, v in side.items() if n in both} for side in (ours, theirs))
    elif not same:
        return
    if canonical(ours) != canonical(theirs):
        yield Finding(kind=Normalisation.NUMBER_SPELLING, where="body")
    if _schemas(ours) != _schemas(theirs):
        yield Finding(kind=Normalisation.KEY_ORDER, where="body")
    if same or list(ours) != list(theirs):
        yield Finding(kind=Normalisation.BODY_SPELLING, where="body")


def _form(request: Request) -> dict[str, Any]:
    """How a body is written: its encoding with any byte order mark, its charset, keys that stand twice."""
    twice: list[str] = []

    def noticed(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        twice.extend(name for name in dict.fromkeys(names) if names.count(name) > 1)
        return dict(pairs)

    with suppress(ValueError, RecursionError):
        json.loads(request.body, object_pairs_hook=noticed)
    charset = _by_name(request).get("content-type", "").lower().partition("charset=")[2].strip(' "')
    return {
        "encoding": json.detect_encoding(request.body),
        "charset": charset if charset not in ("", "utf-8", "utf8") else ABSENT,
        "twice": twice or ABSENT,
    }


def _schemas(value: Any) -> list[list[str]]:
    """The names of each `properties` in the order in which a model sees them."""
    if isinstance(value, list):
        return [names for part in value for names in _schemas(part)]
    if not isinstance(value, dict):
        return []
    properties = value.get("properties")
    own = [list(properties)] if isinstance(properties, dict) else []
    return own + [names for name in sorted(value) for names in _schemas(value[name])]


def _targets(one: Request, other: Request) -> Iterator[Difference]:
    ours, theirs = urlsplit(one.uri), urlsplit(other.uri)
    parts = {
        "method": (one.method, other.method),
        "origin": (f"{ours.scheme}://{ours.netloc}", f"{theirs.scheme}://{theirs.netloc}"),
        "path": (ours.path, theirs.path),
        "query": (ours.query, theirs.query),
    }
    for name, (a, b) in parts.items():
        if a != b and not (name == "query" and _pairs(a) == _pairs(b)):
            yield f"target.{name}", a, b


def _pairs(query: str) -> list[tuple[str, str]]:
    """What a query says; the order of different names and how a character is escaped say nothing."""
    return sorted(parse_qsl(query, keep_blank_values=True), key=itemgetter(0))


def _bodies(one: Request, other: Request) -> Iterator[Difference]:
    if one.body != other.body:  # NaN is not NaN
        yield from differences(_body_value(one), _body_value(other), "body", ABSENT)


def _body_value(request: Request) -> Any:
    """The JSON value of a body; one that is not JSON is compared as text, an empty one is absent. For
    Anthropic a text is short for a list of one block of it (https://docs.anthropic.com/en/api/messages).
    """
    if not request.body:
        return ABSENT
    try:
        value = json.loads(request.body)
    except ValueError:
        return request.body.decode("utf-8", "backslashreplace")
    if protocol_at(request.uri, (ANTHROPIC_MESSAGES,)) is None or not isinstance(value, dict):
        return value
    messages = value.get("messages")
    rows = [_in_blocks(row, "content") for row in messages] if isinstance(messages, list) else messages
    return _in_blocks({**value, **({} if rows is None else {"messages": rows})}, "system")


def _in_blocks(holder: Any, name: str) -> Any:
    if isinstance(holder, dict) and isinstance(text := holder.get(name), str):
        return {**holder, name: [{"type": "text", "text": text}]}
    return holder


def _headers(one: Request, other: Request) -> Findings:
    """Every header, those apart that say which library speaks."""
    ours, theirs = _by_name(one), _by_name(other)
    hidden = 0
    for name in dict.fromkeys((*ours, *theirs)):
        a, b = ours.get(name, ABSENT), theirs.get(name, ABSENT)
        said = ("" if value == ABSENT else value for value in (a, b))
        if a == b:
            continue
        if name in _OF_THE_LIBRARY or name.startswith(_OF_AN_SDK) or _mean_the_same(name, *said):
            hidden += 1
            continue
        if _SECRET.search(name):
            a, b = _masked(a, "a key"), _masked(b, "a key" if a == ABSENT else "another key")
        yield Finding(kind=Kind.REQUEST_HEADERS, where=f"headers.{name}", reference=a, candidate=b)
    if hidden:
        yield Finding(kind=Normalisation.HEADER, count=hidden)


def _mean_the_same(name: str, one: str, other: str) -> bool:
    if name == "content-type":
        types = [value.partition(";")[0].strip().lower() for value in (one, other)]
        return types[0] == types[1]
    if name == "accept":
        return (_EVENT_STREAM in one) == (_EVENT_STREAM in other)
    return bool(one and other) and VOLATILE.sub("~", one) == VOLATILE.sub("~", other)


def _by_name(request: Request) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in request.headers:
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def _masked(value: str, word: str) -> str:
    if value == ABSENT:
        return value
    scheme, space, secret = value.partition(" ")
    if not (space and secret.strip()):
        return f"({word})" if value.strip() else "(empty)"
    return f"{scheme} ({word})"
