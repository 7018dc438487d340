"""Qwen, as DashScope's compatible mode sends it (recorded in 2026; only the chunks' JSON was kept).

Recorded facts: the chunks' keys, which come in another order than elsewhere and not in the same one in all
chunks of a stream, `usage: null` on every chunk, usage in a chunk of its own when asked for. Captured: 400,
401 and 429 codes, a refusal in the shape of one server-sent event with HTTP 400, and the output filter as an
error event after which the stream just stops.

UNVERIFIED, and so chosen here: LF line ends, the stream's exact content type and headers, `usage: null` also
on a stream that was not asked for usage, the listing's fields beyond `id`, the bodies of 404 and 500, an
error in mid-stream other than the filter's, and `Retry-After`.
"""

from __future__ import annotations

from llm_contracts.simulator import shapes
from llm_contracts.simulator.dialect import (
    ChunkPart,
    Dialect,
    FilterShape,
    Json,
    Model,
    RefusalText,
    Stream,
    uuid_like,
)
from llm_contracts.simulator.script import Refused, UsagePlacement

_INVALID = "invalid_request_error"
_INSPECTION = "data_inspection_failed"
_PARAMETER = "invalid_parameter_error"
_OF_REQUESTS = (None, "invalid_api_key", "model_not_found", _PARAMETER)


def _words(status: int, code: str | None, message: str) -> RefusalText:
    """Beyond what is wrong with a request, type and code are the same word."""
    kind = _INVALID if code in _OF_REQUESTS else code
    return RefusalText(status=status, message=message, type=kind, code=code)


_ALGO = "<400> InternalError.Algo.InvalidParameter: "
_WORDS = {
    Refused.NO_KEY: _words(401, "invalid_api_key", "You didn't provide an API key."),
    Refused.WRONG_KEY: _words(401, "invalid_api_key", "Incorrect API key provided."),
    Refused.UNKNOWN_MODEL: _words(
        404, "model_not_found", "The model `{model}` does not exist or you do not have access to it."
    ),
    Refused.BAD_REQUEST: _words(400, None, "Required body invalid, please check the request body format."),
    Refused.BAD_PARAMETER: _words(400, _PARAMETER, f"{_ALGO}Range of {{parameter}} should be [0, {{limit}}]"),
    Refused.JSON_WORD: _words(
        400,
        _PARAMETER,
        f"{_ALGO}'messages' must contain the word 'json' to use 'response_format' of type 'json_object'.",
    ),
    Refused.RATE_LIMIT: _words(429, "limit_requests", "You exceeded your current request limit."),
    Refused.SERVER_ERROR: _words(
        500, "internal_server_error", "An internal error has occurred, please try again later."
    ),
    Refused.TOO_LONG: _words(400, _PARAMETER, f"{_ALGO}Range of input length should be [1, 129024]"),
    Refused.UNPAID: _words(
        400, "Arrearage", "Access denied, please make sure your account is in good standing."
    ),
    Refused.PROMPT_FILTER: RefusalText(
        status=400,
        message="Input text data may contain inappropriate content.",
        type=_INSPECTION,
        code=_INSPECTION,
        keys=("code", "param", "message", "type"),
        framed=True,
    ),
    Refused.OUTPUT_FILTER: _words(200, _INSPECTION, "Output data may contain inappropriate content."),
}


def _opening(stream: Stream) -> Json:
    if stream.calls:
        return {"content": None, "tool_calls": [stream.calls[0]], "role": "assistant"}
    if stream.thinks:
        return {"content": None, "role": "assistant", "reasoning_content": ""}
    return {"content": "", "role": "assistant"}


def _choice(stream: Stream, number: int, part: ChunkPart) -> Json:
    """The recorded orders of keys: for the last chunk, for the first two of a text, and for all others."""
    choice = {"delta": part.delta, "finish_reason": part.finish, "index": 0, "logprobs": None}
    starts = ("delta index logprobs finish_reason", "finish_reason logprobs delta index")
    if part.finish:
        order = "finish_reason delta index logprobs"
    elif number < len(starts) and not stream.calls:
        order = starts[number]
    else:
        return choice
    return {name: choice[name] for name in order.split()}


QWEN = Dialect(
    name="qwen",
    base_path="/compatible-mode/v1",
    models={
        "qwen-plus": Model(answers="qwen-plus"),
        "qwen3-max": Model(answers="qwen3-max"),
        "qwq-plus": Model(answers="qwq-plus", thinks=True),
    },
    words=_WORDS,
    gateway=lambda status, message: _words(status, message.lower().replace(" ", "_"), message),
    filter_shape=FilterShape.EVENT,
    stream_type="text/event-stream;charset=UTF-8",
    place=UsagePlacement.OWN,
    new_id=lambda seed: f"chatcmpl-{uuid_like(seed)}",
    opening=_opening,
    thought=shapes.thought,
    text=shapes.text,
    tool=lambda _stream, call: {
        "content": None,
        "tool_calls": [{"index": 0, "id": "", "type": "function", **call}],
    },
    closing=lambda stream: ({} if stream.calls else shapes.text(stream, ""),),
    totals=lambda stream, spent: {
        **shapes.counted(spent),
        **(shapes.reasoning_counted(spent) if stream.thinks else {}),
        "prompt_tokens_details": {"cached_tokens": 0},
    },
    chunk=lambda stream, number, part: shapes.chunk(
        stream,
        part,
        "choices object usage created system_fingerprint model id",
        _choice(stream, number, part),
        system_fingerprint=None,
    ),
    headers=lambda seed: (
        ("x-request-id", uuid_like(f"{seed}/request")),
        ("x-dashscope-call-gateway", "true"),
        shapes.DATE,
        ("Server", "istio-envoy"),
    ),
    refuse=lambda error, seed: {"error": error, "request_id": uuid_like(f"{seed}/request")},
    listing=shapes.listing(created=shapes.EPOCH, owned_by="system"),
)
