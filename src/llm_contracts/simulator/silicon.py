"""SiliconFlow, by captured streams and refusals of 2025.

Captured: the chunks' keys, a null beside every text and every thought, `system_fingerprint` empty, usage on
every chunk and counted so far; refusals without an envelope, which are an object with `code`, `message` and
`data`, one without the code for 429, and a bare JSON string for others; 451 for unsafe content. Documented:
the trace id's header.

UNVERIFIED, and so chosen here: LF line ends, the exact content type, the shape of a tool call, reasoning in
the totals, most messages' wording, the body of a 500, and an error in mid-stream, for which the envelope is
taken that the servers behind it have.
"""

from __future__ import annotations

from llm_contracts.simulator import shapes
from llm_contracts.simulator.dialect import (
    EPOCH,
    HTTP_DATE,
    ChunkPart,
    Dialect,
    FilterShape,
    Json,
    Model,
    RefusalText,
    Stream,
    compact,
    digits,
)
from llm_contracts.simulator.script import Refused, UsagePlacement

_MODELS = {
    "Qwen/Qwen2.5-7B-Instruct": Model(answers="Qwen/Qwen2.5-7B-Instruct"),
    "Qwen/Qwen3-8B": Model(answers="Qwen/Qwen3-8B", thinks=True),
}


def _words(status: int, code: int, message: str) -> RefusalText:
    return RefusalText(status=status, code=code, message=message, keys=("code", "message", "data"))


def _bare(status: int, message: str) -> RefusalText:
    """Nothing but a message, which is sent as a JSON string."""
    return RefusalText(status=status, message=message, keys=("message",))


_WORDS = {
    Refused.NO_KEY: _bare(401, "Invalid token"),
    Refused.WRONG_KEY: _bare(401, "Api key is invalid"),
    Refused.UNKNOWN_MODEL: _words(400, 20012, "Model does not exist. Please check it carefully."),
    Refused.BAD_REQUEST: _words(400, 20015, "The request body is no JSON object."),
    Refused.BAD_PARAMETER: _words(400, 20015, "{parameter} must be between 0 and {limit}."),
    Refused.TOO_LONG: _words(
        400, 20015, "length of prompt_tokens (57535) must be less than max_seq_len (32768)."
    ),
    Refused.RATE_LIMIT: RefusalText(
        status=429,
        message="Request was rejected due to rate limiting. Details:TPM limit reached.",
        keys=("message", "data"),
    ),
    Refused.UNPAID: _words(403, 30001, "The account's balance is insufficient."),
    Refused.NOT_FOUND: _bare(404, "404 page not found"),
    Refused.UNAVAILABLE: _words(503, 50505, "Model service overloaded. Please try again later."),
    Refused.SERVER_ERROR: _words(500, 50507, "Unknown error."),
    Refused.PROMPT_FILTER: _words(451, 20021, "The content may be unsafe."),
    Refused.MID_STREAM: RefusalText(
        status=200, code=50507, message="Unknown error.", keys=("code", "message")
    ),
}


def _text(_stream: Stream, piece: str) -> Json:
    return {"content": piece, "reasoning_content": None}


SILICON = Dialect(
    name="silicon",
    base_path="/v1",
    models=_MODELS,
    words=_WORDS,
    gateway=_bare,
    filter_shape=FilterShape.REFUSAL,
    place=UsagePlacement.EVERY,
    always_totals=True,
    stream_type="text/event-stream",
    new_id=lambda seed: "0196" + digits(seed, "0123456789abcdef", 28),
    opening=lambda stream: {**_text(stream, ""), "role": "assistant"},
    thought=shapes.thought,
    text=_text,
    tool=lambda _stream, call: {"content": None, "reasoning_content": None, "tool_calls": [call]},
    closing=lambda stream, finish: (ChunkPart(delta=_text(stream, ""), finish=finish),),
    totals=lambda stream, spent: {
        **shapes.counted(spent),
        **(shapes.reasoning_counted(spent) if stream.thinks else {}),
    },
    chunk=lambda stream, _number, part: {
        "id": stream.id,
        "object": "chat.completion.chunk",
        "created": EPOCH,
        "model": stream.model,
        "choices": []
        if part.delta is None
        else [{"index": 0, "delta": part.delta, "finish_reason": part.finish}],
        "system_fingerprint": "",
        **({"usage": part.usage} if part.usage else {}),
    },
    headers=lambda seed: (
        ("Date", HTTP_DATE),
        ("x-siliconcloud-trace-id", "ti_" + digits(f"{seed}/trace", "0123456789abcdef", 20)),
    ),
    refuse=lambda error, _seed: compact(error["message"] if tuple(error) == ("message",) else error).encode(),
    listing=shapes.listing(created=0, owned_by=""),
)
