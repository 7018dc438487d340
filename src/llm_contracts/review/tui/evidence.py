"""What one recording shows about a difference, from four sides: lanes, wire, requests, times.

A client's times in a replay say nothing about the provider. What is drawn are the recorded times of the
events; a chunk stands at the time of the last event that had been sent when the client handed it on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import zip_longest
from typing import Any

from llm_contracts.clients.observation import Chunk
from llm_contracts.parity.compare.finding import ABSENT, first_difference
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.parity.result import Item
from llm_contracts.reporting.item_view import BEST_VIEW, ItemView, item_view
from llm_contracts.reporting.lines import quoted, value_line
from llm_contracts.review.tui.page import Page, Row, View, folded, pairs, whole


def first_view(kind: Kind) -> View:
    """The view that shows a difference of this kind best."""
    if kind is Kind.UNFAITHFUL:
        return View.WIRE
    return {"requests": View.REQUEST, "time": View.TIME}.get(BEST_VIEW.get(kind, ""), View.LANES)


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
    about = filter(partial(_is_about, divergence, seen), (row for row in shown if row.differs))
    first = next(about, None) or next(row for row in shown if row.differs)
    return Page(rows=shown, focus=shown.index(first))


def _is_about(divergence: Divergence, seen: ItemView, row: Row) -> bool:
    """Whether a row shows what differs, not only something else that does."""
    kind, field = divergence.kind, divergence.where.rsplit(".", 1)[-1].lower()
    if first_view(kind) is View.REQUEST:
        return field in f"{row.left} {row.right}".lower()
    totals = {name for name, *_ in seen.usage} if field == "usage" else set()
    return row.label in {field, kind.replace("_", " "), *totals}


def _lanes(view: ItemView, _divergence: Divergence) -> Iterator[Row]:
    yield from pairs(*view.lines, "chunks", aligned=((r.left, r.right, r.equal) for r in view.chunk_rows))
    if not any(view.lines):
        yield whole("no chunks from either client")
    for table in filter(None, (view.usage, view.ends)):
        yield whole("")
        yield from _fields((name, *values[1:]) for name, *values in table)  # the wire has a view of its own
    for table in view.telemetry:
        yield whole("")
        yield from _fields(table, "fields of telemetry")


def _fields(table: Iterable[Sequence[Any]], fold: str = "") -> Iterator[Row]:
    """The rows of a table of which either client has a value."""
    for name, *values in table:
        one, other = (None if value is None or value == ABSENT else value_text(value) for value in values)
        if (one, other) != (None, None):
            yield Row(left=one, right=other, label=name, differs=one != other, fold=fold)


def _request(view: ItemView, divergence: Divergence) -> Iterator[Row]:
    for each in view.requests:
        yield from pairs(each.lines(0), each.lines(1), "lines", numbered=False)
    kinds = (divergence, *view.item.divergences)
    places = [d.where.lower() for d in kinds if d.kind is Kind.REQUEST_HEADERS]
    yield whole("")
    for each in view.requests[-1:]:
        for row in _fields(each.headers, "headers, or without meaning"):
            # Most headers name the client library: they differ and mean nothing.
            yield replace(row, differs=row.differs and any(row.label in place for place in places))


def _wire(view: ItemView, _divergence: Divergence) -> Iterator[Row]:
    """Every exchange: its status, then its events with how many chunks each client made of them."""
    handed = [Counter(chunk.position for chunk in seen.chunks) for seen in (view.reference, view.candidate)]
    number = 0
    for place, exchange in enumerate(view.item.exchanges):
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
            label, skip = f"{number:>4}{at} {'|'.join(map(str, became))}", first_difference(before, data)
            yield whole(data, label=label, differs=became[0] != became[1], fold="events", skip=skip)
            before = data
        if not response.body:
            yield whole("  (no body)")
    if not view.item.exchanges:
        yield whole("The result holds no exchanges of this recording.")


def _time(view: ItemView, _divergence: Divergence) -> Iterator[Row]:
    """Each delta with the event at which it was handed on."""

    def delta(chunk: Chunk) -> str:
        at = view.sent_ms(chunk)
        event = "event ?" if chunk.position is None else f"event {chunk.position}"
        return f"{event if at is None else f'{event} {at:,.0f} ms'}  {quoted(chunk.text)}"

    last = view.streamed[-1].at_ms if view.streamed else None
    if last is None:
        yield whole("The recording has no times." if view.streamed else "There are no events on the wire.")
    else:
        yield whole(f"{len(view.streamed):,} events in {last:,.0f} ms")
    yield whole("")
    left, right = ([delta(c) for c in seen.chunks if c.text] for seen in (view.reference, view.candidate))
    for number, (one, other) in enumerate(zip_longest(left, right), 1):
        yield Row(left=one, right=other, label=str(number), differs=one != other, fold="deltas")


_VIEWS: Mapping[View, Callable[[ItemView, Divergence], Iterator[Row]]] = {
    View.LANES: _lanes,
    View.WIRE: _wire,
    View.REQUEST: _request,
    View.TIME: _time,
}


def value_text(value: object) -> str:
    """A JSON value in a line; what is not there at all is `absent`."""
    text = quoted(value) if isinstance(value, str) and value != ABSENT else value_line(value)
    return re.sub(r"[^\S ]", " ", text)
