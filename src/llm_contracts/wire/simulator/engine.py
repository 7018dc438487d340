"""Plays a turn in a dialect: a request and a turn in, a whole reply out. Pure: sockets are the server's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from llm_contracts.wire.interaction import Headers
from llm_contracts.wire.simulator.ask import Ask
from llm_contracts.wire.simulator.dialect import Dialect, FilterShape, Json, Model, Part, Spent, Stream, frame
from llm_contracts.wire.simulator.script import Answer, Ending, Refusal, Refused, Turn
from llm_contracts.wire.simulator.texts import Pieces, tokens_in

KEY = "sk-simulated-0000000000000000"
"""The one key the simulator accepts unless told otherwise; it opens nothing else."""
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What goes back: the body as the pieces that leave one after the other."""

    status: int
    headers: Headers
    pieces: tuple[bytes, ...]
    streamed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """Where requests are answered: a dialect, its one good key, a seed for all that looks random."""

    dialect: Dialect
    key: str = KEY
    seed: str = "seed"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Said:
    """What remains of an answer after the request's limit and the turn's ending have had their say."""

    thoughts: Pieces
    text: Pieces
    finish: str


def respond(desk: Desk, ask: Ask, turn: Turn) -> Reply:
    """Answer one request as the provider would: first what is wrong with it, then what the script says."""
    if why := _objection(desk, ask):
        return _refusal(desk, ask, Refusal(why=why))
    if isinstance(turn, Refusal):
        return _refusal(desk, ask, turn)
    if ask.path.endswith("/models"):
        return _reply(desk, 200, desk.dialect.json_type, (desk.dialect.listing(desk.dialect.models),))
    if turn.ending is Ending.FILTERED and desk.dialect.filter_shape is FilterShape.REFUSAL:
        return _refusal(desk, ask, Refusal(why=Refused.PROMPT_FILTER))
    if not ask.streamed:
        return _reply(
            desk, 501, "text/plain", (b"The simulator only plays answers that are asked for as a stream.",)
        )
    events = tuple(_events(desk, ask, turn))
    return _reply(desk, 200, desk.dialect.stream_type, events, streamed=True)


def _objection(desk: Desk, ask: Ask) -> Refused | None:
    if ask.key is None:
        return Refused.NO_KEY
    if ask.key != desk.key:
        return Refused.WRONG_KEY
    return None if ask.path.endswith("/models") else _objection_to_chat(desk.dialect, ask)


def _objection_to_chat(dialect: Dialect, ask: Ask) -> Refused | None:
    if ask.body is None:
        return Refused.BAD_REQUEST
    if ask.model not in dialect.models:
        return Refused.UNKNOWN_MODEL
    if ask.out_of_range(dialect.greatest):
        return Refused.BAD_PARAMETER
    return Refused.JSON_WORD if ask.json_mode and not ask.says_json else None


def _refusal(desk: Desk, ask: Ask, refusal: Refusal) -> Reply:
    words = desk.dialect.words[refusal.why]
    error = words.error(_facts(desk.dialect, ask))
    later = () if refusal.retry_after is None else (("Retry-After", str(refusal.retry_after)),)
    if words.framed:
        return _reply(desk, words.status, desk.dialect.stream_type, (frame({"error": error}),), later)
    return _reply(desk, words.status, desk.dialect.json_type, (desk.dialect.refuse(error, desk.seed),), later)


def _facts(dialect: Dialect, ask: Ask) -> dict[str, object]:
    """What a provider's message may name. A key is echoed as providers do: only its two ends."""
    parameter, value = ask.out_of_range(dialect.greatest) or ("", "")
    key = ask.key or ""
    return {
        "model": ask.model,
        "key": f"{key[:8]}{'*' * 8}{key[-4:]}",
        "tail": key[-4:],
        "parameter": parameter,
        "value": value,
        "limit": dialect.greatest.get(parameter, ""),
    }


def _reply(
    desk: Desk,
    status: int,
    kind: str,
    pieces: tuple[bytes, ...],
    more: Headers = (),
    *,
    streamed: bool = False,
) -> Reply:
    headers = (("Content-Type", kind), *desk.dialect.headers(desk.seed), *more)
    return Reply(status=status, headers=headers, pieces=pieces, streamed=streamed)


def _events(desk: Desk, ask: Ask, answer: Answer) -> Iterator[bytes]:
    stream = _stream(desk, ask)
    said = _said(stream, answer)
    opening = (Part(delta=desk.dialect.opening(stream)),)
    broken = _break(desk.dialect, answer.ending)
    closing = () if broken else _closing(desk.dialect, stream, answer, said)
    for number, part in enumerate((*opening, *_body(desk.dialect, stream, said), *closing)):
        yield frame(desk.dialect.chunk(stream, number, part))
    if broken:
        yield frame({"error": desk.dialect.words[broken].error(_facts(desk.dialect, ask))})
    elif answer.ending is not Ending.NO_DONE:
        yield DONE


def _stream(desk: Desk, ask: Ask) -> Stream:
    model: Model = desk.dialect.models[ask.model]
    switched = ask.thinking if desk.dialect.thought else None  # OpenAI knows no such switch
    thinks = model.thinks if switched is None else switched
    number = desk.dialect.new_id(desk.seed)
    return Stream(ask=ask, seed=desk.seed, id=number, model=model.answers, thinks=thinks)


def _said(stream: Stream, answer: Answer) -> _Said:
    text = answer.json_text if stream.ask.json_mode else answer.text
    thoughts = answer.reasoning if stream.thinks else ()
    if answer.ending in {Ending.ERROR, Ending.FILTERED}:
        # Only a filter that ends the answer properly gives a reason: after an error event there is none.
        return _Said(thoughts=thoughts, text=text[: len(text) // 2], finish="content_filter")
    kept = _within(stream.ask.limit, (*thoughts, *text))
    whole = len(kept) == len(thoughts) + len(text)
    return _Said(
        thoughts=kept[: len(thoughts)], text=kept[len(thoughts) :], finish="stop" if whole else "length"
    )


def _within(limit: int | None, pieces: Pieces) -> Pieces:
    """As many pieces as the limit on tokens allows; none is cut."""
    if limit is None:
        return pieces
    totals = accumulate(tokens_in(piece) for piece in pieces)
    return tuple(piece for piece, total in zip(pieces, totals, strict=True) if total <= limit)


def _body(dialect: Dialect, stream: Stream, said: _Said) -> Iterator[Part]:
    if dialect.thought:
        yield from (Part(delta=dialect.thought(piece)) for piece in said.thoughts)
    yield from (Part(delta=dialect.text(stream, piece)) for piece in said.text)


def _closing(dialect: Dialect, stream: Stream, answer: Answer, said: _Said) -> tuple[Part, ...]:
    return dialect.closing(stream, said.finish, _usage(dialect, stream, said) if answer.usage else None)


def _usage(dialect: Dialect, stream: Stream, said: _Said) -> Json:
    reasoning = sum(map(tokens_in, said.thoughts))
    completion = reasoning + sum(map(tokens_in, said.text))
    spent = Spent(prompt=stream.ask.prompt_tokens, completion=completion, reasoning=reasoning)
    return dialect.totals(stream, spent)


def _break(dialect: Dialect, ending: Ending) -> Refused | None:
    """The error that ends the stream instead of a finish reason, if any does."""
    if ending is Ending.ERROR:
        return Refused.MID_STREAM
    if ending is Ending.FILTERED and dialect.filter_shape is FilterShape.EVENT:
        return Refused.OUTPUT_FILTER
    return None
