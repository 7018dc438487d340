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
from llm_contracts.simulator.dialect import Dialect, FilterShape, Json, Model, RefusalText, Stream, digits
from llm_contracts.simulator.script import Refused, UsagePlacement


def _words(status: int, code: int | None, message: str, *keys: str) -> RefusalText:
    return RefusalText(status=status, code=code, message=message, keys=keys or ("code", "message", "data"))


def _bare(status: int, message: str) -> RefusalText:
    """Nothing but a message, which is sent as a JSON string."""
    return _words(status, None, message, "message")


_WORDS = {
    Refused.NO_KEY: _bare(401, "Invalid token"),
    Refused.WRONG_KEY: _bare(401, "Api key is invalid"),
    Refused.UNKNOWN_MODEL: _words(400, 20012, "Model does not exist. Please check it carefully."),
    Refused.BAD_REQUEST: _words(400, 20015, "The request body is no JSON object."),
    Refused.BAD_PARAMETER: _words(400, 20015, "{parameter} must be between 0 and {limit}."),
    Refused.TOO_LONG: _words(
        400, 20015, "length of prompt_tokens (57535) must be less than max_seq_len (32768)."
    ),
    Refused.RATE_LIMIT: _words(
        429, None, "Request was rejected due to rate limiting. Details:TPM limit reached.", "message", "data"
    ),
    Refused.UNPAID: _words(403, 30001, "The account's balance is insufficient."),
    Refused.NOT_FOUND: _bare(404, "404 page not found"),
    Refused.UNAVAILABLE: _words(503, 50505, "Model service overloaded. Please try again later."),
    Refused.SERVER_ERROR: _words(500, 50507, "Unknown error."),
    Refused.PROMPT_FILTER: _words(451, 20021, "The content may be unsafe."),
    Refused.MID_STREAM: _words(200, 50507, "Unknown error.", "code", "message"),
}


def _text(_stream: Stream, piece: str) -> Json:
    return {"content": piece, "reasoning_content": None}


SILICON = Dialect(
    name="silicon",
    base_path="/v1",
    models={
        "Qwen/Qwen2.5-7B-Instruct": Model(answers="Qwen/Qwen2.5-7B-Instruct"),
        "Qwen/Qwen3-8B": Model(answers="Qwen/Qwen3-8B", thinks=True),
    },
    words=_WORDS,
    gateway=_bare,
    filter_shape=FilterShape.REFUSAL,
    place=UsagePlacement.EVERY,
    always_totals=True,
    stream_type="text/event-stream",
    new_id=lambda seed: "0196" + digits(seed, 28),
    opening=lambda stream: {**_text(stream, ""), "role": "assistant"},
    thought=shapes.thought,
    text=_text,
    tool=lambda _stream, call: {"content": None, "reasoning_content": None, "tool_calls": [call]},
    closing=lambda stream: (_text(stream, ""),),
    totals=lambda stream, spent: {
        **shapes.counted(spent),
        **(shapes.reasoning_counted(spent) if stream.thinks else {}),
    },
    chunk=lambda stream, _number, part: shapes.chunk(
        stream,
        part,
        "id object created model choices system_fingerprint",
        {"index": 0, "delta": part.delta, "finish_reason": part.finish},
        system_fingerprint="",
    ),
    headers=lambda seed: (
        shapes.DATE,
        ("x-siliconcloud-trace-id", "ti_" + digits(f"{seed}/trace", 20)),
    ),
    refuse=lambda error, _seed: error["message"] if tuple(error) == ("message",) else error,
    listing=shapes.listing(created=0, owned_by=""),
)
