"""Everything the page shows about one item: its view as JSON values."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any
from urllib.parse import urlsplit

from llm_contracts.clients.observation import Chunk, Observation
from llm_contracts.parity.result import Item
from llm_contracts.reporting.align import Pieces, merged, word_diff
from llm_contracts.reporting.item_view import ItemView, LaneRow, chunk_kind, item_view
from llm_contracts.reporting.lines import distinct, usage_line
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.protocols import BUILT_IN, Protocols


def detail(item: Item, protocols: Protocols = BUILT_IN) -> dict[str, Any]:
    """The detail of an item that ran; of one that did not, its problem alone."""
    view = item_view(item, protocols)
    if view is None:
        return {"problem": item.problem}
    lanes = [_lane(seen, view) for seen in (view.reference, view.candidate)]
    texts = (view.reference.text, view.candidate.text)
    reasonings = (view.reference.reasoning, view.candidate.reasoning)
    return {
        "exchanges": [_exchange(exchange) for exchange in view.item.exchanges],
        "wire": [[event.exchange, event.kind, event.data, event.name, event.at_ms] for event in view.wire],
        "lanes": lanes,
        "rows": [_row(row, view, lanes) for row in view.rows],
        "text": _texts(view.facts.whole_text if view.facts else "", *texts),
        "reasoning": _texts(view.facts.reasoning if view.facts else "", *reasonings),
        "requests": [
            {"target": each.targets, "headers": each.headers, "body": list(merged(*each.bodies))}
            for each in view.requests
        ],
        "usage": view.usage,
        "ends": view.ends,
        "telemetry": view.telemetry,
        "noise": [[str(d.kind), d.where, d.reference, d.candidate] for d in item.noise],
        "normalised": dict(item.normalised),
        "curl": _curl(item),
    }


def _curl(item: Item) -> str | None:
    """What asks `llm-contracts serve` the recorded question; None where a shell could not say it."""
    request = item.exchanges[0].request if item.exchanges else None
    if request is None or request.method != "POST":
        return None
    try:
        body = request.body.decode()
    except UnicodeDecodeError:
        return None
    parts = urlsplit(request.uri)
    query = f"?{parts.query}" if parts.query else ""
    address = f"http://127.0.0.1:8800/scenario/{item.scenario}/{item.provider}{parts.path}{query}"
    return f"curl -N {shlex.quote(address)} -d {shlex.quote(body)}"


def _row(row: LaneRow, view: ItemView, lanes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`l`, `r`: places in the lanes; `w`: the first event and the one after the last; `eq`; and where two
    texts differ `lm`, `rm`: their pieces, see `marks`. Rows are not alike where the id or the model's
    name changes to something else in each lane.
    """
    found: dict[str, Any] = {"l": row.left, "r": row.right, "eq": row.equal, "w": row.wire}
    if row.left is not None and row.right is not None:
        if row.equal:
            one, other = lanes[0]["chunks"][row.left], lanes[1]["chunks"][row.right]
            found["eq"] = all(one.get(name) == other.get(name) for name in ("id", "model"))
        else:
            texts = view.reference.chunks[row.left].text, view.candidate.chunks[row.right].text
            found["lm"], found["rm"] = _spelled(*word_diff(*texts))
    return found


def _spelled(one: Pieces, other: Pieces) -> tuple[Pieces, Pieces]:
    """The pieces with what is not shared written so that it can be told apart."""
    pairs = [distinct(*both) for both in zip_longest(one, other, fillvalue="")]
    return [mine for mine, _ in pairs][: len(one)], [theirs for _, theirs in pairs][: len(other)]


def _exchange(exchange: Interaction) -> dict[str, Any]:
    response = exchange.response
    pieces = response.pieces
    return {
        "status": response.status,
        "type": response.header("content-type"),
        "end": str(response.end),
        "bytes": len(response.body),
        "pieces": None if pieces is None else [[piece.size, piece.at_ms] for piece in pieces],
        "headers": [list(line) for line in response.headers],
    }


def _lane(seen: Observation, view: ItemView) -> dict[str, Any]:
    failure = seen.failure
    return {
        "client": seen.client,
        "chunks": _chunks(seen.chunks, view),
        "duration": round(seen.duration_ms, 1),
        "hash": hashlib.sha256(seen.text.encode("utf-8", "surrogatepass")).hexdigest()[:12],
        "failure": None if failure is None else [failure.category, failure.message],
        "finish": list(seen.finish_reasons),
    }


def _chunks(chunks: Sequence[Chunk], view: ItemView) -> list[dict[str, Any]]:
    """Ids and model names only where they change: they repeat on every chunk."""
    found = []
    before: tuple[str | None, str | None] = (None, None)
    for chunk in chunks:
        fields = {
            "kind": chunk_kind(chunk),
            "text": chunk.text,
            "reasoning": chunk.reasoning,
            "tools": [dict(call) for call in chunk.tool_calls],
            "finish": chunk.finish_reason,
            "usage": chunk.usage and usage_line(chunk.usage),
            "extra": dict(chunk.extra),
            "others": [dict(other) for other in chunk.others],
            "role": chunk.role,
            "id": chunk.id if chunk.id != before[0] else None,
            "model": chunk.model if chunk.model != before[1] else None,
            "pos": chunk.position,
            "wire_ms": view.sent_ms(chunk),
            "at": chunk.at_ms,
        }
        found.append({name: value for name, value in fields.items() if value not in (None, "", [], {})})
        before = (chunk.id or before[0], chunk.model or before[1])
    return found


def _texts(wire: str, reference: str, candidate: str) -> dict[str, Any] | None:
    """Both joined texts as pieces (see `marks`), and whether each is what the wire says."""
    if not (wire or reference or candidate):
        return None
    one, other = word_diff(reference, candidate) if reference != candidate else ([reference], [candidate])
    same = {"reference": reference == wire, "candidate": candidate == wire}
    return {
        "reference": one,
        "candidate": other,
        "same": same,
        "wire": wire if not all(same.values()) else None,
    }
