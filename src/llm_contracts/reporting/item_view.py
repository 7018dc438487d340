"""One compared item as a value: what both clients did, beside each other and beside the wire.

Made once for a recording; the review text, the review in the terminal and the page only draw it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, zip_longest
from typing import Any

from llm_contracts.clients.chunks import NotAChunkError, to_chunk, to_usage
from llm_contracts.clients.observation import Chunk, Observation, Usage
from llm_contracts.parity.compare import ABSENT
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.result import Item
from llm_contracts.reporting.align import align, paired
from llm_contracts.reporting.lines import body_lines, chunk_line, compact
from llm_contracts.util.json_values import read_json
from llm_contracts.wire.content import decoded
from llm_contracts.wire.events import events
from llm_contracts.wire.facts import WireFacts, read_facts
from llm_contracts.wire.facts.errors import error_of
from llm_contracts.wire.interaction import Interaction, Request, arrival_times
from llm_contracts.wire.protocols import BUILT_IN, Protocols, StreamReader
from llm_contracts.wire.sse import Event

JOINED = "(the joined text)"
"""Stands for a generation's output where that is the text the client handed on."""

BEST_VIEW: Mapping[Kind, str] = {
    Kind.TEXT: "text",
    Kind.REASONING: "text",
    Kind.REQUEST_TARGET: "requests",
    Kind.REQUEST_BODY: "requests",
    Kind.REQUEST_HEADERS: "requests",
    Kind.ATTEMPTS: "requests",
    Kind.ERROR: "usage",
    Kind.USAGE: "usage",
    Kind.USAGE_DETAILS: "usage",
    Kind.USAGE_INVENTED: "usage",
    Kind.USAGE_MISSING: "usage",
    Kind.TELEMETRY: "telemetry",
    Kind.DELIVERY_LAG: "time",
}
"""Which view shows a kind of difference best; `usage` is totals and how the call ended. Others: `lanes`."""

Table = tuple[tuple[Any, ...], ...]
"""Rows: a name, then the values of the wire (where it has any), the reference and the candidate; None where
there is none.
"""
_OK, _FIRST_FAILURE = 200, 400


