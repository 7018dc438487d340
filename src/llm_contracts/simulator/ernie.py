"""ERNIE, as Qianfan's v2 API describes it.

Captured: the chunks' keys, of which the role stands on every one and the finish reason only on the last,
`flag`, usage beside the finish reason, and one 429. Documented: usage only when asked for, the codes of
refusals, the request's number beside the error.

UNVERIFIED, and so chosen here: a space after `data:` (the vendor's own mock has one), LF line ends, the exact
headers, that there is no empty first chunk, the shape of a tool call, most messages' wording, the bodies of
402, 404 and 503, and an error in mid-stream.
"""

from __future__ import annotations

from string import ascii_lowercase
from string import digits as figures

from llm_contracts.simulator import shapes
from llm_contracts.simulator.dialect import Dialect, Model, RefusalText, digits
from llm_contracts.simulator.script import Refused, UsagePlacement

_INVALID = "invalid_request_error"
_UNSAFE = 1  # any `flag` but 0 says that the safety check has struck


def _words(status: int, code: str, message: str, kind: str = _INVALID) -> RefusalText:
    return RefusalText(status=status, message=message, type=kind, code=code, keys=("code", "message", "type"))


_WORDS = {
    Refused.NO_KEY: _words(401, "invalid_iam_token", "No Authorization header"),
    Refused.WRONG_KEY: _words(401, "invalid_iam_token", "Invalid IAM token"),
    Refused.UNKNOWN_MODEL: _words(400, "invalid_model", "The model {model} does not exist"),
    Refused.BAD_REQUEST: _words(400, "malformed_json", "Invalid Argument"),
    Refused.BAD_PARAMETER: _words(400, "invalid_argument", "{parameter} must be between 0 and {limit}"),
    Refused.TOO_LONG: _words(400, "tokens_too_long", "Prompt tokens too long"),
    Refused.RATE_LIMIT: _words(
        429, "rpm_rate_limit_exceeded", "Rate limit reached for RPM", "rate_limit_exceeded"
    ),
    Refused.SERVER_ERROR: _words(500, "internal_error", "Internal error", "internal_error"),
    Refused.PROMPT_FILTER: _words(403, "system_unsafe", "The content of messages may be unsafe"),
}


def _new_id(seed: str) -> str:
    return "as-" + digits(seed, 10, ascii_lowercase + figures)


ERNIE = Dialect(
    name="ernie",
    base_path="/v2",
    models={
        "ernie-4.5-turbo-128k": Model(answers="ernie-4.5-turbo-128k"),
        "ernie-x1-turbo-32k": Model(answers="ernie-x1-turbo-32k", thinks=True),
    },
    greatest={"temperature": 1, "top_p": 1},
    words=_WORDS,
    gateway=lambda status, message: _words(status, message.lower().replace(" ", "_"), message),
    place=UsagePlacement.LAST,
    new_id=_new_id,
    thought=lambda piece: {**shapes.thought(piece), "role": "assistant"},
    text=lambda _stream, piece: {"content": piece, "role": "assistant"},
    tool=lambda _stream, call: {"tool_calls": [call], "role": "assistant"},
    closing=lambda _stream: ({"content": ""},),
    totals=lambda _stream, spent: {**shapes.counted(spent), **shapes.reasoning_counted(spent)},
    chunk=lambda stream, _number, part: shapes.chunk(
        stream,
        part,
        "id object created model choices",
        {
            "index": 0,
            "delta": part.delta,
            **shapes.finish(part),
            "flag": _UNSAFE if part.finish == "content_filter" else 0,
        },
    ),
    headers=lambda seed: (
        shapes.DATE,
        ("X-Ratelimit-Limit-Requests", "60"),
        ("X-Ratelimit-Limit-Tokens", "150000"),
        ("X-Bce-Request-Id", digits(f"{seed}/request", 32)),
    ),
    refuse=lambda error, seed: {"error": error, "id": _new_id(seed)},
    listing=shapes.listing(owned_by="", created=0),
)
