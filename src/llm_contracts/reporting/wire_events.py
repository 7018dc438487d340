"""The lane between the two clients: what the provider sent, event by event, and when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from llm_contracts.clients.chunks import NotAChunkError, to_chunk
from llm_contracts.clients.observation import Chunk
from llm_contracts.util.json_values import read_json
from llm_contracts.wire.content import decoded
from llm_contracts.wire.events import events
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.facts.errors import error_of_event
from llm_contracts.wire.interaction import Interaction, Response, arrival_times
from llm_contracts.wire.protocols import BUILT_IN, Protocols, StreamReader
from llm_contracts.wire.sse import Event

_FIRST_FAILURE = 400


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


def wire_events(exchanges: Sequence[Interaction], protocols: Protocols = BUILT_IN) -> tuple[WireEvent, ...]:
    """Everything that the provider sent, in order."""
    return tuple(
        event
        for number, exchange in enumerate(exchanges)
        for event in _of_response(number, decoded(exchange.response), protocols)
    )


def _of_response(number: int, response: Response, protocols: Protocols) -> Iterator[WireEvent]:
    found = events(response.body) if read_facts(response, protocols).streamed else ()
    read = StreamReader(protocols)
    arrival = arrival_times(response)
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
    if error_of_event(event.name, value, event.data, protocols) is not None:
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
