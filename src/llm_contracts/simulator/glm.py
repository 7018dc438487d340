"""GLM, as recorded from Zhipu in 2026.

Recorded facts: framing, the content type without a space, no empty first chunk, the role on every chunk, no
finish reason before the last, an empty piece of text before that, and usage beside it, asked for or not.
Captured: no `object` in the chunks of older models. Documented: error codes, which are numbers written as
text and all there is beside the message.

UNVERIFIED, and so chosen here: the headers, the shape of a tool call and that a filtered answer ends with
`sensitive` after half of it, most messages' wording, an error in mid-stream, and the listing's fields beyond
`id`.
"""

from __future__ import annotations

from llm_contracts.simulator import shapes
from llm_contracts.simulator.dialect import Dialect, Json, Model, RefusalText, Stream, digits
from llm_contracts.simulator.script import Refused, UsagePlacement

_SENSITIVE = "1301"
_NO_OBJECT = "glm-4-"  # how the names begin of models whose chunks do not say what they are


def _words(status: int, code: str, message: str) -> RefusalText:
    return RefusalText(status=status, code=code, message=message, keys=("code", "message"))


_WORDS = {
    Refused.NO_KEY: _words(401, "1001", "Authentication parameters not received in the header"),
    Refused.WRONG_KEY: _words(401, "401", "token expired or incorrect"),
    Refused.UNKNOWN_MODEL: _words(400, "1211", "The model {model} does not exist"),
    Refused.BAD_REQUEST: _words(400, "1210", "The parameters of the call are wrong"),
    Refused.BAD_PARAMETER: _words(400, "1214", "{parameter} is illegal: it must be between 0 and {limit}"),
    Refused.TOO_LONG: _words(400, "1261", "Prompt exceeds the greatest length"),
    Refused.RATE_LIMIT: _words(429, "1302", "Too many requests at a time"),
    Refused.UNPAID: _words(429, "1113", "The account is in arrears"),
    Refused.OVERLOADED: _words(429, "1305", "The model is overloaded"),
    Refused.SERVER_ERROR: _words(500, "1200", "Internal error"),
    Refused.PROMPT_FILTER: _words(400, _SENSITIVE, "The input may contain sensitive content"),
}


def _new_id(seed: str) -> str:
    return "20260101080000" + digits(seed, 16)


def _text(_stream: Stream, piece: str) -> Json:
    return {"role": "assistant", "content": piece}


GLM = Dialect(
    name="glm",
    base_path="/api/paas/v4",
    models={
        "glm-4-flash": Model(answers="glm-4-flash"),
        "glm-4.5-flash": Model(answers="glm-4.5-flash", thinks=True),
        "glm-4.7": Model(answers="glm-4.7", thinks=True),
    },
    greatest={"temperature": 1, "top_p": 1},
    words=_WORDS,
    # One measured 401 has its own status for a code.
    gateway=lambda status, message: _words(status, str(status), message),
    filter_finish="sensitive",
    place=UsagePlacement.LAST,
    always_totals=True,
    stream_type="text/event-stream;charset=UTF-8",
    new_id=_new_id,
    thought=lambda piece: {"role": "assistant", "reasoning_content": piece},
    text=_text,
    tool=lambda _stream, call: {"role": "assistant", "tool_calls": [call]},
    closing=lambda stream: (_text(stream, ""), _text(stream, "")),
    totals=lambda stream, spent: {
        **shapes.counted(spent),
        "prompt_tokens_details": {"cached_tokens": 0},
        **(shapes.reasoning_counted(spent) if stream.thinks else {}),
    },
    chunk=lambda stream, _number, part: shapes.chunk(
        stream,
        part,
        "id created model choices"
        if stream.model.startswith(_NO_OBJECT)
        else "id created object model choices",
        {"index": 0, **shapes.finish(part), "delta": part.delta},
    ),
    headers=lambda seed: (shapes.DATE, ("X-Log-Id", _new_id(f"{seed}/log"))),
    refuse=lambda error, _seed: {
        **({"contentFilter": [{"level": 1, "role": "user"}]} if error["code"] == _SENSITIVE else {}),
        "error": error,
    },
    listing=shapes.listing(created=shapes.EPOCH, owned_by="zhipu"),
)
