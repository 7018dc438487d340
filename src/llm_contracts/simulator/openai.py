"""OpenAI, as recorded from api.openai.com between 2025 and 2026.

Recorded facts: framing, key order, `obfuscation`, `service_tier`, the dated model id in answers, usage in a
chunk of its own and only when asked for (then every other chunk has `usage: null`), no `logprobs` from the
gpt-5 family, 400 and 404 bodies.

UNVERIFIED, and so chosen here: the wording of 401, 429 and 500, that a refusal's JSON is indented by two (one
recorded 400 is), and `Retry-After` on a 429, which real ones have sometimes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from string import ascii_letters
from string import digits as figures

from llm_contracts.simulator import shapes
from llm_contracts.simulator.dialect import (
    EPOCH,
    HTTP_DATE,
    ChunkPart,
    Dialect,
    Json,
    Model,
    RefusalText,
    Stream,
    digits,
)
from llm_contracts.simulator.script import Refused, UsagePlacement

_ALPHABET = ascii_letters + figures
_INVALID = "invalid_request_error"
_SERVERS_FAULT = 500

_MODELS = {
    "gpt-4o-mini": Model(answers="gpt-4o-mini-2024-07-18"),
    "gpt-4o": Model(answers="gpt-4o-2024-08-06"),
    "gpt-5-nano": Model(answers="gpt-5-nano-2025-08-07", thinks=True),
}


def _words(
    status: int, message: str, code: str | None = None, *, kind: str = _INVALID, param: str | None = None
) -> RefusalText:
    return RefusalText(status=status, message=message, type=kind, param=param, code=code)


_FAILED = "The server had an error while processing your request."
_WORDS = {
    Refused.NO_KEY: _words(401, "You didn't provide an API key in an Authorization header."),
    Refused.WRONG_KEY: _words(401, "Incorrect API key provided: {key}.", "invalid_api_key"),
    Refused.UNKNOWN_MODEL: _words(
        404, "The model `{model}` does not exist or you do not have access to it.", "model_not_found"
    ),
    Refused.BAD_REQUEST: _words(400, "The body of your request could not be parsed as JSON."),
    Refused.BAD_PARAMETER: _words(
        400,
        "Invalid '{parameter}': expected a value <= {limit}, but got {value} instead.",
        "decimal_above_max_value",
        param="{parameter}",
    ),
    Refused.JSON_WORD: _words(
        400,
        "'messages' must contain the word 'json' to use 'response_format' of type 'json_object'.",
        param="messages",
    ),
    Refused.RATE_LIMIT: _words(
        429,
        "Rate limit reached for {model} on requests per min (RPM): Limit 3, Used 3, Requested 1. "
        "Please try again in 1s.",
        "rate_limit_exceeded",
        kind="requests",
    ),
    Refused.SERVER_ERROR: _words(500, _FAILED, kind="server_error"),
    Refused.TOO_LONG: _words(
        400,
        "This model's maximum context length is 128000 tokens, but your messages have more.",
        "context_length_exceeded",
        param="messages",
    ),
    Refused.UNPAID: _words(
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota",
        kind="insufficient_quota",
    ),
    Refused.PROMPT_FILTER: _words(
        400,
        "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
        "invalid_prompt",
    ),
    Refused.MID_STREAM: _words(200, _FAILED, kind="server_error"),
}


def _opening(stream: Stream) -> Json:
    if stream.call:
        return {"role": "assistant", "content": None, "tool_calls": [stream.call], "refusal": None}
    return {"role": "assistant", "content": "", "refusal": None}


def _choices(stream: Stream, part: ChunkPart) -> list[Json]:
    if part.delta is None:
        return []
    logprobs = {} if stream.thinks else {"logprobs": None}
    return [{"index": 0, "delta": part.delta, **logprobs, "finish_reason": part.finish}]


def _chunk(stream: Stream, number: int, part: ChunkPart) -> Json:
    chunk: Json = {
        "id": stream.id,
        "object": "chat.completion.chunk",
        "created": EPOCH,
        "model": stream.model,
        "service_tier": "default",
        "system_fingerprint": None if stream.thinks else "fp_simulated0",
        "choices": _choices(stream, part),
    }
    if stream.ask.include_usage:
        chunk["usage"] = part.usage
    if stream.ask.obfuscated:
        chunk["obfuscation"] = _obfuscation(f"{stream.seed}/{number}")
    return chunk


def _whole(stream: Stream, parts: tuple[ChunkPart, ...]) -> Json:
    """The completion that the chunks add up to."""
    deltas = [part.delta for part in parts if part.delta]
    text = "".join(delta.get("content") or "" for delta in deltas)
    calls: dict[int, Json] = {}
    for piece in (call for delta in deltas for call in delta.get("tool_calls", ())):
        if "id" in piece:
            calls[piece["index"]] = {name: value for name, value in piece.items() if name != "index"}
        else:
            function = calls[piece["index"]]["function"]
            added = function["arguments"] + piece["function"]["arguments"]
            calls[piece["index"]]["function"] = {**function, "arguments": added}
    message: Json = {"role": "assistant", "content": None if calls else text}
    if calls:
        message["tool_calls"] = list(calls.values())
    message |= {"refusal": None, "annotations": []}
    logprobs = {} if stream.thinks else {"logprobs": None}
    finish = next((part.finish for part in parts if part.finish), None)
    return {
        "id": stream.id,
        "object": "chat.completion",
        "created": EPOCH,
        "model": stream.model,
        "choices": [{"index": 0, "message": message, **logprobs, "finish_reason": finish}],
        "usage": next((part.usage for part in parts if part.usage), None),
        "service_tier": "default",
        "system_fingerprint": None if stream.thinks else "fp_simulated0",
    }


def _obfuscation(seed: str) -> str:
    """Padding of random length: 0 to 15 characters were recorded."""
    return digits(f"{seed}/padding", _ALPHABET, int(digits(f"{seed}/length", figures, 6)) % 16)


def _indented(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode()


def _listing(models: Mapping[str, Model]) -> bytes:
    # Others than chat models are on the list too: telling them apart is the client's business.
    names = (*models, "text-embedding-3-small", "whisper-1")
    rows = [{"id": name, "object": "model", "created": EPOCH, "owned_by": "system"} for name in names]
    return _indented({"object": "list", "data": rows})


OPENAI = Dialect(
    name="openai",
    base_path="/v1",
    models=_MODELS,
    words=_WORDS,
    gateway=lambda status, message: RefusalText(
        status=status, message=message, type=_INVALID if status < _SERVERS_FAULT else "server_error"
    ),
    place=UsagePlacement.OWN,
    new_id=lambda seed: "chatcmpl-" + digits(seed, _ALPHABET, 29),
    opening=_opening,
    thought=None,  # this endpoint counts thoughts and never shows them
    totals=lambda _stream, spent: {
        **shapes.counted(spent),
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": spent.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    },
    chunk=_chunk,
    whole=_whole,
    headers=lambda seed: (
        ("Date", HTTP_DATE),
        ("Server", "cloudflare"),
        ("openai-organization", "org-simulated"),
        ("openai-processing-ms", "120"),
        ("openai-version", "2020-10-01"),
        ("x-ratelimit-limit-requests", "10000"),
        ("x-ratelimit-remaining-requests", "9999"),
        ("x-ratelimit-reset-requests", "6ms"),
        ("x-request-id", "req_" + digits(f"{seed}/request", "0123456789abcdef", 32)),
    ),
    refuse=lambda error, _seed: _indented({"error": error}),
    listing=_listing,
)
