"""What one provider's dialect consists of: values and small pure functions, played by the engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from llm_contracts.wire.interaction import Headers
from llm_contracts.wire.simulator.ask import Ask
from llm_contracts.wire.simulator.script import Refused

EPOCH = 1767225600
"""The simulated moment, 2026-01-01 00:00 UTC: fixed, so that recording again changes nothing."""
HTTP_DATE = "Thu, 01 Jan 2026 00:00:00 GMT"

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
class Words:
    """A refusal in the provider's words.

    `message` may name `{model}`, `{key}`, `{tail}`, `{parameter}`, `{value}` and `{limit}`; `keys` is the
    order of the error's fields; a `framed` body is one server-sent event.
    """

    status: int
    message: str
    type: str
    param: str | None = None
    code: str | None = None
    keys: tuple[str, ...] = ("message", "type", "param", "code")
    framed: bool = False

    def error(self, facts: Mapping[str, object]) -> Json:
        """The error object, its places filled in."""
        fields: Json = {
            "message": self.message.format_map(facts),
            "type": self.type,
            "param": self.param.format_map(facts) if self.param else None,
            "code": self.code,
        }
        return {key: fields[key] for key in self.keys}


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """One answer under way: what all of its chunks share."""

    ask: Ask
    seed: str
    id: str
    model: str
    thinks: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What one chunk adds. Without a `delta` the chunk has no choice at all."""

    delta: Json | None = None
    finish: str | None = None
    usage: Json | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """Tokens counted for one answer; `completion` includes `reasoning`, as providers count."""

    prompt: int
    completion: int
    reasoning: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """One provider as its clients meet it.

    Attributes:
        base_path: the path part of its base URL; other paths are not found.
        models: by the name one asks for.
        greatest: parameters and the values above which they are refused.
        words: every refusal; the ones sent in mid-stream have status 200.
        thought: None where thinking is never shown.
        headers: the lines of every response but its type and framing, made from a seed.
        refuse: the body of a refusal, from the error object and the seed.
    """

    name: str
    base_path: str
    models: Mapping[str, Model]
    greatest: Mapping[str, float]
    words: Mapping[Refused, Words]
    filter_shape: FilterShape
    stream_type: str
    json_type: str
    new_id: Callable[[str], str]
    opening: Callable[[Stream], Json]
    thought: Callable[[str], Json] | None
    text: Callable[[Stream, str], Json]
    closing: Callable[[Stream, str, Json | None], tuple[Part, ...]]
    totals: Callable[[Stream, Spent], Json]
    chunk: Callable[[Stream, int, Part], Json]
    headers: Callable[[str], Headers]
    refuse: Callable[[Json, str], bytes]
    listing: Callable[[Mapping[str, Model]], bytes]


def compact(value: Json) -> str:
    """JSON as providers stream it: no spaces, and text as itself, never as escapes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def frame(value: Json) -> bytes:
    """One server-sent event."""
    return f"data: {compact(value)}\n\n".encode()


def digits(seed: str, alphabet: str, length: int) -> str:
    """A random-looking word that is always the same for the same seed."""
    number = int.from_bytes(sha256(seed.encode()).digest())
    word = ""
    for _ in range(length):
        number, rest = divmod(number, len(alphabet))
        word += alphabet[rest]
    return word


def uuid_like(seed: str) -> str:
    """A word in the shape of a UUID, always the same for the same seed."""
    text = digits(seed, "0123456789abcdef", 32)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
