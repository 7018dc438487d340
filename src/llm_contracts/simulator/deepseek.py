"""DeepSeek, as recorded from api.deepseek.com in 2025.

Recorded facts: framing, key order, usage on the finish chunk whether or not it was asked for (asking only
adds `usage: null` to the others), `reasoning_content`, cache hit and miss counts, headers with a trace id
and a cookie. Captured: the 401 body, one for an unknown model, and the content filter as a 400.

UNVERIFIED, and so chosen here: the bodies of 429 and 500, the wording of a refused parameter, that an error
can come in mid-stream at all, and `Retry-After`.
"""

from __future__ import annotations

from llm_contracts.simulator import shapes
from llm_contracts.simulator.dialect import Dialect, FilterShape, Model, RefusalText, digits, uuid_like
from llm_contracts.simulator.script import Refused, UsagePlacement

_INVALID = "invalid_request_error"


def _words(status: int, message: str, kind: str = _INVALID, code: str = _INVALID) -> RefusalText:
    """The code says nothing here: it is the same for 400, 401 and 402."""
    return RefusalText(status=status, message=message, type=kind, code=code)


_WORDS = {
    Refused.NO_KEY: _words(401, "Authentication Fails (auth header missing)", "authentication_error"),
    Refused.WRONG_KEY: _words(
        401, "Authentication Fails, Your api key: ****{tail} is invalid", "authentication_error"
    ),
    Refused.UNKNOWN_MODEL: _words(
        400, "The supported API model names are deepseek-chat or deepseek-reasoner, but you passed {model}."
    ),
    Refused.BAD_REQUEST: _words(400, "Failed to parse the request body as JSON"),
    Refused.BAD_PARAMETER: _words(
        400, "Invalid {parameter} value, the valid range of {parameter} is [0, {limit}]"
    ),
    Refused.JSON_WORD: _words(
        400, "Prompt must contain the word 'json' to use 'response_format' of type 'json_object'."
    ),
    Refused.RATE_LIMIT: _words(429, "Rate limit reached", "rate_limit_error", "rate_limit_exceeded"),
    Refused.SERVER_ERROR: _words(500, "Internal server error", "server_error", "internal_error"),
    Refused.TOO_LONG: _words(
        400, "This model's maximum context length is 131072 tokens, and your messages have more than that."
    ),
    Refused.UNPAID: _words(402, "Insufficient Balance", "unknown_error"),
    Refused.UNAVAILABLE: _words(503, "Server overloaded", "service_unavailable_error", "overloaded"),
    Refused.PROMPT_FILTER: _words(400, "Content Exists Risk"),
}


DEEPSEEK = Dialect(
    name="deepseek",
    base_path="",
    models={
        "deepseek-chat": Model(answers="deepseek-chat"),
        "deepseek-reasoner": Model(answers="deepseek-reasoner", thinks=True),
    },
    words=_WORDS,
    gateway=_words,
    filter_shape=FilterShape.REFUSAL,
    place=UsagePlacement.LAST,
    always_totals=True,
    new_id=uuid_like,
    opening=lambda stream: {
        "role": "assistant",
        **(shapes.thought("") if stream.thinks else {"content": ""}),
    },
    thought=shapes.thought,
    text=shapes.text,
    closing=lambda stream: (shapes.text(stream, ""),),
    totals=lambda stream, spent: {
        **shapes.counted(spent),
        "prompt_tokens_details": {"cached_tokens": 0},
        **(shapes.reasoning_counted(spent) if stream.thinks else {}),
        "prompt_cache_hit_tokens": 0,
        "prompt_cache_miss_tokens": spent.prompt,
    },
    chunk=lambda stream, _number, part: shapes.chunk(
        stream,
        part,
        "id object created model system_fingerprint choices",
        {"index": 0, "delta": part.delta, "logprobs": None, "finish_reason": part.finish},
        null_usage=stream.ask.include_usage,
        system_fingerprint="fp_simulated0_prod0820_fp8_kvcache",
    ),
    headers=lambda seed: (
        shapes.DATE,
        ("Server", "elb"),
        ("Cache-Control", "no-cache"),
        ("Set-Cookie", f"HWWAFSESID={digits(f'{seed}/cookie', 18)}; path=/"),
        ("x-ds-trace-id", digits(f"{seed}/trace", 32)),
    ),
    # No `created` here: a client that insists on one fails with this provider.
    listing=shapes.listing(owned_by="deepseek"),
)
