"""What one recording shows about a difference, from four sides: lanes, wire, requests, times."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from llm_contracts.parity.compare import ABSENT
from llm_contracts.parity.divergence import Kind
from llm_contracts.reporting.lanes import chunk_line, quoted, request_lines, telemetry_lines, usage_line
from llm_contracts.review.tui.page import Page, Row, folded, pairs, together, whole
from llm_contracts.review.tui.timing import time_rows, wire_rows

if TYPE_CHECKING:
    from llm_contracts.clients.observation import Observation
    from llm_contracts.parity.divergence import Divergence
    from llm_contracts.parity.result import Item


class View(StrEnum):
    """A side from which a difference can be looked at."""

    LANES = "lanes"
    WIRE = "wire"
    REQUEST = "request"
    TIME = "time line"


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
}
"""Kinds that show best in one field of what a path did, not in its chunks."""


def first_view(kind: Kind) -> View:
    """The view that shows a difference of this kind best."""
    return _FIRST.get(kind, View.LANES)


def page(item: Item, divergence: Divergence, view: View, *, entire: bool = False) -> Page:
    """One view of a recording, folded to what differs unless all of it is asked for."""
    if item.reference is None or item.candidate is None:
        return Page(rows=(whole(item.problem or "This recording was not compared."),))
    rows = tuple(_VIEWS[view](item, divergence))
    if not any(row.differs for row in rows):
        return Page(rows=tuple(map(together, rows)))
    shown = rows if entire else tuple(folded(rows))
    return Page(rows=shown, focus=_focus(shown, divergence, view))


def _lanes(item: Item, _divergence: Divergence) -> Iterator[Row]:
    left, right = _sides(item)
    yield from pairs([chunk_line(c) for c in left.chunks], [chunk_line(c) for c in right.chunks], "chunks")
    if not left.chunks and not right.chunks:
        yield whole("no chunks on either client")
    yield whole("")
    yield from _fields(_ends(left), _ends(right))
    if left.generations or right.generations:
        yield whole("")
        told = telemetry_lines(left), telemetry_lines(right)
        yield from pairs(*told, "lines of telemetry", label="telemetry")


def _sides(item: Item) -> tuple[Observation, Observation]:
    assert item.reference is not None, "a page says so before"
    assert item.candidate is not None, "a page says so before"
    return item.reference, item.candidate


def _fields(left: Mapping[str, str], right: Mapping[str, str]) -> Iterator[Row]:
    for name in dict.fromkeys((*left, *right)):
        one, other = left.get(name), right.get(name)
        yield Row(left=one, right=other, label=name, differs=one != other)


def _ends(seen: Observation) -> dict[str, str]:
    """How it all came out, a field a line."""
    failure = seen.failure
    status = "" if failure is None or failure.status is None else f" {failure.status}"
    codes = [] if failure is None else [c for c in (failure.code, failure.provider_code) if c]
    told = (
        "" if failure is None else " ".join([f"{failure.category}{status}", *codes, quoted(failure.message)])
    )
    return {
        "text": f"{len(seen.text):,} characters in {len(seen.deltas):,} deltas",
        "finish": ", ".join(seen.finish_reasons) or "none",
        "usage": ", ".join(map(usage_line, seen.reported_usage)) or "none",
        "error": told or "none",
        "model": _all(chunk.model for chunk in seen.chunks),
        "id": _all(chunk.id for chunk in seen.chunks),
    }


def _all(values: Iterable[str | None]) -> str:
    return ", ".join(dict.fromkeys(value for value in values if value is not None)) or "none"


def _request(item: Item, divergence: Divergence) -> Iterator[Row]:
    left, right = _sides(item)
    yield from pairs(request_lines(left), request_lines(right), "lines", label="")
    places = [d.where.lower() for d in (divergence, *item.divergences) if d.kind is Kind.REQUEST_HEADERS]
    yield whole("")
    for row in _fields(_headers(left), _headers(right)):
        # Most headers name the client library: they differ and mean nothing.
        meant = row.differs and any(row.label in place for place in places)
        yield replace(row, differs=meant, fold="headers, or without meaning", label="")


def _headers(seen: Observation) -> dict[str, str]:
    """Those of the last request."""
    sent = seen.requests[-1].headers if seen.requests else ()
    return {name.lower(): f"{name.lower()}: {quoted(value)[1:-1]}" for name, value in sorted(sent)}


def _wire(item: Item, _divergence: Divergence) -> Iterator[Row]:
    return wire_rows(item)


def _time(item: Item, _divergence: Divergence) -> Iterator[Row]:
    return time_rows(item)


_VIEWS: Mapping[View, Callable[[Item, Divergence], Iterator[Row]]] = {
    View.LANES: _lanes,
    View.WIRE: _wire,
    View.REQUEST: _request,
    View.TIME: _time,
}


def _focus(rows: tuple[Row, ...], divergence: Divergence, view: View) -> int:
    """The row that the difference is about, or the first that differs."""
    differing = [i for i, row in enumerate(rows) if row.differs]
    named = (i for i in differing if _is_about(rows[i], divergence, view))
    return next(named, differing[0] if differing else 0)


def _is_about(row: Row, divergence: Divergence, view: View) -> bool:
    if view is View.LANES:
        label = "telemetry" if divergence.kind is Kind.TELEMETRY else _FIELDS.get(divergence.kind)
        return row.label == label
    field = divergence.where.rsplit(".", 1)[-1].lower()
    return view is View.REQUEST and field in f"{row.left} {row.right}".lower()


def value_text(value: object) -> str:
    """A JSON value in a line; what is not there at all is `absent`."""
    if value == ABSENT:
        return "absent"
    text = quoted(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return re.sub(r"[^\S ]", " ", text)
