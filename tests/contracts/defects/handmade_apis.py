"""Faults in clients of completions, of listings of models and of an API that nobody has described. What is
answered is written here, in the shapes that OpenAI's and Ollama's documentation gives.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from llm_contracts import Function, Response
from tests.contracts.defects.other_apis import Api, ApiDefect, Fault, Items, of, without

_TEXTS = (" The", " station", " is", " near", " the", " old", " bridge", ".")


def _completion(text: str, finish: str | None = None, index: int = 0, **more: Any) -> dict[str, Any]:
    choice = {"text": text, "index": index, "logprobs": {"tokens": [text]}, "finish_reason": finish}
    return {**_COMPLETION, "choices": [choice], **more}


_COMPLETION = {"id": "cmpl-1", "object": "text_completion", "created": 1767225600, "model": "instruct-0914"}
_COUNTED = {"prompt_tokens": 4, "completion_tokens": 8, "total_tokens": 12}
_PIECES = [_completion(text) for text in _TEXTS]
_STREAMS: dict[str, list[dict[str, Any]]] = {
    "plain-stream": [
        *_PIECES,
        _completion("", "stop"),
        {**_COMPLETION, "choices": [], "usage": _COUNTED},
    ],
    "finish-length": [*_PIECES[:4], _completion("", "length")],
    "two-choices": [*_PIECES[:2], _completion(" A", index=1), _completion("", "stop")],
    "mid-stream-error": [*_PIECES[:2], {"error": {"message": "overloaded", "type": "server_error"}}],
}


def _sent(events: list[dict[str, Any]], done: str) -> Response:
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + done
    return Response(status=200, headers=(("content-type", "text/event-stream"),), body=body.encode())


COMPLETIONS = Api(
    client="openai",
    dialect="completions",
    origin="https://api.openai.com/v1",
    path="/completions",
    ask={
        "model": "gpt-3.5-turbo-instruct",
        "function": Function.COMPLETIONS,
        "input": "Where is the station?",
        "params": {"stream": True},
    },
    answers={
        name: _sent(events, "" if name == "mid-stream-error" else "data: [DONE]\n\n")
        for name, events in _STREAMS.items()
    },
)

_ROWS = [
    {"id": name, "object": "model", "created": 1767225600, "owned_by": "system"}
    for name in ("gpt-4o-mini", "gpt-4o", "o3:batch", "ft:gpt-4o:me", "text-embedding-3-small")
]


def _document(value: Any, status: int = 200) -> Response:
    headers = (("content-type", "application/json"),)
    return Response(status=status, headers=headers, body=json.dumps(value).encode())


MODELS = Api(
    client="openai",
    dialect="models",
    origin="https://api.openai.com/v1",
    path="/models",
    ask={"model": "", "function": Function.LIST_MODELS, "params": {}},
    answers={
        "listing": _document({"object": "list", "data": _ROWS}),
        "refused": _document({"error": {"message": "no such key", "code": "invalid_api_key"}}, 401),
    },
)

_LINES = [
    {"model": "m", "message": {"role": "assistant", "content": text, "images": None}, "done": False}
    for text in _TEXTS
]
_LAST = {
    "model": "m",
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 11,
    "eval_count": 8,
    "context": [1, 2, 3],
}


def _lines(*documents: dict[str, Any]) -> Response:
    body = "".join(f"{json.dumps(document)}\n" for document in documents)
    return Response(status=200, headers=(("content-type", "application/x-ndjson"),), body=body.encode())


GENERIC = Api(
    client="httpx",
    dialect="generic",
    origin="http://api.example.com",
    path="/api/chat",
    ask={
        "model": "/api/chat",
        "function": Function.REQUEST,
        "input": {"model": "m", "messages": [{"role": "user", "content": "hi"}]},
        "params": {},
    },
    answers={
        "plain-stream": _lines(*_LINES, _LAST),
        "short": _lines(*_LINES[:2], _LAST),
        "mid-stream-error": _lines(*_LINES[:3], {"error": "out of memory"}),
    },
)


# Completions


def text_lost(chunks: Items) -> Iterator[Any]:
    """A piece of text is not handed on."""
    yield from without(chunks, lambda chunk: bool(chunk.choices))


def blank_lost(chunks: Items) -> Iterator[Any]:
    """The blank at the beginning is cut off."""
    for number, chunk in enumerate(chunks):
        if not number:
            chunk.choices[0].text = chunk.choices[0].text.lstrip()
        yield chunk


def never_cut(chunks: Items) -> Iterator[Any]:
    """An answer that a limit has cut off is called complete."""
    for chunk in chunks:
        for choice in chunk.choices:
            choice.finish_reason = choice.finish_reason and "stop"
        yield chunk


def end_lost(chunks: Items) -> Iterator[Any]:
    """The finish reason is gone."""
    for chunk in chunks:
        for choice in chunk.choices:
            choice.finish_reason = None
        yield chunk


def uncounted_text(chunks: Items) -> Iterator[Any]:
    """The totals are gone."""
    for chunk in chunks:
        chunk.usage = None
        yield chunk


def prompt_forgotten(chunks: Items) -> Iterator[Any]:
    """The prompt is not counted."""
    for chunk in chunks:
        if chunk.usage is not None:
            chunk.usage.prompt_tokens = 0
        yield chunk


def other_choice_lost(chunks: Items) -> Iterator[Any]:
    """Of two answers side by side the second is not handed on."""
    for chunk in chunks:
        if not any(choice.index for choice in chunk.choices):
            yield chunk


def completion_renamed(chunks: Items) -> Iterator[Any]:
    """The answer has an id of the client's own making."""
    for chunk in chunks:
        chunk.id = "cmpl-own"
        yield chunk


