"""Anthropic's Messages API, by streams recorded from api.anthropic.com in 2025 and 2026.

Recorded: an `event:` line equal to the data's `type`, the order of a block's events, `ping`, totals in
`message_start` and again in `message_delta`, no `[DONE]`, a signature that ends a thought, the bodies of
401 and 404 with `request_id`. Documented: the other kinds of errors and their statuses, `refusal`.

UNVERIFIED, and so chosen here: an error in mid-stream, the bodies of 429, 500 and 529, most messages'
wording, the names of headers beside `request-id`.
"""

from __future__ import annotations

from typing import Any

from llm_contracts.simulator import shapes
from llm_contracts.simulator.ask import bearer_key
from llm_contracts.simulator.dialect import (
    ChunkPart,
    Dialect,
    Framing,
    Json,
    Model,
    RefusalText,
    Stream,
    digits,
)
from llm_contracts.simulator.script import Refused, UsagePlacement
from llm_contracts.util.json_values import read_json

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz123456789"


# Answers


def _events(stream: Stream, parts: tuple[ChunkPart, ...], broken: Json | None) -> tuple[Json, ...]:
    start = _message(stream, [], None, {**_counts(stream.ask.prompt_tokens), "output_tokens": 1})
    events: list[Json] = [{"type": "message_start", "message": start}]
    for index, block in enumerate(shapes.blocks(parts)):
        begun, *deltas = _block(*block)
        events.append({"type": "content_block_start", "index": index, "content_block": begun})
        if not index:
            events.append({"type": "ping"})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    if broken is not None:
        return (*events, {"type": "error", "error": broken})
    usage = {"usage": parts[-1].usage} if parts[-1].usage else {}
    delta = {"stop_reason": parts[-1].finish, "stop_sequence": None}
    return (*events, {"type": "message_delta", "delta": delta, **usage}, {"type": "message_stop"})


def _whole(stream: Stream, parts: tuple[ChunkPart, ...]) -> Json:
    content = []
    for block in shapes.blocks(parts):
        begun, *deltas = _block(*block)
        if begun["type"] == "tool_use":
            begun["input"] = read_json("".join(delta["partial_json"] for delta in deltas) or "{}")
        else:
            for delta in deltas:
                name = delta["type"].removesuffix("_delta")
                begun[name] += delta[name]
        content.append(begun)
    return _message(stream, content, parts[-1].finish, parts[-1].usage)


def _block(member: str, deltas: list[Json]) -> list[Json]:
    """How a block begins, and its deltas."""
    if member == "tool_calls":
        call, *others = (delta["tool_calls"][0] for delta in deltas)
        pieces = [
            {"type": "input_json_delta", "partial_json": other["function"]["arguments"]} for other in others
        ]
        name = "toolu_" + call["id"].removeprefix("call_")
        return [{"type": "tool_use", "id": name, "name": call["function"]["name"], "input": {}}, *pieces]
    if member == "reasoning_content":
        said = [{"type": "thinking_delta", "thinking": delta["reasoning_content"]} for delta in deltas]
        signature = digits("".join(delta["thinking"] for delta in said), 80, _ALPHABET)
        begun = {"type": "thinking", "thinking": "", "signature": ""}
        return [begun, *said, {"type": "signature_delta", "signature": signature}]
    return [
        {"type": "text", "text": ""},
        *({"type": "text_delta", "text": delta["content"]} for delta in deltas),
    ]


def _message(stream: Stream, content: list[Json], finish: str | None, usage: Any) -> Json:
    return {
        "model": stream.model,
        "id": stream.id,
        "type": "message",
        "role": "assistant",
        "content": content,
        "stop_reason": finish,
        "stop_sequence": None,
        "usage": usage,
    }


def _counts(prompt: int) -> Json:
    return {"input_tokens": prompt, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}


# Refusals


def _words(status: int, kind: str, message: str) -> RefusalText:
    return RefusalText(status=status, message=message, type=kind, keys=("type", "message"))


_KINDS = {403: "permission_error", 404: "not_found_error", 413: "request_too_large", 529: "overloaded_error"}
_INVALID = "invalid_request_error"
_SERVERS_FAULT = 500


_WORDS = {
    Refused.NO_KEY: _words(401, "authentication_error", "x-api-key header is required"),
    Refused.WRONG_KEY: _words(401, "authentication_error", "invalid x-api-key"),
    Refused.UNKNOWN_MODEL: _words(404, "not_found_error", "model: {model}"),
    Refused.BAD_REQUEST: _words(400, _INVALID, "The request body is not valid JSON"),
    Refused.BAD_PARAMETER: _words(400, _INVALID, "{parameter}: range: 0..{limit}"),
    Refused.TOO_LONG: _words(400, _INVALID, "prompt is too long: 210000 tokens > 200000 maximum"),
    Refused.RATE_LIMIT: _words(
        429, "rate_limit_error", "This request would exceed your organization's rate limit."
    ),
    Refused.UNPAID: _words(400, _INVALID, "Your credit balance is too low to access the Anthropic API."),
    Refused.OVERLOADED: _words(529, "overloaded_error", "Overloaded"),
    Refused.SERVER_ERROR: _words(500, "api_error", "Internal server error"),
    Refused.PROMPT_FILTER: _words(400, _INVALID, "Output blocked by content filtering policy"),
    Refused.MID_STREAM: _words(200, "overloaded_error", "Overloaded"),
}

ANTHROPIC = Dialect(
    name="anthropic",
    base_path="",
    chat_path="/v1/messages",
    # Newer SDKs send the key as a bearer's.
    key=lambda headers: headers.get("x-api-key") or bearer_key(headers),
    asked=lambda _path, body: {
        **body,
        "messages": [{"content": body.get("system", "")}, *body.get("messages", ())],
    },
    models={
        "claude-haiku-4-5": Model(answers="claude-haiku-4-5-20251001"),
        "claude-sonnet-4-5": Model(answers="claude-sonnet-4-5-20250929"),
    },
    words=_WORDS,
    gateway=lambda status, message: _words(
        status, _KINDS.get(status, _INVALID if status < _SERVERS_FAULT else "api_error"), message
    ),
    filter_finish="refusal",
    finishes={"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"},
    place=UsagePlacement.LAST,
    always_totals=True,
    framing=Framing(named=True, done=None),
    greatest={"temperature": 1, "top_p": 1},
    new_id=lambda seed: "msg_01" + digits(f"{seed}/id", 22, _ALPHABET),
    thought=lambda piece: {"reasoning_content": piece},
    totals=lambda _stream, spent: {
        **_counts(spent.prompt),
        "output_tokens": spent.completion,
        **({"output_tokens_details": {"thinking_tokens": spent.reasoning}} if spent.reasoning else {}),
    },
    events=_events,
    whole=_whole,
    headers=lambda seed: (
        shapes.DATE,
        ("Server", "cloudflare"),
        ("request-id", "req_" + digits(f"{seed}/request", 24, _ALPHABET)),
    ),
    refuse=lambda error, seed: {
        "type": "error",
        "error": error,
        "request_id": "req_" + digits(f"{seed}/request", 24, _ALPHABET),
    },
    listing=lambda models: {
        "data": [{"type": "model", "id": name, "display_name": name} for name in models],
        "has_more": False,
    },
)
