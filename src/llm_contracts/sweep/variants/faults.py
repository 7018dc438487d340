"""What providers do wrong, derived from an answer that was right: in the provider's own dialect where the
simulator has it, else in OpenAI's.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from llm_contracts.simulator.ask import ParsedRequest
from llm_contracts.simulator.dialect import Dialect
from llm_contracts.simulator.engine import KEY, Reply, Responder
from llm_contracts.simulator.script import Ending, Refusal, Refused, ScriptedAnswer, Turn
from llm_contracts.sweep.variants.variant import Family, Variant
from llm_contracts.wire.interaction import End, Interaction, Response
from llm_contracts.wire.streamed import Streamed

PATIENCE = 0.4
"""Seconds that a client is given for a provider that says nothing more."""

_WAIT = 2  # seconds that a busy provider asks for
_FINISH_KEYS = ("finish_reason", "finishReason", "stop_reason")
_DATA = re.compile(rb"(data: ?)([^\r\n]+)")
_DOCUMENT = re.compile(rb"()(\{.*\})", re.DOTALL)
_PAGE = b"<!DOCTYPE html><html><head><title>Please sign in</title></head><body>Please sign in.</body></html>"


def faults(
    stream: Streamed, dialect: Dialect, places: Iterable[int], *, stalls: Iterable[int]
) -> Iterator[Variant]:
    """Every fault that can be derived from a whole stream.

    Args:
        stream: the recording.
        dialect: in whose words to refuse.
        places: the numbers of the events to which, or after which, something happens; 0 is before the first.
        stalls: after which of them the provider says nothing more.
    """
    yield from _whole_answers(stream, dialect)
    text = ("a", "b")
    error = _reply(dialect, ScriptedAnswer(text=text, json_text=text, ending=Ending.ERROR)).pieces[-1]
    for place in stalls:
        yield _variant(f"stall@{place}", stream.with_parts(stream.parts[:place], end=End.TIMEOUT), PATIENCE)
    for place in places:
        yield from _after(stream, place, error)


def _whole_answers(stream: Streamed, dialect: Dialect) -> Iterator[Variant]:
    silent = Response(status=0, end=End.TIMEOUT)
    yield _variant("stall-before-head", stream.with_response(silent), PATIENCE)
    failed = _refusal(dialect, Refusal(why=Refused.SERVER_ERROR, status=500), "Internal Server Error")
    yield _variant("status-500", stream.with_response(failed))
    busy = Refusal(why=Refused.RATE_LIMIT, status=429, retry_after=_WAIT)
    yield _variant("busy-then-answer", stream.preceded_by(_refusal(dialect, busy, "Too Many Requests")))
    if stream.document:
        yield from _other_documents(stream, failed)
    parts = tuple(
        _edited(part, _without_finish, _DOCUMENT if stream.document else _DATA) for part in stream.parts
    )
    if parts != stream.parts:
        yield _variant("no-finish", stream.with_parts(parts))


def _other_documents(stream: Streamed, failed: Response) -> Iterator[Variant]:
    """With a good status: an error, a proxy's page, or a mark that readers may refuse (RFC 8259, 8.1)."""
    page = Response(
        status=200, reason="OK", headers=(("content-type", "text/html; charset=utf-8"),), body=_PAGE
    )
    yield _variant("error@0", stream.with_response(replace(failed, status=200, reason="OK")))
    yield _variant("page", stream.with_response(page))
    yield _variant("bom", stream.with_parts((codecs.BOM_UTF8 + stream.parts[0],)))


def _reply(dialect: Dialect, turn: Turn) -> Reply:
    """What the simulator says in a provider's own words."""
    body = {"model": next(iter(dialect.models)), "stream": True, "messages": []}
    return Responder(dialect=dialect).respond(ParsedRequest(path="/", key=KEY, body=body), turn)


def _refusal(dialect: Dialect, refusal: Refusal, reason: str) -> Response:
    reply = _reply(dialect, refusal)
    return Response(status=reply.status, reason=reason, headers=reply.headers, body=b"".join(reply.pieces))


def _after(stream: Streamed, place: int, error: bytes) -> Iterator[Variant]:
    """What happens after, or to, the event with this number; 0 is before the first."""
    before, rest = stream.parts[:place], stream.parts[place:]
    if stream.server_sent:
        yield _variant(f"error@{place}", stream.with_parts((*before, error)))
    if not place or before[0].lstrip().startswith(b"["):  # an array's elements cannot be doubled so
        return
    last = before[-1]
    yield _variant(f"twice@{place}", stream.with_parts((*before, last, *rest)))
    broken = _DATA.sub(_half, last, count=1)
    if broken != last:
        yield _variant(f"broken-json@{place}", stream.with_parts((*before[:-1], broken, *rest)))


def _half(found: re.Match[bytes]) -> bytes:
    """The first half of the data, where that is JSON; a half of `[DONE]` would be no JSON that broke."""
    data = found[2]
    return found[1] + (data[: len(data) // 2] if data.startswith(b"{") else data)


def _edited(part: bytes, edit: Callable[[Any], Any], place: re.Pattern[bytes]) -> bytes:
    """The event with other JSON in it; as it is where there is no JSON, or nothing to edit."""

    def replaced(found: re.Match[bytes]) -> bytes:
        try:
            value = json.loads(found[2])
        except ValueError:
            return found[0]
        changed = edit(value)
        if changed == value:
            return found[0]
        return found[1] + json.dumps(changed, ensure_ascii=False, separators=(",", ":")).encode()

    return place.sub(replaced, part)


def _without_finish(value: Any) -> Any:
    """The value with null in every finish reason's place."""
    if isinstance(value, Mapping):
        return {
            name: None if name in _FINISH_KEYS else _without_finish(inner) for name, inner in value.items()
        }
    return [_without_finish(inner) for inner in value] if isinstance(value, list) else value


def _variant(name: str, interactions: tuple[Interaction, ...], patience: float | None = None) -> Variant:
    return Variant(name=name, family=Family.FAULTS, interactions=interactions, patience=patience)
