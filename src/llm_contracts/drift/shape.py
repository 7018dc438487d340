"""The shape of an answer: all that a client can be built on, without the words in it. Pure.

No part of it: text, ids, clocks, numbers of tokens, how many events or pieces there are, and when they came.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llm_contracts.drift.fields import MEMBERS_OF_ERRORS, Fields, fields_of
from llm_contracts.util.json_values import as_list, as_mapping, read_json
from llm_contracts.wire.content import decoded
from llm_contracts.wire.events import events
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.facts.errors import error_of
from llm_contracts.wire.interaction import End, Response
from llm_contracts.wire.protocols import BUILT_IN, Protocols, StreamReader
from llm_contracts.wire.sse import Event

STREAM, DOCUMENT, TEXT, EMPTY = "event stream", "JSON", "text", "empty"

_DATA_LINE = re.compile(rb"^data:( ?)", re.MULTILINE)
_OTHER_LINE = re.compile(rb"^(event|id|retry):", re.MULTILINE)
_PASSING = re.compile(r"[\w-]*\d[\w-]*|\*+")  # counts, ids and what the scrubber masked


DONE, ERROR, BROKEN, BLANK = "[DONE]", "error", "not JSON", "blank"
USAGE = "usage"
_SAID = frozenset({"reasoning", "content", "tool call", "tool arguments", "refusal"})
LAST = frozenset({"finish", "end"})
"""What an event holds that says: this was all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamEvent:
    """One event.

    Attributes:
        name: what it calls itself, where it has a name; otherwise it is known by what it holds.
        holds: what it adds to the answer, in a fixed order: role, reasoning, content, tool call, tool
            arguments, refusal, finish, usage, end.
        document: its JSON value; None where it has none.
    """

    name: str = ""
    holds: tuple[str, ...] = ()
    document: Any = None

    @property
    def kind(self) -> str:
        """Events of one kind are compared with each other."""
        return self.name or "+".join(self.holds) or BLANK

    @property
    def steps(self) -> tuple[str, ...]:
        """What it adds to the order. Usage has a place of its own (see `UsagePlace`)."""
        return (self.name,) if self.name else tuple(part for part in self.holds if part != USAGE)


@dataclass(frozen=True, kw_only=True, slots=True)
class UsagePlace:
    """Where totals stand. `last`: those that count; `throughout`: whether text comes with totals, too; None
    where there was no event with text alone to see it by.
    """

    last: str
    throughout: bool | None


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
    read = StreamReader(protocols)
    sent = () if document is not None else events(response.body)
    found = tuple(_understood(event, read, protocols) for event in sent)
    failed = read_facts(response, protocols).error
    documents: dict[str, list[Any]] = {}
    for event in found:
        documents.setdefault(event.kind, []).extend(() if event.document is None else (event.document,))
    if document is not None:
        body, documents = DOCUMENT, {"document" if failed is None else ERROR: [document]}
    else:
        body = STREAM if found else TEXT if response.body.strip() else EMPTY
    return AnswerShape(
        status=response.status,
        end=response.end,
        body=body,
        headers=dict(_headers(response)),
        lines=frozenset(_lines(response.body)) if found else frozenset(),
        order=_order(found),
        usage=_usage(found),
        kinds={kind: fields_of(group) for kind, group in documents.items()},
        wording=_PASSING.sub("#", str(failed.get("message", ""))) if failed else "",
        read=MEMBERS_OF_ERRORS.union(*(protocol.members for protocol in protocols)),
    )


def _understood(event: Event, read: StreamReader, protocols: Protocols) -> StreamEvent:
    if event.data.strip() == DONE:
        return StreamEvent(name=DONE)
    document = read_json(event.data)
    if error_of(document, event.data, failed=event.name == "error", protocols=protocols) is not None:
        return StreamEvent(name=ERROR, document=document)
    if not isinstance(document, dict):
        return StreamEvent(name=BROKEN)
    said = document.get("event")
    name = event.name or (said if isinstance(said, str) else "")
    was_done = read.done
    holds = tuple(_holds(read(document)))
    ends = ("end",) if read.done and not was_done else ()
    return StreamEvent(name=name, holds=(*holds, *ends), document=document)


def _holds(chunk: Mapping[str, Any]) -> Iterator[str]:
    choice = _first(chunk.get("choices"))
    delta = as_mapping(choice.get("delta", choice.get("message")))
    if delta.get("role"):
        yield "role"
    if delta.get("reasoning_content") or delta.get("reasoning"):
        yield "reasoning"
    if delta.get("content"):
        yield "content"
    if call := _first(delta.get("tool_calls")) or as_mapping(delta.get("function_call")):
        named = call.get("id") or call.get("name") or as_mapping(call.get("function")).get("name")
        yield "tool call" if named else "tool arguments"
    if delta.get("refusal"):
        yield "refusal"
    if choice.get("finish_reason"):
        yield "finish"
    holders = (chunk, choice, as_mapping(chunk.get("x_groq")))
    if any(isinstance(holder.get("usage"), dict) for holder in holders):
        yield USAGE


_LONGEST_ROUND = 12  # more kinds in a round than any provider has


def _order(found: Iterable[StreamEvent]) -> tuple[str, ...]:
    """What comes after what, repetition folded: how many events a text comes in, how many tools are called,
    how often thinking and speaking take turns is for the model to say.
    """
    steps: list[str] = []
    said: set[str] = set()
    roles: set[str] = set()
    for step in (step for happening in found for step in happening.steps):
        # What a model says of its own accord counts the first time, and again after anything else: a finish,
        # say. Some say who speaks with every piece of text; there it is the first time that counts.
        seen = roles if step == "role" else said
        if step in seen:
            continue
        if step in _SAID or step == "role":
            seen.add(step)
        if step not in _SAID:
            said.clear()
        steps.append(step)
    size = 1
    while size <= min(len(steps) // 2, _LONGEST_ROUND):
        folded: list[str] = []
        place = 0
        while place < len(steps):  # rounds of this size that repeat the one before are left out
            ahead = steps[place : place + size]
            repeats = len(ahead) == size and folded[-size:] == ahead
            folded += () if repeats else ahead[:1]
            place += size if repeats else 1
        size = size + 1 if len(folded) == len(steps) else 1
        steps = folded
    return tuple(steps)


def _usage(found: Sequence[StreamEvent]) -> UsagePlace | None:
    """Where the totals of a stream stand; None if there are none."""
    with_totals = [place for place, happening in enumerate(found) if USAGE in happening.holds]
    if not with_totals:
        return None
    texts = [one for one in found if set(one.holds) - {USAGE} and not LAST & set(one.holds)]
    throughout = any(USAGE in one.holds for one in texts) if texts else None
    last = found[with_totals[-1]]
    others = set(last.holds) - {USAGE}
    if last.name:
        where = f"in the event {last.name}"
    elif others:
        where = "with the finish" if others & LAST else "with text"
    else:
        finished = any(LAST & set(one.holds) for one in found[: with_totals[-1]])
        where = f"in an event of its own {'after' if finished else 'before'} the finish"
    return UsagePlace(last=where, throughout=throughout)


def _first(values: Any) -> Mapping[str, Any]:
    return as_mapping(next(iter(as_list(values)), None))


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
