"""Everything the page shows about one item, as JSON values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from llm_contracts.clients.observation import Chunk, Observation, Usage
from llm_contracts.parity.result import Item
from llm_contracts.reporting.html import tables
from llm_contracts.reporting.html.marks import marked
from llm_contracts.reporting.html.rows import Row, rows
from llm_contracts.reporting.html.wire_lane import WireEvent, kind_of, wire_events
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.protocols import BUILT_IN, Protocols


def detail(item: Item, protocols: Protocols = BUILT_IN) -> dict[str, Any]:
    """The detail of an item that ran; of one that did not, its problem alone."""
    if item.reference is None or item.candidate is None:
        return {"problem": item.problem}
    reference, candidate = item.reference, item.candidate
    wire = wire_events(item.exchanges, protocols)
    streamed = [event for event in wire if event.kind != "body"]
    lanes = [_lane(side, streamed) for side in (reference, candidate)]
    facts = tables.decisive([read_facts(exchange.response, protocols) for exchange in item.exchanges])
    return {
        "exchanges": [_exchange(exchange) for exchange in item.exchanges],
        "wire": [[event.exchange, event.kind, event.data, event.name, event.at_ms] for event in wire],
        "lanes": lanes,
        "rows": _named_rows(rows(reference.chunks, wire, candidate.chunks), lanes),
        "text": _texts(facts.whole_text if facts else "", reference.text, candidate.text),
        "reasoning": _texts(facts.reasoning if facts else "", reference.reasoning, candidate.reasoning),
        "requests": tables.requests(reference, candidate),
        "usage": tables.usage(facts, reference, candidate),
        "ends": tables.ends(facts, reference, candidate),
        "telemetry": tables.telemetry(reference, candidate),
        "noise": [[str(d.kind), d.where, d.reference, d.candidate] for d in item.noise],
        "normalised": dict(item.normalised),
    }


def _named_rows(found: list[Row], lanes: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Rows are not alike where the id or the model's name changes to something else in each lane."""
    for row in found:
        if row["eq"] and row["l"] is not None and row["r"] is not None:
            one, other = lanes[0]["chunks"][row["l"]], lanes[1]["chunks"][row["r"]]
            row["eq"] = all(one.get(name) == other.get(name) for name in ("id", "model"))
    return found


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


def _lane(seen: Observation, streamed: Sequence[WireEvent]) -> dict[str, Any]:
    failure = seen.failure
    return {
        "client": seen.path,
        "chunks": _chunks(seen.chunks, streamed),
        "duration": round(seen.duration_ms, 1),
        "hash": hashlib.sha256(seen.text.encode("utf-8", "surrogatepass")).hexdigest()[:12],
        "failure": None if failure is None else [failure.category, failure.message],
        "finish": list(seen.finish_reasons),
    }


def _chunks(chunks: Sequence[Chunk], streamed: Sequence[WireEvent]) -> list[dict[str, Any]]:
    """Ids and model names only where they change: they repeat on every chunk."""
    found = []
    before: tuple[str | None, str | None] = (None, None)
    for chunk in chunks:
        fields = {
            "kind": kind_of(chunk),
            "text": chunk.text,
            "reasoning": chunk.reasoning,
            "tools": [dict(call) for call in chunk.tool_calls],
            "finish": chunk.finish_reason,
            "usage": _usage(chunk.usage),
            "extra": dict(chunk.extra),
            "role": chunk.role,
            "id": chunk.id if chunk.id != before[0] else None,
            "model": chunk.model if chunk.model != before[1] else None,
            "pos": chunk.position,
            "wire_ms": _sent_at(chunk.position, streamed),
            "at": chunk.at_ms,
        }
        found.append({name: value for name, value in fields.items() if value not in (None, "", [], {})})
        before = (chunk.id or before[0], chunk.model or before[1])
    return found


def _sent_at(position: int | None, streamed: Sequence[WireEvent]) -> float | None:
    """When, in the recording, the last event came that had been played when a chunk was handed on."""
    if not position or not streamed:
        return None
    return streamed[min(position, len(streamed)) - 1].at_ms


def _usage(usage: Usage | None) -> Mapping[str, Any] | None:
    if usage is None:
        return None
    return {
        "prompt": usage.prompt_tokens,
        "completion": usage.completion_tokens,
        "total": usage.total_tokens,
        **usage.details,
    }


def _texts(wire: str, reference: str, candidate: str) -> dict[str, Any] | None:
    """Both joined texts as pieces (see `marks`), and whether each is what the wire says."""
    if not (wire or reference or candidate):
        return None
    one, other = marked(reference, candidate) if reference != candidate else ([reference], [candidate])
    same = {"reference": reference == wire, "candidate": candidate == wire}
    return {
        "reference": one,
        "candidate": other,
        "same": same,
        "wire": wire if not all(same.values()) else None,
    }
