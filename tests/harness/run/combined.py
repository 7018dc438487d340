"""A client that gets many things wrong at once: small edits of what a sound client asks and hands on."""

from __future__ import annotations

import http.client
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from llm_contracts import Call, Client, Kind
from llm_contracts.parity.normalise import Normalisation

Json = dict[str, Any]
Chunks = Iterator[Json]


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """One thing done otherwise.

    Attributes:
        name: what is done.
        shown: the kind and place of the difference, or the normalisation that hides it.
        chunks: makes the chunks that are handed on of those that came.
        body: makes the body that is sent.
        headers: sent as well.
        beside: what else the client does with its call.
    """

    name: str
    shown: tuple[Kind, str] | Normalisation
    chunks: Callable[[Chunks], Chunks] = lambda chunks: chunks
    body: Callable[[Json], Json] = lambda body: body
    headers: Mapping[str, str] = field(default_factory=dict)
    beside: Callable[[Call], object] = lambda _call: None


def client(*edits: Edit) -> Client:
    """A client that does all of these."""

    def ask(call: Call) -> Iterator[Json]:
        body: Json = {"model": call.model, "messages": list(call.messages), "stream": True, **call.params}
        headers = {"Authorization": f"Bearer {call.api_key}", "Content-Type": "application/json"}
        for edit in edits:
            body, headers = edit.body(body), {**headers, **edit.headers}
        chunks = _answer(call.base_url, body, headers)
        for edit in edits:
            chunks = edit.chunks(chunks)
        for edit in edits:
            edit.beside(call)
        yield from chunks

    return ask


def _answer(base_url: str, body: Json, headers: Mapping[str, str]) -> Chunks:
    address = urlsplit(base_url)
    with closing(http.client.HTTPConnection(address.netloc, timeout=20)) as connection:
        connection.request("POST", f"{address.path}/chat/completions", json.dumps(body), dict(headers))
        with connection.getresponse() as response:
            for line in response:
                data = line.removeprefix(b"data:").strip()
                if line.startswith(b"data:") and data not in (b"", b"[DONE]"):
                    yield json.loads(data)


def _each(edit: Callable[[Json], object]) -> Callable[[Chunks], Chunks]:
    def edited(chunks: Chunks) -> Chunks:
        for chunk in chunks:
            edit(chunk)
            yield chunk

    return edited


def _in_deltas(edit: Callable[[Json], object]) -> Callable[[Chunks], Chunks]:
    return _each(lambda chunk: [edit(choice["delta"]) for choice in chunk["choices"]])


def _in_choices(edit: Callable[[Json], object]) -> Callable[[Chunks], Chunks]:
    return _each(lambda chunk: [edit(choice) for choice in chunk["choices"]])


def _where(name: str, edit: Callable[[Any], object]) -> Callable[[Json], object]:
    """The edit of what has this name in a mapping, where it is not empty."""
    return lambda holder: holder.__setitem__(name, edit(holder[name])) if holder.get(name) else None


def _finish_apart(chunks: Chunks) -> Chunks:
    for chunk in chunks:
        for choice in chunk["choices"]:
            if choice["finish_reason"]:
                yield {**chunk, "choices": [{**choice, "finish_reason": None}]}
        yield chunk


