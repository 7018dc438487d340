"""OpenAI's chat completions and embeddings, as recorded from api.openai.com between 2025 and 2026.

Recorded facts: framing, key order, `obfuscation`, `service_tier`, the dated model id in answers, usage in a
chunk of its own and only when asked for (then every other chunk has `usage: null`), no `logprobs` from the
gpt-5 family, 400 and 404 bodies. Embeddings are one document, base64 of little-endian floats where
`encoding_format` asks for it (OpenAI's SDK does so by itself), with totals without completion tokens.

UNVERIFIED, and so chosen here: the wording of 401, 429 and 500, that a refusal's JSON is indented by two (one
recorded 400 is), and `Retry-After` on a 429, which real ones have sometimes; refusals of embeddings; 64
numbers where nobody asks for `dimensions`, to keep recordings short.
"""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import replace
from hashlib import shake_128
from string import ascii_letters
from string import digits as figures

from llm_contracts.simulator import shapes
from llm_contracts.simulator.dialect import ChunkPart, Dialect, Json, Model, RefusalText, Stream, digits
from llm_contracts.simulator.script import Refused, UsagePlacement
from llm_contracts.simulator.texts import tokens_in
from llm_contracts.util.json_values import as_list

_ALPHABET = ascii_letters + figures
_INVALID = "invalid_request_error"
_SERVERS_FAULT = 500
_DIMENSIONS = 64
_HALF = 128


def _words(
    status: int, message: str, code: str | None = None, *, kind: str = _INVALID, param: str | None = None
) -> RefusalText:
    return RefusalText(status=status, message=message, type=kind, param=param, code=code)


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
    Refused.SERVER_ERROR: _words(
        500, "The server had an error while processing your request.", kind="server_error"
    ),
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
}


def _opening(stream: Stream) -> Json:
    if stream.calls:
        return {"role": "assistant", "content": None, "tool_calls": [stream.calls[0]], "refusal": None}
    return {"role": "assistant", "content": "", "refusal": None}


def _members(stream: Stream) -> Json:
    """What other providers do not have."""
    return {"service_tier": "default", "system_fingerprint": None if stream.thinks else "fp_simulated0"}


def _logprobs(stream: Stream) -> Json:
    return {} if stream.thinks else {"logprobs": None}


def _chunk(stream: Stream, number: int, part: ChunkPart) -> Json:
    chunk = shapes.chunk(
        stream,
        part,
        "id object created model service_tier system_fingerprint choices",
        {"index": 0, "delta": part.delta, **_logprobs(stream), "finish_reason": part.finish},
        null_usage=stream.ask.include_usage,
        **_members(stream),
    )
    if stream.ask.obfuscated:
        seed = f"{stream.seed}/{number}"
        size = int(digits(f"{seed}/length", 6, figures)) % 16  # 0 to 15 characters were recorded
        chunk["obfuscation"] = digits(f"{seed}/padding", size, _ALPHABET)
    return chunk


def _whole(stream: Stream, parts: tuple[ChunkPart, ...]) -> Json:
    """The completion that the chunks add up to."""
    deltas = [part.delta for part in parts if part.delta]
    pieces = [call for delta in deltas for call in delta.get("tool_calls", ())]
    calls = []
    for number, call in enumerate(stream.calls):
        arguments = "".join(each["function"]["arguments"] for each in pieces if each["index"] == number)
        function = {**call["function"], "arguments": arguments}
        calls.append({"id": call["id"], "type": "function", "function": function})
    message = {
        "role": "assistant",
        "content": None if calls else "".join(delta.get("content") or "" for delta in deltas),
        **({"tool_calls": calls} if calls else {}),
        "refusal": None,
        "annotations": [],
    }
    finish = next((part.finish for part in parts if part.finish), None)
    return shapes.chunk(
        stream,
        ChunkPart(delta=message, usage=next((part.usage for part in parts if part.usage), None)),
        "id object created model choices usage service_tier system_fingerprint",
        {"index": 0, "message": message, **_logprobs(stream), "finish_reason": finish},
        object="chat.completion",
        **_members(stream),
    )


OPENAI = Dialect(
    name="openai",
    base_path="/v1",
    models={
        "gpt-4o-mini": Model(answers="gpt-4o-mini-2024-07-18"),
        "gpt-4o": Model(answers="gpt-4o-2024-08-06"),
        "gpt-5-nano": Model(answers="gpt-5-nano-2025-08-07", thinks=True),
    },
    words=_WORDS,
    gateway=lambda status, message: RefusalText(
        status=status, message=message, type=_INVALID if status < _SERVERS_FAULT else "server_error"
    ),
    place=UsagePlacement.OWN,
    new_id=lambda seed: "chatcmpl-" + digits(seed, 29, _ALPHABET),
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
        shapes.DATE,
        ("Server", "cloudflare"),
        ("openai-organization", "org-simulated"),
        ("openai-processing-ms", "120"),
        ("openai-version", "2020-10-01"),
        ("x-ratelimit-limit-requests", "10000"),
        ("x-ratelimit-remaining-requests", "9999"),
        ("x-ratelimit-reset-requests", "6ms"),
        ("x-request-id", "req_" + digits(f"{seed}/request", 32)),
    ),
    # Others than chat models are on the list too: telling them apart is the client's business.
    listing=lambda models: shapes.listing(created=shapes.EPOCH, owned_by="system")(
        (*models, "text-embedding-3-small", "whisper-1")
    ),
    document=lambda value: json.dumps(value, ensure_ascii=False, indent=2),
)

# Embeddings


def _embedded(stream: Stream, _parts: tuple[ChunkPart, ...]) -> Json:
    asked = stream.ask.body or {}
    given = asked.get("input")
    texts = as_list(given) or [given]
    size = asked.get("dimensions", _DIMENSIONS)
    packed = asked.get("encoding_format") == "base64"
    rows = [
        {"object": "embedding", "index": index, "embedding": _vector(str(text), size, packed=packed)}
        for index, text in enumerate(texts)
    ]
    tokens = sum(tokens_in(str(text)) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": rows, "model": stream.model, "usage": usage}


def _vector(text: str, size: int, *, packed: bool) -> str | list[float]:
    """Numbers that are the same for the same text: multiples of 1/128, which four bytes hold exactly."""
    numbers = [(byte - _HALF) / _HALF for byte in shake_128(text.encode()).digest(size)]
    return base64.b64encode(struct.pack(f"<{size}f", *numbers)).decode() if packed else numbers


OPENAI_EMBEDDINGS = replace(
    OPENAI,
    name="openai-embeddings",
    chat_path="/embeddings",
    models={name: Model(answers=name) for name in ("text-embedding-3-small", "text-embedding-3-large")},
    whole=_embedded,
)
