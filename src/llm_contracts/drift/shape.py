"""The shape of an answer: all that a client can be built on, without the words in it. Pure.

No part of it: text, ids, clocks, numbers of tokens, how many events or pieces there are, and when they came.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from llm_contracts.drift.fields import Fields, fields_of
from llm_contracts.drift.kinds import ERROR, StreamEvent, UsagePlace, happenings, order_of, usage_place
from llm_contracts.drift.meaning import members_read
from llm_contracts.util.json_values import read_json
from llm_contracts.wire.content import decoded
from llm_contracts.wire.events import events
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import End, Response
from llm_contracts.wire.protocols import BUILT_IN, Protocols

STREAM, DOCUMENT, TEXT, EMPTY = "event stream", "JSON", "text", "empty"

_DATA_LINE = re.compile(rb"^data:( ?)", re.MULTILINE)
_OTHER_LINE = re.compile(rb"^(event|id|retry):", re.MULTILINE)
_PASSING = re.compile(r"[\w-]*\d[\w-]*|\*+")  # counts, ids and what the scrubber masked


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerShape:
    """The shape of one response.

    Attributes:
        status, end: as in `Response`.
        body: event stream, JSON, text or empty.
        headers: those that clients heed: the content type with its charset, `retry-after` and its relatives,
            and which rate-limit headers there are.
        lines: how a stream writes its lines. Parsers written by hand look for `data: ` with the space.
        order: what comes after what, repetition folded.
        usage: where a stream has its totals.
        kinds: the fields of each kind of event; of a document, which is a kind of its own.
        wording: an error's message, without numbers and ids. Some clients look for words in it.
        read: names of members that clients of the APIs in question read.
    """

    status: int
    end: End
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    lines: frozenset[str] = frozenset()
    order: tuple[str, ...] = ()
    usage: UsagePlace | None = None
    kinds: Mapping[str, Fields] = field(default_factory=dict)
    wording: str = ""
    read: frozenset[str] = frozenset()


def shape_of(response: Response, protocols: Protocols = BUILT_IN) -> AnswerShape:
    """Read one response. Never fails, whatever the bytes are."""
    response = decoded(response)
    document = read_json(response.body.decode("utf-8", "replace").removeprefix("\ufeff"))
    found = () if document is not None else tuple(happenings(events(response.body), protocols))
    failed = read_facts(response, protocols).error
    if found:
        kinds = _kinds(found)
    else:
        kind = "document" if failed is None else ERROR
        kinds = {} if document is None else {kind: fields_of([document])}
    return AnswerShape(
        status=response.status,
        end=response.end,
        body=_body(response, document, found),
        headers=dict(_headers(response)),
        lines=frozenset(_lines(response.body)) if found else frozenset(),
        order=order_of(found),
        usage=usage_place(found),
        kinds=kinds,
        wording=_PASSING.sub("#", str(failed.get("message", ""))) if failed else "",
        read=members_read(protocols),
    )


def _body(response: Response, document: Any, found: Iterable[StreamEvent]) -> str:
    if document is not None:
        return DOCUMENT
    if found:
        return STREAM
    return TEXT if response.body.strip() else EMPTY


def _kinds(found: Iterable[StreamEvent]) -> Mapping[str, Fields]:
    documents: dict[str, list[Any]] = {}
    for happening in found:
        documents.setdefault(happening.kind, [])
        if happening.document is not None:
            documents[happening.kind].append(happening.document)
    return {kind: fields_of(group) for kind, group in documents.items()}


def _headers(response: Response) -> Iterator[tuple[str, str]]:
    media_type, _, parameters = response.header("content-type").lower().partition(";")
    yield "content-type", media_type.strip() or "(none)"
    yield "charset", parameters.replace(" ", "").partition("charset=")[2] or "(none)"
    for name in ("retry-after", "retry-after-ms"):
        if response.header(name):
            yield name, "(given)"  # how long is for the moment to say
    if response.header("x-should-retry"):
        yield "x-should-retry", response.header("x-should-retry").lower()
    for name, _value in response.headers:
        if "ratelimit" in name.lower():
            yield name.lower(), "(given)"


def _lines(body: bytes) -> Iterator[str]:
    for match in _DATA_LINE.finditer(body):
        yield "`data: ` with a space" if match[1] else "`data:` without a space"
    yield from (f"`{match[1].decode()}:` lines" for match in _OTHER_LINE.finditer(body))
    yield "lines end with CRLF" if b"\r\n" in body else "lines end with LF"