def _with_an_empty_one(chunks: Chunks) -> Chunks:
    for number, chunk in enumerate(chunks):
        yield chunk
        if number == 2:
            yield {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": None}]}


def _totals_first(chunks: Chunks) -> Chunks:
    held = None
    for chunk in chunks:
        if any(choice["finish_reason"] for choice in chunk["choices"]):
            held = chunk
        else:
            yield chunk
    if held is not None:
        yield held


def _function_calls(edit: Callable[[Json], object]) -> Callable[[Chunks], Chunks]:
    return _in_deltas(lambda delta: [edit(one) for one in delta.get("tool_calls", ())])


def _schema(body: Json) -> Json:
    tools = json.loads(json.dumps(body["tools"]))
    parameters = tools[0]["function"]["parameters"]
    parameters["properties"] = dict(reversed(parameters["properties"].items()))
    return {**body, "tools": tools}


OVERLOOKED = (
    Edit(
        name="another clock", shown=Normalisation.CREATED, chunks=_each(_where("created", lambda at: at + 5))
    ),
    Edit(
        name="no null",
        shown=Normalisation.NULL,
        chunks=_in_choices(lambda choice: choice.pop("logprobs") if choice.get("logprobs", 1) is None else 0),
    ),
    Edit(
        name="empty for null",
        shown=Normalisation.EMPTY_VALUE,
        chunks=_each(lambda chunk: chunk.setdefault("obfuscation", "")),
    ),
    Edit(
        name="the role again",
        shown=Normalisation.ROLE,
        chunks=_in_deltas(lambda delta: delta.setdefault("role", "assistant")),
    ),
    Edit(
        name="the type again",
        shown=Normalisation.TOOL_TYPE,
        chunks=_function_calls(lambda one: one.setdefault("type", "function")),
    ),
    Edit(name="finish in two", shown=Normalisation.EMPTY_CHUNK, chunks=_finish_apart),
    Edit(
        name="an empty finish",
        shown=Normalisation.FINISH_EMPTY,
        chunks=_in_choices(lambda choice: choice.update(finish_reason=choice["finish_reason"] or "")),
    ),
    Edit(name="one chunk more", shown=Normalisation.EMPTY_CHUNK, chunks=_with_an_empty_one),
    Edit(name="another library", shown=Normalisation.HEADER, headers={"User-Agent": "combined/1"}),
    Edit(
        name="keys in another order",
        shown=Normalisation.BODY_SPELLING,
        body=lambda body: dict(reversed(body.items())),
    ),
    Edit(
        name="1.0 for 1",
        shown=Normalisation.NUMBER_SPELLING,
        body=lambda body: {**body, "temperature": float(body["temperature"])},
    ),
    Edit(name="properties in another order", shown=Normalisation.KEY_ORDER, body=_schema),
)

SEEN = (
    Edit(
        name="other text",
        shown=(Kind.TEXT, "text*"),
        chunks=_in_deltas(_where("content", lambda text: text.replace("lo", "l0"))),
    ),
    Edit(
        name="no reasoning",
        shown=(Kind.REASONING, "*"),
        chunks=_in_deltas(lambda delta: delta.pop("reasoning_content", None)),
    ),
    Edit(
        name="other arguments",
        shown=(Kind.TOOL_CALLS, "*"),
        chunks=_function_calls(
            lambda one: _where("arguments", lambda said: said.replace("1", "2"))(one["function"])
        ),
    ),
    Edit(
        name="another end",
        shown=(Kind.FINISH_REASON, "*"),
        chunks=_in_choices(_where("finish_reason", lambda _reason: "stop")),
    ),
    Edit(
        name="another total",
        shown=(Kind.USAGE, "usage.completion_tokens"),
        chunks=_each(_where("usage", lambda usage: {**usage, "completion_tokens": 1})),
    ),
    Edit(
        name="no cached tokens",
        shown=(Kind.USAGE_DETAILS, "*"),
        chunks=_each(_where("usage", lambda usage: {**usage, "prompt_tokens_details": {"cached_tokens": 0}})),
    ),
    Edit(
        name="no log probabilities",
        shown=(Kind.FIELDS, "choices[0].logprobs*"),
        chunks=_in_choices(lambda choice: choice.pop("logprobs") if choice.get("logprobs") else None),
    ),
    Edit(name="no sources", shown=(Kind.FIELDS, "citations*"), chunks=_each(lambda c: c.pop("citations", 0))),
    Edit(
        name="another tier",
        shown=(Kind.FIELDS, "service_tier"),
        chunks=_each(_where("service_tier", lambda _tier: "flex")),
    ),
    Edit(name="another id", shown=(Kind.RESPONSE_ID, "*"), chunks=_each(_where("id", lambda _id: "made-up"))),
    Edit(
        name="another model",
        shown=(Kind.MODEL_NAME, "*"),
        chunks=_each(_where("model", lambda _model: "made-up")),
    ),
    Edit(name="totals before the end", shown=(Kind.ORDER, "*"), chunks=_totals_first),
    Edit(
        name="a header",
        shown=(Kind.REQUEST_HEADERS, "*openai-organization*"),
        headers={"OpenAI-Organization": "o"},
    ),
    Edit(
        name="a parameter lost",
        shown=(Kind.REQUEST_BODY, "body.top_p"),
        body=lambda body: {name: value for name, value in body.items() if name != "top_p"},
    ),
    Edit(
        name="the caller's messages",
        shown=(Kind.SIDE_EFFECT, "call.messages*"),
        beside=lambda call: call.messages[0].update(name="changed"),  # type: ignore[attr-defined]
    ),
    Edit(
        name="a printed line",
        shown=(Kind.SIDE_EFFECT, "stdout"),
        beside=lambda _call: sys.stdout.write("debug\n"),
    ),
    Edit(
        name="a logged line",
        shown=(Kind.SIDE_EFFECT, "log"),
        beside=lambda _call: logging.getLogger("combined").warning("debug"),
    ),
    Edit(
        name="a variable",
        shown=(Kind.SIDE_EFFECT, "environ.*"),
        beside=lambda _call: os.environ.update(COMBINED_CLIENT=str(time.monotonic_ns())),
    ),
)
