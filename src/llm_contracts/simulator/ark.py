"""Ark, Volcengine's platform, by its SDK's types and what that SDK prints.

Captured: the chunks' keys, the role on every one, `moderation_hit_type`, usage in a chunk of its own and only
when asked for (null before that), the resolved model in answers, and the form of an error: CamelCase codes, a
`param` that is empty where none is at fault, the request's number inside the message. Documented: the codes
and their statuses.

UNVERIFIED, and so chosen here: no space after `data:` (so that one dialect has none), LF line ends, the
headers, no empty first chunk, the shape of a tool call, most messages' wording, 503, and that the listing
says nothing but `id` and `object`.
"""

from __future__ import annotations

from llm_contracts.simulator import shapes
from llm_contracts.simulator.dialect import Dialect, Framing, Json, Model, RefusalText, Stream, digits
from llm_contracts.simulator.script import Refused, UsagePlacement

_TYPES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    429: "TooManyRequests",
    500: "InternalServerError",
}


def _words(status: int, code: str, message: str, param: str = "") -> RefusalText:
    return RefusalText(
        status=status,
        code=code,
        message=f"{message} Request id: {{request}}",
        param=param,
        type=_TYPES.get(status, code),
        keys=("code", "message", "param", "type"),
    )


_WORDS = {
    Refused.NO_KEY: _words(401, "AuthenticationError", "The API key is missing."),
    Refused.WRONG_KEY: _words(401, "AuthenticationError", "The API key doesn't exist."),
    Refused.UNKNOWN_MODEL: _words(
        404, "InvalidEndpointOrModel.NotFound", "The model or endpoint {model} does not exist."
    ),
    Refused.BAD_REQUEST: _words(400, "InvalidParameter", "The request body is no JSON object."),
    Refused.BAD_PARAMETER: _words(
        400,
        "InvalidParameter",
        "The parameter `{parameter}` specified in the request are not valid: expected a value <= {limit}, "
        "but got {value} instead.",
        param="{parameter}",
    ),
    Refused.TOO_LONG: _words(400, "InvalidParameter", "The input has more tokens than the model takes."),
    Refused.RATE_LIMIT: _words(
        429,
        "RateLimitExceeded.EndpointRPMExceeded",
        "The requests per minute of the endpoint are used up.",
    ),
    Refused.UNPAID: _words(403, "AccountOverdueError", "The account has an overdue balance."),
    Refused.FORBIDDEN: _words(403, "AccessDenied", "Access to the resource is denied."),
    Refused.OVERLOADED: _words(429, "ServerOverloaded", "The service is overloaded at the moment."),
    Refused.SERVER_ERROR: _words(500, "InternalServiceError", "The service encountered an internal error."),
    Refused.PROMPT_FILTER: _words(
        400, "InputTextSensitiveContentDetected", "The input text may contain sensitive information."
    ),
}


def _text(_stream: Stream, piece: str) -> Json:
    return {"content": piece, "role": "assistant"}


ARK = Dialect(
    name="ark",
    base_path="/api/v3",
    models={
        "doubao-1-5-lite-32k-250115": Model(answers="doubao-1-5-lite-32k-250115"),
        "doubao-seed-1-6-250615": Model(answers="doubao-seed-1-6-250615", thinks=True),
        # An endpoint of one's own: answers name the model behind it.
        "ep-20260101000000-abcde": Model(answers="doubao-1-5-lite-32k-250115"),
    },
    words=_WORDS,
    gateway=lambda status, message: _words(status, message.replace(" ", ""), f"{message}."),
    place=UsagePlacement.OWN,
    framing=Framing(lead="data:"),
    stream_type="text/event-stream",
    new_id=lambda seed: "021767225600000" + digits(seed, 32),
    thought=lambda piece: {"content": "", "reasoning_content": piece, "role": "assistant"},
    text=_text,
    tool=lambda stream, call: {**_text(stream, ""), "tool_calls": [call]},
    closing=lambda stream: (_text(stream, ""),),
    totals=lambda _stream, spent: {
        **shapes.counted(spent),
        "prompt_tokens_details": {"cached_tokens": 0, "provisioned_tokens": None},
        "completion_tokens_details": {"reasoning_tokens": spent.reasoning, "provisioned_tokens": None},
    },
    chunk=lambda stream, _number, part: shapes.chunk(
        stream,
        part,
        "id choices created model service_tier object usage",
        {
            "delta": part.delta,
            "finish_reason": part.finish,
            "moderation_hit_type": None,
            "index": 0,
            "logprobs": None,
        },
        service_tier=None if part.delta is None else "default",
    ),
    headers=lambda seed: (
        shapes.DATE,
        ("Server", "istio-envoy"),
        ("X-Request-Id", digits(f"{seed}/request", 32)),
    ),
    listing=shapes.listing(),
)
