"""What one recording shows about a difference, from four sides: lanes, wire, requests, times.

A client's times in a replay say nothing about the provider. What is drawn are the recorded times of the
events; a chunk stands at the time of the last event that had been sent when the client handed it on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import zip_longest

from llm_contracts.clients.observation import Chunk, Observation
from llm_contracts.parity.compare.finding import ABSENT, first_difference
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.parity.result import Item
from llm_contracts.reporting.item_view import ItemView, item_view
from llm_contracts.reporting.lines import end_lines, quoted, request_lines, value_line
from llm_contracts.review.tui.page import Page, Row, View, folded, pairs, whole

_FIRST: Mapping[Kind, View] = {
    Kind.REQUEST_TARGET: View.REQUEST,
    Kind.REQUEST_BODY: View.REQUEST,
    Kind.REQUEST_HEADERS: View.REQUEST,
    Kind.ATTEMPTS: View.REQUEST,
    Kind.DELIVERY_LAG: View.TIME,
    Kind.UNFAITHFUL: View.WIRE,
}

_FIELDS: Mapping[Kind, str] = {
    Kind.FINISH_REASON: "finish",
    Kind.USAGE: "usage",
    Kind.USAGE_INVENTED: "usage",
    Kind.USAGE_MISSING: "usage",
    Kind.USAGE_DETAILS: "usage",
    Kind.ERROR: "error",
    Kind.MODEL_NAME: "model",
    Kind.RESPONSE_ID: "id",
    Kind.TELEMETRY: "telemetry",
}
"""Kinds that show best in one field of what a client did, not in its chunks."""


def first_view(kind: Kind) -> View:
    """The view that shows a difference of this kind best."""
    return _FIRST.get(kind, View.LANES)


def page(item: Item, divergence: Divergence, view: View, *, entire: bool = False) -> Page:
    """One view of a recording, folded to what differs unless all of it is asked for."""
    seen = item_view(item)
    if seen is None:
        return Page(rows=(whole(item.problem or "This recording was not compared."),))
    rows = tuple(_VIEWS[view](seen, divergence))
    differing = [row for row in rows if row.differs]
    if not differing:
        return Page(rows=tuple(replace(row, right=None, whole=True) for row in rows))
    shown = rows if entire else tuple(folded(rows))
    field = divergence.where.rsplit(".", 1)[-1].lower()
    about = [
        row
        for row in shown
        if row.differs
        and (
            (view is View.LANES and row.label == _FIELDS.get(divergence.kind))
            or (view is View.REQUEST and field in f"{row.left} {row.right}".lower())
        )
    ]
    return Page(rows=shown, focus=shown.index(about[0] if about else next(r for r in shown if r.differs)))


def _lanes(view: ItemView, _divergence: Divergence) -> Iterator[Row]:
    yield from pairs(*view.lines, "chunks")
    if not any(view.lines):
        yield whole("no chunks from either client")
    yield whole("")
    yield from _fields(_ends(view.reference), _ends(view.candidate))
    if view.telemetry:
        yield whole("")
        sides = view.telemetry_lines(1), view.telemetry_lines(2)
        yield from pairs(*sides, "lines of telemetry", label="telemetry")


def _fields(left: Mapping[str, str], right: Mapping[str, str]) -> Iterator[Row]:
    for name in dict.fromkeys((*left, *right)):
        one, other = left.get(name), right.get(name)
        yield Row(left=one, right=other, label=name, differs=one != other)


def _ends(seen: Observation) -> dict[str, str]:
    """How it all came out, a field a line."""
    failure = seen.failure
    facts = [] if failure is None else [failure.category, failure.status, failure.code, failure.provider_code]
    error = [str(fact) for fact in facts if fact not in {None, ""}]
    found = {
        "text": f"{len(seen.text):,} characters in {len(seen.deltas):,} deltas",
        **end_lines(seen),
        "error": "none" if failure is None else " ".join([*error, quoted(failure.message)]),
    }
    for name, values in (("model", (c.model for c in seen.chunks)), ("id", (c.id for c in seen.chunks))):
        found[name] = ", ".join(dict.fromkeys(value for value in values if value is not None)) or "none"
    return found


def _request(view: ItemView, divergence: Divergence) -> Iterator[Row]:
    yield from pairs(request_lines(view.reference), request_lines(view.candidate), "lines", label="")
    kinds = (divergence, *view.item.divergences)
    places = [d.where.lower() for d in kinds if d.kind is Kind.REQUEST_HEADERS]
    yield whole("")
    for row in _fields(_headers(view.reference), _headers(view.candidate)):
        # Most headers name the client library: they differ and mean nothing.
        meant = row.differs and any(row.label in place for place in places)
        yield replace(row, differs=meant, fold="headers, or without meaning", label="")


def _headers(seen: Observation) -> dict[str, str]:
    """Those of the last request."""
    sent = seen.requests[-1].headers if seen.requests else ()
    return {name.lower(): f"{name.lower()}: {quoted(value)[1:-1]}" for name, value in sorted(sent)}


def _wire(view: ItemView, _divergence: Divergence) -> Iterator[Row]:
    """Every exchange: its status, then its events with how many chunks each client made of them."""
    handed = [Counter(chunk.position for chunk in seen.chunks) for seen in (view.reference, view.candidate)]
    number = 0
    for place, exchange in enumerate(view.exchanges):
        response = exchange.response
        status = f"{response.status} {response.reason}".strip()
        yield whole(f"{exchange.request.method} {exchange.request.uri}")
        yield whole(f"  {status}, {len(response.body):,} bytes, {response.end}")
        before = ""
        for event in (each for each in view.wire if each.exchange == place):
            if event.whole:
                yield from (whole(f"  {line}") for line in event.data.splitlines())
                continue
            number += 1
            data = f"{event.name}: {event.data}" if event.name else event.data
            at = "" if event.at_ms is None else f" {event.at_ms:>6,.0f} ms"
            became = [counts[number] for counts in handed]
            yield whole(
                data,
                label=f"{number:>4}{at} {'|'.join(map(str, became))}",
                differs=became[0] != became[1],
                fold="events",
                skip=first_difference(before, data),
            )
            before = data
        if not response.body:
            yield whole("  (no body)")
    if not view.exchanges:
        yield whole("The result holds no exchanges of this recording.")


def _time(view: ItemView, _divergence: Divergence) -> Iterator[Row]:
    """Each delta with the event at which it was handed on."""
    times = [event.at_ms for event in view.streamed]

    def time_of(chunk: Chunk) -> float | None:
        return times[chunk.position - 1] if chunk.position and chunk.position <= len(times) else None

    def delta(chunk: Chunk) -> str:
        at = time_of(chunk)
        event = "event ?" if chunk.position is None else f"event {chunk.position}"
        return f"{event if at is None else f'{event} {at:,.0f} ms'}  {quoted(chunk.text)}"

    left, right = ([c for c in seen.chunks if c.text] for seen in (view.reference, view.candidate))
    if None in times or not times:
        yield whole("The recording has no times." if times else "There are no events on the wire.")
    else:
        yield whole(f"{len(times):,} events in {times[-1]:,.0f} ms")
    yield whole("")
    for number, (one, other) in enumerate(zip_longest(map(delta, left), map(delta, right)), 1):
        yield Row(left=one, right=other, label=str(number), differs=one != other, fold="deltas")


_VIEWS: Mapping[View, Callable[[ItemView, Divergence], Iterator[Row]]] = {
    View.LANES: _lanes,
    View.WIRE: _wire,
    View.REQUEST: _request,
    View.TIME: _time,
}


def value_text(value: object) -> str:
    """A JSON value in a line; what is not there at all is `absent`."""
    return re.sub(
        r"[^\S ]", " ", quoted(value) if isinstance(value, str) and value != ABSENT else value_line(value)
    )