@dataclass(frozen=True, kw_only=True, slots=True)
class WireEvent:
    """One event, or the whole body of an answer that is not a stream.

    Attributes:
        exchange: which of the recorded exchanges it belongs to.
        kind: what it is for people: `content`, `usage`, `error`, `done`, `body` and so on.
        data: as sent.
        chunk: what it says in the canonical form of clients' chunks; None where it is none.
        at_ms: when its last byte arrived, since the request was sent; None where no times were recorded.
        whole: whether it is the body of an answer that is not a stream.
    """

    exchange: int
    kind: str
    data: str
    name: str | None = None
    chunk: Chunk | None = None
    at_ms: float | None = None
    whole: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneRow:
    """A chunk of the reference beside one of the candidate (their places in the lanes; None is a gap).
    `wire` is the first event sent since the row before, and the one after the last.
    """

    left: int | None
    right: int | None
    equal: bool
    wire: tuple[int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestView:
    """A request of either client: targets (`POST https://…`), headers by name, bodies in canonical lines."""

    targets: tuple[str | None, str | None]
    headers: Table
    bodies: tuple[tuple[str, ...], tuple[str, ...]]

    def lines(self, side: int) -> list[str]:
        """What one client sent, its body below the target; nothing where it made no such request."""
        target = self.targets[side]
        return [] if target is None else [target, *(f"  {line}" for line in self.bodies[side])]


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemView:
    """A recording that ran.

    Attributes:
        item: what it was made from.
        reference, candidate: what each client did.
        lines: the chunks of each, a line for each.
        wire: what the provider sent, event by event.
        streamed: the events that chunks were made from, in the order that `Chunk.position` counts.
        facts: the answer that counts; None where nothing was recorded.
        rows: all chunks and events, in order.
        requests: one for each request that either client made.
        usage, ends: token totals, and how the call ended.
        telemetry: a table for each generation, with `ABSENT` for what a client did not send.
    """

    item: Item
    reference: Observation
    candidate: Observation
    lines: tuple[tuple[str, ...], tuple[str, ...]]
    wire: tuple[WireEvent, ...]
    streamed: tuple[WireEvent, ...]
    facts: WireFacts | None
    rows: tuple[LaneRow, ...]
    requests: tuple[RequestView, ...]
    usage: Table
    ends: Table
    telemetry: tuple[Table, ...]

    @property
    def chunk_rows(self) -> tuple[LaneRow, ...]:
        """The rows that hold a chunk of either client."""
        return tuple(row for row in self.rows if (row.left, row.right) != (None, None))

    def sent_ms(self, chunk: Chunk) -> float | None:
        """When the last event was sent that had been played when the client handed this chunk on."""
        played = min(chunk.position or 0, len(self.streamed))
        return self.streamed[played - 1].at_ms if played else None

    def telemetry_lines(self, side: int) -> list[str]:
        """What one client sent, a line for each field; `side` is 1 for the reference, 2 for the candidate."""
        sent = ((row[0], row[side]) for table in self.telemetry for row in table if row[side] != ABSENT)
        return [f"{name}: {JOINED[1:-1] if value == JOINED else compact(value)}" for name, value in sent]


def item_view(item: Item, protocols: Protocols = BUILT_IN) -> ItemView | None:
    """The view of an item; None of one that did not run, of which there is only its problem."""
    reference, candidate = item.reference, item.candidate
    if reference is None or candidate is None:
        return None
    answers = [read_facts(exchange.response, protocols) for exchange in item.exchanges]
    wire = tuple(wire_events(item.exchanges, answers, protocols))
    facts = next(iter([each for each in answers if each.status == _OK][-1:] or answers[-1:]), None)
    return ItemView(
        item=item,
        reference=reference,
        candidate=candidate,
        lines=(tuple(map(chunk_line, reference.chunks)), tuple(map(chunk_line, candidate.chunks))),
        wire=wire,
        streamed=tuple(event for event in wire if not event.whole),
        facts=facts,
        rows=rows(reference.chunks, wire, candidate.chunks),
        requests=tuple(
            _request(one, other) for one, other in zip_longest(reference.requests, candidate.requests)
        ),
        usage=_table(
            _numbers(to_usage(facts.usage) if facts and facts.usage else None),
            *(_numbers(next(reversed(seen.reported_usage), None)) for seen in (reference, candidate)),
        ),
        ends=_table(_wire_end(facts), _client_end(reference), _client_end(candidate)),
        telemetry=tuple(_telemetry(reference, candidate)),
    )


def rows(left: Sequence[Chunk], wire: Sequence[WireEvent], right: Sequence[Chunk]) -> tuple[LaneRow, ...]:
    """The clients' chunks aligned with each other; each row then takes the events up to the one that its
    chunks were made from. What reached nobody comes at the end.
    """
    origins = (_origins(left, wire), _origins(right, wire))
    found: list[LaneRow] = []
    done = 0
    for one, other, equal in paired(list(map(chunk_line, left)), list(map(chunk_line, right))):
        places = [lane[n] for lane, n in zip(origins, (one, other), strict=True) if n is not None]
        upto = max((event + 1 for event in places if event is not None), default=done)
        found.append(LaneRow(left=one, right=other, equal=equal, wire=(done, max(done, upto))))
        done = max(done, upto)
    if done < len(wire):
        found.append(LaneRow(left=None, right=None, equal=True, wire=(done, len(wire))))
    return tuple(found)


def _origins(lane: Sequence[Chunk], wire: Sequence[WireEvent]) -> list[int | None]:
    """For each chunk the event it was made from: the one that says the same, else the one with which as much
    text had been sent as the client had handed on; None where neither is to be found.
    """
    lines = [chunk_line(event.chunk) if event.chunk else event.data for event in wire]
    found: list[int | None] = [None] * len(lane)
    for block in align([chunk_line(chunk) for chunk in lane], lines):
        if block.equal:
            found[block.left_from : block.left_to] = range(block.right_from, block.right_to)
    sent = list(accumulate(_characters(event.chunk) for event in wire))
    handed = accumulate(map(_characters, lane))
    for place, (chunk, characters) in enumerate(zip(lane, handed, strict=True)):
        if found[place] is None and _characters(chunk) and sent and characters <= sent[-1]:
            found[place] = bisect_left(sent, characters)
    return found


def _characters(chunk: Chunk | None) -> int:
    return len(chunk.text) + len(chunk.reasoning) if chunk else 0


def _request(one: Request | None, other: Request | None) -> RequestView:
    both = (one, other)
    left, right = (None if request is None else f"{request.method} {request.uri}" for request in both)
    headers = [_headers(request) for request in both]
    return RequestView(
        targets=(left, right),
        headers=tuple((n, *(side.get(n) for side in headers)) for n in sorted(headers[0] | headers[1])),
        bodies=(body_lines(one.body if one else b""), body_lines(other.body if other else b"")),
    )


def _headers(request: Request | None) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for name, value in request.headers if request else ():
        found.setdefault(name.lower(), []).append(value)
    return {name: ", ".join(values) for name, values in found.items()}


def _table(*sides: Mapping[str, Any]) -> Table:
    names = dict.fromkeys(name for side in reversed(sides) for name in side)
    return tuple((name, *(side.get(name) for side in sides)) for name in names)


def _numbers(usage: Usage | None) -> dict[str, Any]:
    if usage is None:
        return {}
    totals = {name: getattr(usage, name) for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
    return {name: value for name, value in {**totals, **usage.details}.items() if value is not None}


def _wire_end(facts: WireFacts | None) -> dict[str, Any]:
    if facts is None:
        return {}
    error = facts.error or {}
    return {
        "finish reason": ", ".join(facts.finish_reasons) or None,
        "characters": len(facts.whole_text),
        "error": error.get("message"),
        "status": facts.status,
        "provider's code": error.get("code"),
        "connection": f"{facts.end}{', with [DONE]' if facts.done else ''}",
    }


def _client_end(seen: Observation) -> dict[str, Any]:
    failure = seen.failure
    return {
        "finish reason": ", ".join(seen.finish_reasons) or None,
        "characters": len(seen.text),
        "pieces of text": len(seen.deltas),
        "requests made": len(seen.requests),
        "waits, in seconds": ", ".join(f"{pause:g}" for pause in seen.pauses or ()) or None,
        "error": failure.message if failure else None,
        "category": failure.category if failure else None,
        "status": failure.status if failure else None,
        "code": failure.code if failure else None,
        "provider's code": failure.provider_code if failure else None,
        "attempts, as reported": failure.attempts if failure else None,
        **{
            what: ", ".join(dict.fromkeys(str(each) for each in found if each is not None)) or None
            for what, found in (
                ("model name", (chunk.model for chunk in seen.chunks)),
                ("response id", (chunk.id for chunk in seen.chunks)),
            )
        },
    }


def _telemetry(reference: Observation, candidate: Observation) -> Iterator[Table]:
    nothing: Mapping[str, Any] = {}
    for both in zip_longest(reference.generations, candidate.generations, fillvalue=nothing):
        sides = [dict(each) for each in both]
        for side, seen in zip(sides, (reference, candidate), strict=True):
            if "output" in side and side["output"] == seen.text:
                side["output"] = JOINED  # the lanes show it already
        yield tuple((n, *(side.get(n, ABSENT) for side in sides)) for n in sorted(sides[0] | sides[1]))


def wire_events(
    exchanges: Sequence[Interaction], answers: Sequence[WireFacts], protocols: Protocols = BUILT_IN
) -> Iterator[WireEvent]:
    """Everything that the provider sent, in order; `answers` are the facts of each exchange."""
    for number, (exchange, facts) in enumerate(zip(exchanges, answers, strict=True)):
        response = decoded(exchange.response)
        found = events(response.body) if facts.streamed else ()
        read, arrival = StreamReader(protocols), arrival_times(response)
        if response.body and not found:
            yield WireEvent(
                exchange=number,
                kind="error" if response.status >= _FIRST_FAILURE else "body",
                data=response.body.decode("utf-8", "replace"),
                at_ms=arrival(len(response.body)),
                whole=True,
            )
        for event in found:
            value = read_json(event.data)
            chunk = _chunk(read, value)
            yield WireEvent(
                exchange=number,
                kind=_kind(event, value, chunk, protocols),
                data=event.data,
                name=event.name,
                chunk=chunk,
                at_ms=arrival(event.end),
            )


def _chunk(read: StreamReader, value: Any) -> Chunk | None:
    if not isinstance(value, dict):
        return None
    try:
        return to_chunk(read(value))
    except (NotAChunkError, AttributeError, TypeError, ValueError):
        return None  # an unknown shape is shown as it was sent


def _kind(event: Event, value: Any, chunk: Chunk | None, protocols: Protocols) -> str:
    if event.data.strip() == "[DONE]":
        return "done"
    if error_of(value, event.data, failed=event.name == "error", protocols=protocols) is not None:
        return "error"
    return "unread" if chunk is None else chunk_kind(chunk)


def chunk_kind(chunk: Chunk) -> str:
    """What a chunk carries, in a word or several with a plus between: `content+usage`."""
    carried = {
        "content": chunk.text,
        "reasoning": chunk.reasoning,
        "tool": chunk.tool_calls,
        "finish": chunk.finish_reason,
        "usage": chunk.usage,
        "other": chunk.extra,
    }
    return "+".join(name for name, value in carried.items() if value) or ("role" if chunk.role else "empty")
