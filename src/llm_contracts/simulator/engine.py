"""Plays a turn in a dialect: a request and a turn in, a whole reply out. Pure: sockets are the server's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from llm_contracts.simulator.answering import parts_of
from llm_contracts.simulator.ask import ParsedRequest
from llm_contracts.simulator.dialect import Dialect, FilterShape, Json, RefusalText, Stream, compact, digits
from llm_contracts.simulator.script import (
    GATEWAY,
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

    def respond(self, ask: ParsedRequest, turn: Turn) -> Reply:
        """Answer a request as the provider would: first what is wrong with it, then what the script says."""
        if why := self._objection(ask):
            return self._refusal(ask, Refusal(why=why))
        if isinstance(turn, Refusal):
            return self._refusal(ask, turn)
        if isinstance(turn, GatewayPage):
            return self._reply(turn.status, "text/html", turn.html.encode())
        if ask.path.endswith("/models"):
            return self._document(200, self.dialect.listing(self.dialect.models))
        return self._answer(ask, turn)

    def _objection(self, ask: ParsedRequest) -> Refused | None:
        if ask.key != self.key:
            return Refused.NO_KEY if ask.key is None else Refused.WRONG_KEY
        if ask.path.endswith("/models"):
            return None
        if ask.body is None:
            return Refused.BAD_REQUEST
        if ask.model not in self.dialect.models:
            return Refused.UNKNOWN_MODEL
        if ask.out_of_range(self.dialect.greatest):
            return Refused.BAD_PARAMETER
        insists = Refused.JSON_WORD in self.dialect.words
        return Refused.JSON_WORD if insists and ask.json_mode and not ask.says_json else None

    def _answer(self, ask: ParsedRequest, answer: ScriptedAnswer) -> Reply:
        if answer.ending is Ending.FILTERED and self.dialect.filter_shape is FilterShape.REFUSAL:
            return self._refusal(ask, Refusal(why=Refused.PROMPT_FILTER))
        if not ask.streamed:
            return self._in_one_piece(ask, answer)
        pieces = _pieces(tuple(self._events(ask, answer)), answer.inserts)
        return self._reply(200, self.dialect.stream_type, *pieces, streamed=True)

    def _in_one_piece(self, ask: ParsedRequest, answer: ScriptedAnswer) -> Reply:
        dialect = self.dialect
        if dialect.whole is None:
            return self._reply(501, "text/plain", _STREAMS_ONLY)
        if answer.ending is Ending.ERROR:
            return self._refusal(ask, Refusal(why=Refused.SERVER_ERROR))
        stream = self._stream(ask, answer)
        parts = parts_of(replace(dialect, always_totals=True), stream, answer, broken_off=False)
        document = compact(dialect.whole(stream, parts), dialect.framing.colon)
        return self._reply(200, dialect.json_type, document.encode())

    def _refusal(self, ask: ParsedRequest, refusal: Refusal) -> Reply:
        words = words_for(self.dialect, refusal.why)
        error = words.error(self._facts(ask))
        later = () if refusal.retry_after is None else (("Retry-After", str(refusal.retry_after)),)
        status = refusal.status or words.status
        if words.framed:
            event = _event(self.dialect, words.event or {"error": error})
            return self._reply(status, self.dialect.stream_type, event, more=later)
        return self._document(status, self.dialect.refuse(error, self.seed), later)

    def _facts(self, ask: ParsedRequest) -> dict[str, object]:
        """What a provider's message may name. A key is echoed as providers do: only its two ends."""
        greatest = self.dialect.greatest
        parameter, value = ask.out_of_range(greatest) or ("", "")
        key = ask.key or ""
        return {
            "model": ask.model,
            "key": f"{key[:8]}{'*' * 8}{key[-4:]}",
            "tail": key[-4:],
            "parameter": parameter,
            "value": value,
            "limit": greatest.get(parameter, ""),
            "request": digits(f"{self.seed}/request", 32),
        }

    def _document(self, status: int, value: Json | str, more: Headers = ()) -> Reply:
        return self._reply(status, self.dialect.json_type, self.dialect.document(value).encode(), more=more)

    def _reply(
        self, status: int, kind: str, *pieces: bytes, more: Headers = (), streamed: bool = False
    ) -> Reply:
        headers = (("Content-Type", kind), *self.dialect.headers(self.seed), *more)
        return Reply(status=status, headers=headers, pieces=pieces, streamed=streamed)

    def _events(self, ask: ParsedRequest, answer: ScriptedAnswer) -> Iterator[bytes]:
        dialect, stream = self.dialect, self._stream(ask, answer)
        broken = Refused.MID_STREAM if answer.ending is Ending.ERROR else None
        if answer.ending is Ending.FILTERED and dialect.filter_shape is FilterShape.EVENT:
            broken = Refused.OUTPUT_FILTER
        parts = parts_of(dialect, stream, answer, broken_off=broken is not None)
        error = words_for(dialect, broken).error(self._facts(ask)) if broken else None
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

    def _stream(self, ask: ParsedRequest, answer: ScriptedAnswer) -> Stream:
        dialect, model = self.dialect, self.dialect.models[ask.model]
        switched = ask.thinking if dialect.thought else None  # OpenAI knows no such switch
        return Stream(
            ask=ask,
            seed=self.seed,
            id=dialect.new_id(self.seed),
            model=model.answers,
            thinks=model.thinks if switched is None else switched,
            place=(not dialect.events and answer.place) or dialect.place,
            calls=tuple(map(self._call, range(answer.calls if answer.arguments else 0))),
        )

    def _call(self, number: int) -> Json:
        name = digits(f"{self.seed}/call{number or ''}", 24)
        function = {"name": "weather", "arguments": ""}
        return {"index": number, "id": f"call_{name}", "type": "function", "function": function}


def words_for(dialect: Dialect, why: Refused) -> RefusalText:
    """A provider's own words, or else those of a gateway that keeps to the provider's ways.

    Raises:
        KeyError: the dialect has no words for it, and no gateway says such a thing.
    """
    if why is Refused.MID_STREAM and why not in dialect.words:
        why = Refused.SERVER_ERROR
    return dialect.words[why] if why in dialect.words else dialect.gateway(*GATEWAY[why])


def _event(dialect: Dialect, value: Json) -> bytes:
    return dialect.framing.event(compact(value, dialect.framing.colon), str(value.get("type", "")))


def _interrupted(chunks: list[bytes], inserts: tuple[Insert, ...]) -> Iterator[bytes]:
    for number in range(len(chunks) + 1):
        yield from (insert.raw for insert in inserts if round(insert.after * len(chunks)) == number)
        yield from chunks[number : number + 1]


def _pieces(events: tuple[bytes, ...], inserts: tuple[Insert, ...]) -> tuple[bytes, ...]:
    """What leaves in one write: as a rule every event by itself."""
    places = [events.index(insert.raw) for insert in inserts if insert.with_rest]
    if not places:
        return events
    return (*events[: places[0]], b"".join(events[places[0] :]))
