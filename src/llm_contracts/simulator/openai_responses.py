"""OpenAI's Responses API, by streams recorded from api.openai.com in 2025 and 2026.

Recorded: `event:` equal to the data's `type`, no `[DONE]`, `sequence_number` from 0, `obfuscation` on deltas,
the order of an item's events, totals only in the terminal event, and that a failure in mid-stream is an
`error` event and then `response.failed` with status 200. Refusals are those of chat completions.

UNVERIFIED, and so chosen here: how long padding is, and that a content filter ends as `incomplete`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from llm_contracts.simulator import shapes
from llm_contracts.simulator.dialect import ChunkPart, Framing, Json, Stream, TokenCounts, digits
from llm_contracts.simulator.openai import OPENAI
from llm_contracts.simulator.script import UsagePlacement
from llm_contracts.util.json_values import as_list, as_mapping

_ITEMS = {
    "reasoning_content": ("rs_", "reasoning"),
    "tool_calls": ("fc_", "function_call"),
    "content": ("msg_", "message"),
}
_REASONS = {"length": "max_output_tokens", "content_filter": "content_filter"}

# Requests


def _asked(_path: str, body: Mapping[str, Any]) -> Json:
    text = body.get("input")
    messages = [{"content": text}] if isinstance(text, str) else [as_mapping(one) for one in as_list(text)]
    return {
        **body,
        "messages": [{"content": body.get("instructions") or ""}, *messages],
        "max_tokens": body.get("max_output_tokens"),
        "response_format": as_mapping(body.get("text")).get("format"),
        "enable_thinking": bool(as_mapping(body.get("reasoning")).get("summary")),
    }


# Answers

Say = Callable[..., None]


def _events(stream: Stream, parts: tuple[ChunkPart, ...], broken: Json | None) -> tuple[Json, ...]:
    events: list[Json] = []

    def say(kind: str, **fields: Any) -> None:
        events.append({"type": kind, **fields, "sequence_number": len(events)})

    for kind in ("response.created", "response.in_progress"):
        say(kind, response=_response(stream, "in_progress", []))
    items = [_sent(say, stream, place, *block) for place, block in enumerate(shapes.blocks(parts))]
    if broken is None:
        response = _ended(stream, parts, items)
        say(f"response.{response['status']}", response=response)
    else:
        said = {"code": broken["type"], "message": broken["message"]}
        say("error", **said, param=None)
        say("response.failed", response={**_response(stream, "failed", items), "error": said})
    return tuple(events)


def _whole(stream: Stream, parts: tuple[ChunkPart, ...]) -> Json:
    silent: Say = lambda *_kind, **_fields: None  # noqa: E731
    return _ended(
        stream,
        parts,
        [_sent(silent, stream, place, *block) for place, block in enumerate(shapes.blocks(parts))],
    )


def _sent(say: Say, stream: Stream, place: int, kind: str, deltas: list[Json]) -> Json:
    """Send one item of output piece by piece, and return it as it is in the end."""
    item, at = _new_item(stream, place, kind, deltas), {"output_index": place}
    say("response.output_item.added", item=item, **at)
    of = {"item_id": item["id"], **at}
    if kind == "tool_calls":
        pieces = [delta["tool_calls"][0]["function"]["arguments"] for delta in deltas[1:]]
        _pieces(say, stream, "response.function_call_arguments", pieces, of, "arguments")
        done = {**item, "status": "completed", "arguments": "".join(pieces)}
    elif kind == "reasoning_content":
        pieces = [delta["reasoning_content"] for delta in deltas]
        of, part = {**of, "summary_index": 0}, {"type": "summary_text", "text": ""}
        say("response.reasoning_summary_part.added", **of, part=part)
        _pieces(say, stream, "response.reasoning_summary_text", pieces, of, "text")
        part = {**part, "text": "".join(pieces)}
        say("response.reasoning_summary_part.done", **of, part=part)
        done = {**item, "summary": [part]}
    else:
        pieces = [delta["content"] for delta in deltas]
        of, words = {**of, "content_index": 0}, {"type": "output_text", "annotations": [], "logprobs": []}
        say("response.content_part.added", **of, part={**words, "text": ""})
        _pieces(say, stream, "response.output_text", pieces, {**of, "logprobs": []}, "text")
        say("response.content_part.done", **of, part={**words, "text": "".join(pieces)})
        done = {**item, "status": "completed", "content": [{**words, "text": "".join(pieces)}]}
    say("response.output_item.done", item=done, **at)
    return done


def _pieces(say: Say, stream: Stream, kind: str, pieces: list[str], of: Json, whole: str) -> None:
    for number, piece in enumerate(pieces):
        padding = digits(f"{stream.seed}/{kind}/{number}", 16)[: 1 + number % 16]
        say(f"{kind}.delta", **of, delta=piece, obfuscation=padding)
    say(f"{kind}.done", **of, **{whole: "".join(pieces)})


def _new_item(stream: Stream, place: int, kind: str, deltas: list[Json]) -> Json:
    prefix, name = _ITEMS[kind]
    item: Json = {"id": prefix + digits(f"{stream.seed}/item/{place}", 48), "type": name}
    if kind == "tool_calls":
        call = deltas[0]["tool_calls"][0]
        named = {"arguments": "", "call_id": call["id"], "name": call["function"]["name"]}
        return {**item, "status": "in_progress", **named}
    if kind == "reasoning_content":
        return {**item, "summary": []}
    return {**item, "status": "in_progress", "content": [], "role": "assistant"}


def _ended(stream: Stream, parts: tuple[ChunkPart, ...], items: list[Json]) -> Json:
    reason = _REASONS.get(str(parts[-1].finish))
    details = {"incomplete_details": {"reason": reason}} if reason else {}
    response = _response(stream, "incomplete" if reason else "completed", items)
    return {**response, **details, "usage": parts[-1].usage}


def _response(stream: Stream, status: str, items: list[Json]) -> Json:
    asked = stream.ask.body or {}
    return {
        "id": stream.id,
        "object": "response",
        "created_at": shapes.EPOCH,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": asked.get("instructions"),
        "max_output_tokens": asked.get("max_output_tokens"),
        "model": stream.model,
        "output": items,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": asked.get("tools", []),
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None,
        "metadata": {},
    }


def _totals(_stream: Stream, spent: TokenCounts) -> Json:
    return {
        "input_tokens": spent.prompt,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": spent.completion,
        "output_tokens_details": {"reasoning_tokens": spent.reasoning},
        "total_tokens": spent.prompt + spent.completion,
    }


OPENAI_RESPONSES = replace(
    OPENAI,
    name="openai-responses",
    chat_path="/responses",
    asked=_asked,
    framing=Framing(named=True, done=None),
    new_id=lambda seed: "resp_" + digits(seed, 50),
    place=UsagePlacement.LAST,
    always_totals=True,
    opening=lambda _stream: None,
    thought=lambda piece: {"reasoning_content": piece},
    events=_events,
    whole=_whole,
    totals=_totals,
)