def asked_for(chunks: Items) -> Iterator[Any]:
    """The model's name is the one that was asked for."""
    for chunk in chunks:
        chunk.model = "gpt-3.5-turbo-instruct"
        yield chunk


def probabilities_lost(chunks: Items) -> Iterator[Any]:
    """The tokens' probabilities are gone."""
    for chunk in chunks:
        for choice in chunk.choices:
            choice.logprobs = None
        yield chunk


def error_ended(chunks: Items) -> Iterator[Any]:
    """An error in mid-stream is a normal end."""
    try:
        yield from chunks
    except Exception:  # noqa: BLE001 - the defect
        return


# Listings


def model_lost(names: Items) -> Iterator[Any]:
    """A model is not offered."""
    yield from without(names, lambda _name: True)


def model_added(names: Items) -> Iterator[Any]:
    """A model is offered that the provider does not have."""
    yield from names
    yield "gpt-own"


def model_twice(names: Items) -> Iterator[Any]:
    """A model is offered twice."""
    for name in names:
        yield from [name] * (2 if name == "gpt-4o" else 1)


def with_prefix(names: Items) -> Iterator[Any]:
    """Each name has the provider's before it, by which it cannot be asked for."""
    for name in names:
        yield f"openai/{name}"


def tag_lost(names: Items) -> Iterator[Any]:
    """What stands behind a colon is cut off: another model is asked for."""
    for name in names:
        yield name.partition(":")[0]


def hyphens_changed(names: Items) -> Iterator[Any]:
    """Hyphens of the names become underscores."""
    for name in names:
        yield name.replace("-", "_")


def chats_alone(names: Items) -> Iterator[Any]:
    """Only models that chat are offered."""
    for name in names:
        if "embedding" not in name:
            yield name


def refusal_is_empty(names: Items) -> Iterator[Any]:
    """A refusal is a listing without models."""
    yield from error_ended(names)


def first_page(names: Items) -> Iterator[Any]:
    """What comes after a few models is left out."""
    yield from list(names)[:2]


# An API that nobody has described; its client hands on the documents of the lines


def line_lost(lines: Items) -> Iterator[Any]:
    """A line is not handed on."""
    yield from without(_parsed(lines), lambda _line: True)


def line_twice(lines: Items) -> Iterator[Any]:
    """A line is handed on twice."""
    first, *others = _parsed(lines)
    yield from (first, first, *others)


def lines_exchanged(lines: Items) -> Iterator[Any]:
    """Two lines come in another order."""
    first, second, *others = _parsed(lines)
    yield from (second, first, *others)


