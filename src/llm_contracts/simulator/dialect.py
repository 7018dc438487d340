"""What one provider's dialect consists of: values and small pure functions, played by the engine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

from llm_contracts.simulator.ask import ParsedRequest, bearer_key
from llm_contracts.simulator.script import Refused, Script, UsagePlacement
from llm_contracts.util.json_values import read_json
from llm_contracts.wire.interaction import Headers

Json = dict[str, Any]


class FilterShape(StrEnum):
    """How a provider's content filter shows."""

    FINISH = "finish"  # the answer ends early, with finish reason `content_filter`
    REFUSAL = "refusal"  # the request is refused
    EVENT = "event"  # the stream breaks off with an error event


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """A model on offer: the id that answers give back, and whether it thinks unless told otherwise."""

    answers: str
    thinks: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusalText:
    """A refusal in the provider's words.

    `message` may name `{model}`, `{key}`, `{tail}`, `{parameter}`, `{value}`, `{limit}` and `{request}`;
    `keys` is the order of the error's fields, of which `data` is always null, and `status` says what others
    say in `type`; a `framed` body is one server-sent event, which is `event` where that is not an error in an
    envelope.
    """

    status: int
    message: str
    type: str | None = None
    param: str | None = None
    code: str | int | None = None
    keys: tuple[str, ...] = ("message", "type", "param", "code")
    details: tuple[Json, ...] = ()
    framed: bool = False
    event: Json | None = None

    def error(self, facts: Mapping[str, object]) -> Json:
        """The error object, its places filled in."""
        fields: Json = {
            "message": self.message.format_map(facts),
            "type": self.type,
            "param": None if self.param is None else self.param.format_map(facts),
            "code": self.code,
            "data": None,
            "status": self.type,
            "details": list(self.details),
        }
        return {key: fields[key] for key in self.keys}


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """One answer under way: what all of its chunks share; `calls`: how its tool calls begin, in order."""

    ask: ParsedRequest
    seed: str
    id: str
    model: str
    thinks: bool
    place: UsagePlacement
    calls: tuple[Json, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenCounts:
    """Tokens counted for one answer; `completion` includes `reasoning`, as providers count."""

    prompt: int = 0
    completion: int = 0
    reasoning: int = 0

    def __add__(self, other: TokenCounts) -> TokenCounts:
        return TokenCounts(
            prompt=self.prompt + other.prompt,
            completion=self.completion + other.completion,
            reasoning=self.reasoning + other.reasoning,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ChunkPart:
    """What one chunk adds, and what that costs. Without a `delta` the chunk has no choice at all.

    `finish` is a reason only on the last part with a choice; before it stands what the provider has there.
    """

    delta: Json | None = None
    finish: str | None = None
    usage: Json | None = None
    spent: TokenCounts = field(default_factory=TokenCounts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Framing:
    """How events are put on the wire: what leads in their data, how lines end, what stands between a name and
    its value, what is said at the end of a stream, if anything is, and whether each event has a name: the
    `type` of its data.
    """

    lead: str = "data: "
    newline: str = "\n"
    colon: str = ":"
    done: str | None = "[DONE]"
    named: bool = False

    def event(self, data: str, kind: str = "") -> bytes:
        """One server-sent event."""
        name = f"event: {kind}{self.newline}" if self.named else ""
        return f"{name}{self.lead}{data}{self.newline * 2}".encode()


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenGrant:
    """Where a provider sells tokens, which requests then carry in their query.

    Attributes:
        path: below the dialect's own; asking there is no turn of a script.
        field: the query's field that carries the token.
        grant: the status and document for a query, given the one good key.
    """

    path: str
    field: str
    grant: Callable[[Mapping[str, str], str], tuple[int, Json]]


def compact(value: Json | str, colon: str = ":") -> str:
    """JSON as providers stream it: as a rule no spaces, and text as itself, never as escapes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", colon))


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """One provider as its clients meet it.

    Attributes:
        base_path: the path part of its base URL; other paths are not found.
        chat_path: where it is asked for answers; `{name}` stands for any one part of a path.
        key: the key in a request's headers.
        asked: a request's JSON, and what its path says, under the names that OpenAI has for it.
        models: by the name one asks for.
        words: the refusals it is known for; an error in mid-stream without any is put as a server's error.
        gateway: words for any other refusal, from the status and what HTTP calls it.
        filter_finish: the finish reason with which its content filter ends an answer.
        finishes: its own words for OpenAI's finish reasons.
        place: where it puts the totals.
        always_totals: it sends the totals whether or not they are asked for.
        opening: what the first chunk says before there is any text; None where there is no such chunk.
        thought: None where thinking is never shown.
        events: makes all events of a stream from its parts, and from the error that ends it in place of an
            end; for an API whose events are not a chunk for each part.
        whole: the answer in one piece, where it is asked for.
        closing: the deltas after the text, the last of which comes with the finish reason.
        headers: the lines of every response but its type and framing, made from a seed.
        refuse: the document of a refusal, from the error object and the seed.
        listing: the document that lists its models.
        document: how it writes a refusal or a list.
        break_off: the event that ends a stream in the place of its end, from the error object.
        grants: how keys become tokens, where they do.
        greatest: parameters and the values above which they are refused.
        scripts: those that it alone can play, by name.
    """

    name: str
    base_path: str
    models: Mapping[str, Model]
    words: Mapping[Refused, RefusalText]
    gateway: Callable[[int, str], RefusalText]
    place: UsagePlacement
    new_id: Callable[[str], str]
    thought: Callable[[str], Json] | None
    totals: Callable[[Stream, TokenCounts], Json]
    headers: Callable[[str], Headers]
    listing: Callable[[Mapping[str, Model]], Json]
    text: Callable[[Stream, str], Json] = lambda _stream, piece: {"content": piece}
    tool: Callable[[Stream, Json], Json] = lambda _stream, call: {"tool_calls": [call]}
    closing: Callable[[Stream], tuple[Json, ...]] = lambda _stream: ({},)
    refuse: Callable[[Json, str], Json | str] = lambda error, _seed: {"error": error}
    document: Callable[[Json | str], str] = compact
    filter_shape: FilterShape = FilterShape.FINISH
    chunk: Callable[[Stream, int, ChunkPart], Json] = lambda _stream, _number, _part: {}
    events: Callable[[Stream, tuple[ChunkPart, ...], Json | None], tuple[Json, ...]] | None = None
    whole: Callable[[Stream, tuple[ChunkPart, ...]], Json] | None = None
    break_off: Callable[[Json], Json] = lambda error: {"error": error}
    opening: Callable[[Stream], Json | None] = lambda _stream: None
    grants: TokenGrant | None = None
    filter_finish: str = "content_filter"
    finishes: Mapping[str, str] = field(default_factory=dict)
    always_totals: bool = False
    chat_path: str = "/chat/completions"
    key: Callable[[Mapping[str, str]], str | None] = bearer_key
    asked: Callable[[str, Mapping[str, Any]], Mapping[str, Any]] = lambda _path, body: body
    framing: Framing = Framing()
    stream_type: str = "text/event-stream; charset=utf-8"
    json_type: str = "application/json"
    greatest: Mapping[str, float] = field(default_factory=lambda: {"temperature": 2, "top_p": 1})
    scripts: Mapping[str, Script] = field(default_factory=dict)

    @property
    def chats_at(self) -> str:
        """`chat_path` as a regular expression."""
        return re.sub(r"\{\w+\}", "[^/]+", self.chat_path)

    def read(self, path: str, headers: Mapping[str, str], body: bytes) -> ParsedRequest:
        """Read a request. What is not a JSON object becomes a body of None, for the provider to refuse."""
        given = read_json(body)
        asked = self.asked(path, given) if isinstance(given, dict) else None
        return ParsedRequest(path=path, key=self.key(headers), body=asked)


def digits(seed: str, length: int, alphabet: str = "0123456789abcdef") -> str:
    """A random-looking word that is always the same for the same seed."""
    number = int.from_bytes(sha256(seed.encode()).digest())
    word = ""
    for _ in range(length):
        number, rest = divmod(number, len(alphabet))
        word += alphabet[rest]
    return word


def uuid_like(seed: str) -> str:
    """A word in the shape of a UUID, always the same for the same seed."""
    return str(UUID(digits(seed, 32)))
