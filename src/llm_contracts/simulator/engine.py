"""Plays a turn in a dialect: a request and a turn in, a whole reply out. Pure: sockets are the server's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from llm_contracts.simulator.answering import parts_of
from llm_contracts.simulator.ask import ParsedRequest
from llm_contracts.simulator.dialect import (
    Dialect,
    FilterShape,
    Json,
    Model,
    RefusalText,
    Stream,
    compact,
    digits,
)
from llm_contracts.simulator.script import (
    Ending,
    GatewayPage,
    Insert,
    Refusal,
    Refused,
    ScriptedAnswer,
    Turn,
    UsagePlacement,
)
from llm_contracts.wire.interaction import Headers

KEY = "sk-simulated-0000000000000000"
"""The one key the simulator accepts by default; it opens nothing else."""
_STREAMS_ONLY = b"The simulator only plays answers that are asked for as a stream."

# What any gateway may say, with the names that HTTP has for it. Dialects know better for some.
_GATEWAY: Mapping[Refused, tuple[int, str]] = {
    Refused.FORBIDDEN: (403, "Forbidden"),
    Refused.NOT_FOUND: (404, "Not Found"),
    Refused.TIMEOUT: (408, "Request Timeout"),
    Refused.CONFLICT: (409, "Conflict"),
    Refused.UNPROCESSABLE: (422, "Unprocessable Entity"),
    Refused.UNAVAILABLE: (503, "Service Unavailable"),
    Refused.OVERLOADED: (503, "Service Overloaded"),
    Refused.SITE_OVERLOADED: (529, "Site Overloaded"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What goes back: the body as the pieces that leave one after the other."""

    status: int
    headers: Headers
    pieces: tuple[bytes, ...]
    streamed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Responder:
    """Where requests are answered: a dialect, its one good key, a seed for all that looks random."""

    dialect: Dialect
    key: str = KEY
    seed: str = "seed"


def respond(responder: Responder, ask: ParsedRequest, turn: Turn) -> Reply:
    """Answer one request as the provider would: first what is wrong with it, then what the script says."""
    if why := _objection(responder, ask):
        return _refusal(responder, ask, Refusal(why=why))
    if isinstance(turn, Refusal):
        return _refusal(responder, ask, turn)
    if isinstance(turn, GatewayPage):
        return _reply(responder, turn.status, "text/html", (turn.html.encode(),))
    if ask.path.endswith("/models"):
        dialect = responder.dialect
        return _reply(responder, 200, dialect.json_type, (dialect.listing(dialect.models),))
    return _answer(responder, ask, turn)


def _answer(responder: Responder, ask: ParsedRequest, answer: ScriptedAnswer) -> Reply:
    if answer.ending is Ending.FILTERED and responder.dialect.filter_shape is FilterShape.REFUSAL:
        return _refusal(responder, ask, Refusal(why=Refused.PROMPT_FILTER))
    if not ask.streamed:
        return _in_one_piece(responder, ask, answer)
    pieces = _pieces(tuple(_events(responder, ask, answer)), answer.inserts)
    return _reply(responder, 200, responder.dialect.stream_type, pieces, streamed=True)


def _in_one_piece(responder: Responder, ask: ParsedRequest, answer: ScriptedAnswer) -> Reply:
    dialect = responder.dialect
    if dialect.whole is None:
        return _reply(responder, 501, "text/plain", (_STREAMS_ONLY,))
    if answer.ending is Ending.ERROR:
        return _refusal(responder, ask, Refusal(why=Refused.SERVER_ERROR))
    stream = _stream(responder, ask, answer)
    parts = parts_of(replace(dialect, always_totals=True), stream, answer, broken_off=False)
    document = compact(dialect.whole(stream, parts), dialect.framing.colon)
    return _reply(responder, 200, dialect.json_type, (document.encode(),))


def _objection(responder: Responder, ask: ParsedRequest) -> Refused | None:
    if ask.key is None:
        return Refused.NO_KEY
    if ask.key != responder.key:
        return Refused.WRONG_KEY
    return None if ask.path.endswith("/models") else _objection_to_chat(responder.dialect, ask)


def _objection_to_chat(dialect: Dialect, ask: ParsedRequest) -> Refused | None:
    if ask.body is None:
        return Refused.BAD_REQUEST
    if ask.model not in dialect.models:
        return Refused.UNKNOWN_MODEL
    if ask.out_of_range(dialect.greatest):
        return Refused.BAD_PARAMETER
    insists = Refused.JSON_WORD in dialect.words
    return Refused.JSON_WORD if insists and ask.json_mode and not ask.says_json else None


def words_for(dialect: Dialect, why: Refused) -> RefusalText:
    """A provider's own words, or else those of a gateway that keeps to the provider's ways.

    Raises:
        KeyError: the dialect has no words for it, and no gateway says such a thing.
    """
    return dialect.words[why] if why in dialect.words else dialect.gateway(*_GATEWAY[why])