def last_line_lost(lines: Items) -> Iterator[Any]:
    """The last line, which ends and counts the answer, is not handed on."""
    yield from list(_parsed(lines))[:-1]


def miscounted(lines: Items) -> Iterator[Any]:
    """A count is another number."""
    for line in _parsed(lines):
        yield {**line, "eval_count": 9} if line["done"] else line


def count_as_text(lines: Items) -> Iterator[Any]:
    """A count is a text."""
    for line in _parsed(lines):
        yield {**line, "eval_count": "8"} if line["done"] else line


def stripped(lines: Items) -> Iterator[Any]:
    """Blanks around a text are cut off."""
    for line in _parsed(lines):
        message = line.get("message")
        yield {**line, "message": {**message, "content": message["content"].strip()}} if message else line


def list_shortened(lines: Items) -> Iterator[Any]:
    """A list lacks its last element."""
    for line in _parsed(lines):
        yield {**line, "context": [1, 2]} if line["done"] else line


def error_line_lost(lines: Items) -> Iterator[Any]:
    """A line that says what went wrong is left out."""
    for line in _parsed(lines):
        if "error" not in line:
            yield line


def _parsed(pieces: Items) -> Iterator[dict[str, Any]]:
    for line in b"".join(pieces).splitlines():
        yield json.loads(line)


def byte_by_byte(pieces: Items) -> Iterator[Any]:
    """The same bytes, each by itself."""
    for piece in pieces:
        yield from (bytes([byte]) for byte in piece)


def line_by_line(pieces: Items) -> Iterator[Any]:
    """The documents of the lines."""
    yield from _parsed(pieces)


def turned(pieces: Items) -> Iterator[Any]:
    """The documents of the lines, their members in another order."""
    for line in _parsed(pieces):
        yield dict(reversed(line.items()))


def without_nulls(pieces: Items) -> Iterator[Any]:
    """The documents of the lines, without what is null."""
    for line in _parsed(pieces):
        message = {name: value for name, value in line.get("message", {}).items() if value is not None}
        yield {**line, **({"message": message} if message else {})}


HARMLESS_OF_GENERIC: tuple[Fault, ...] = (byte_by_byte, line_by_line, turned, without_nulls)

HANDMADE_DEFECTS: tuple[ApiDefect, ...] = (
    *of(
        COMPLETIONS,
        (text_lost, "plain-stream", "text text[*]"),
        (blank_lost, "plain-stream", "text text[0]"),
        (never_cut, "finish-length", "finish_reason finish_reason.changed"),
        (end_lost, "plain-stream", "finish_reason finish_reason.lost"),
        (uncounted_text, "plain-stream", "usage_missing usage"),
        (prompt_forgotten, "plain-stream", "usage usage.prompt_tokens"),
        (other_choice_lost, "two-choices", "text choices[1]*"),
        (completion_renamed, "plain-stream", "response_id id"),
        (asked_for, "plain-stream", "model_name model"),
        (probabilities_lost, "plain-stream", "fields *logprobs*"),
        (error_ended, "mid-stream-error", "error error"),
    ),
    *of(
        MODELS,
        (model_lost, "listing", "text text[*]"),
        (model_added, "listing", "text text[*]"),
        (model_twice, "listing", "text text[*]"),
        (with_prefix, "listing", "text text[*]"),
        (tag_lost, "listing", "text text[*]"),
        (hyphens_changed, "listing", "text text[*]"),
        (chats_alone, "listing", "text text[*]"),
        (first_page, "listing", "text text[*]"),
        (refusal_is_empty, "refused", "error error"),
    ),
    *of(
        GENERIC,
        (line_lost, "plain-stream", "fields message.content"),
        (line_twice, "plain-stream", "order order.type"),
        (lines_exchanged, "plain-stream", "fields message.content"),
        (last_line_lost, "plain-stream", "fields done_reason"),
        (miscounted, "plain-stream", "fields eval_count"),
        (count_as_text, "plain-stream", "fields eval_count"),
        (stripped, "plain-stream", "fields message.content"),
        (list_shortened, "plain-stream", "fields context[2]"),
        (error_line_lost, "mid-stream-error", "fields error"),
    ),
)