def _refusal(responder: Responder, ask: ParsedRequest, refusal: Refusal) -> Reply:
    dialect = responder.dialect
    words = words_for(dialect, refusal.why)
    error = words.error(_facts(responder, ask))
    later = () if refusal.retry_after is None else (("Retry-After", str(refusal.retry_after)),)
    status = refusal.status or words.status
    if words.framed:
        event = _event(dialect, words.event or {"error": error})
        return _reply(responder, status, dialect.stream_type, (event,), later)
    return _reply(responder, status, dialect.json_type, (dialect.refuse(error, responder.seed),), later)


def _facts(responder: Responder, ask: ParsedRequest) -> dict[str, object]:
    """What a provider's message may name. A key is echoed as providers do: only its two ends."""
    greatest = responder.dialect.greatest
    parameter, value = ask.out_of_range(greatest) or ("", "")
    key = ask.key or ""
    return {
        "model": ask.model,
        "key": f"{key[:8]}{'*' * 8}{key[-4:]}",
        "tail": key[-4:],
        "parameter": parameter,
        "value": value,
        "limit": greatest.get(parameter, ""),
        "request": digits(f"{responder.seed}/request", "0123456789abcdef", 32),
    }


def _reply(
    responder: Responder,
    status: int,
    kind: str,
    pieces: tuple[bytes, ...],
    more: Headers = (),
    *,
    streamed: bool = False,
) -> Reply:
    headers = (("Content-Type", kind), *responder.dialect.headers(responder.seed), *more)
    return Reply(status=status, headers=headers, pieces=pieces, streamed=streamed)


def _events(responder: Responder, ask: ParsedRequest, answer: ScriptedAnswer) -> Iterator[bytes]:
    dialect = responder.dialect
    stream = _stream(responder, ask, answer)
    broken = _break(dialect, answer.ending)
    parts = parts_of(dialect, stream, answer, broken_off=broken is not None)
    error = words_for(dialect, broken).error(_facts(responder, ask)) if broken else None
    if dialect.events:
        values = dialect.events(stream, parts, error)
        values = values[:-1] if answer.ending is Ending.NO_DONE else values
    else:
        values = tuple(dialect.chunk(stream, *numbered) for numbered in enumerate(parts))
        for chunk, part in zip(values, parts, strict=True):
            if stream.place is UsagePlacement.INSIDE and part.usage:
                chunk["choices"][0]["usage"] = chunk.pop("usage")
    yield from _interrupted([_event(dialect, value) for value in values], answer.inserts)
    if error is not None and not dialect.events:
        yield _event(dialect, dialect.break_off(error))
    elif answer.ending is not Ending.NO_DONE and dialect.framing.done:
        yield dialect.framing.event(dialect.framing.done)


def _stream(responder: Responder, ask: ParsedRequest, answer: ScriptedAnswer) -> Stream:
    model: Model = responder.dialect.models[ask.model]
    switched = ask.thinking if responder.dialect.thought else None  # OpenAI knows no such switch
    return Stream(
        ask=ask,
        seed=responder.seed,
        id=responder.dialect.new_id(responder.seed),
        model=model.answers,
        thinks=model.thinks if switched is None else switched,
        place=(not responder.dialect.events and answer.place) or responder.dialect.place,
        calls=tuple(
            _call(responder.seed, number) for number in range(answer.calls if answer.arguments else 0)
        ),
    )


def _call(seed: str, number: int) -> Json:
    name = digits(f"{seed}/call{number or ''}", "0123456789abcdef", 24)
    function = {"name": "weather", "arguments": ""}
    return {"index": number, "id": f"call_{name}", "type": "function", "function": function}


def _break(dialect: Dialect, ending: Ending) -> Refused | None:
    """The error that ends the stream instead of a finish reason, if any does."""
    if ending is Ending.ERROR:
        return Refused.MID_STREAM
    if ending is Ending.FILTERED and dialect.filter_shape is FilterShape.EVENT:
        return Refused.OUTPUT_FILTER
    return None


def _event(dialect: Dialect, value: Json) -> bytes:
    return dialect.framing.event(compact(value, dialect.framing.colon), str(value.get("type", "")))


def _interrupted(chunks: list[bytes], inserts: tuple[Insert, ...]) -> Iterator[bytes]:
    at = [(round(insert.after * len(chunks)), insert.raw) for insert in inserts]
    for number, chunk in enumerate(chunks):
        yield from (raw for place, raw in at if place == number)
        yield chunk
    yield from (raw for place, raw in at if place == len(chunks))


def _pieces(events: tuple[bytes, ...], inserts: tuple[Insert, ...]) -> tuple[bytes, ...]:
    """What leaves in one write: as a rule every event by itself."""
    places = [events.index(insert.raw) for insert in inserts if insert.with_rest]
    if not places:
        return events
    return (*events[: places[0]], b"".join(events[places[0] :]))
