"""ERNIE's first API, as captured lines and Baidu's documentation describe it.

Captured: the lines' keys, a space after `data:`, LF, no `[DONE]`, totals on every line and counted so far,
the last line's `is_end` and empty text, errors as a JSON document with status 200. Documented: the token's
document, the codes, the headers of limits, `flag` and `ban_round` for unsafe content.

UNVERIFIED, and so chosen here: status 401 for wrong keys, `finish_reason` on all lines, an error among the
lines (only ever seen in somebody's test), that an unsafe answer ends early, most messages' wording.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import ascii_lowercase
from string import digits as figures
from typing import Any

from llm_contracts.simulator import shapes
from llm_contracts.simulator.ask import bearer_key
from llm_contracts.simulator.dialect import (
    ChunkPart,
    Dialect,
    FilterShape,
    Framing,
    Json,
    Model,
    RefusalText,
    Stream,
    TokenCounts,
    TokenGrant,
    digits,
)
from llm_contracts.simulator.script import Refused, UsagePlacement
from llm_contracts.wire.interaction import Headers

_CHAT = "/rpc/2.0/ai_custom/v1/wenxinworkshop/chat/"
_MODELS = {"completions_pro": Model(answers="ERNIE-4.0-8K"), "ernie_speed": Model(answers="ERNIE-Speed-8K")}
_TOKEN = "24."
_LIVES_SECONDS = 2592000


def _words(code: int, message: str) -> RefusalText:
    return RefusalText(status=200, message=message, code=code, keys=("code", "message"))


def _gateway(status: int, message: str) -> RefusalText:
    return RefusalText(status=status, message=message, code=status, keys=("code", "message"))


_WORDS = {
    Refused.NO_KEY: _words(100, "Invalid parameter"),
    Refused.WRONG_KEY: _words(110, "Access token invalid or no longer valid"),
    Refused.UNKNOWN_MODEL: _words(3, "Unsupported openapi method"),
    Refused.BAD_REQUEST: _words(336002, "Invalid JSON"),
    Refused.BAD_PARAMETER: _words(336003, "the {parameter} field must be between 0 and {limit}"),
    Refused.TOO_LONG: _words(336003, "the message content is too long"),
    Refused.RATE_LIMIT: _words(18, "Open api qps request limit reached"),
    Refused.UNPAID: _words(17, "Open api daily request limit reached"),
    Refused.OVERLOADED: _words(336100, "the server is under high load"),
    Refused.UNAVAILABLE: _words(2, "Service temporarily unavailable"),
    Refused.SERVER_ERROR: _words(336000, "Internal error"),
}


def _key(headers: Mapping[str, str]) -> str | None:
    """The token of the query, which the server puts where others have a key."""
    return (bearer_key(headers) or "").removeprefix(_TOKEN) or None


def _asked(path: str, body: Mapping[str, Any]) -> Json:
    system = [{"role": "system", "content": body["system"]}] if "system" in body else []
    return {
        **body,
        "model": path.rpartition("/")[2],
        "messages": [*system, *body.get("messages", ())],
        "max_tokens": body.get("max_output_tokens"),
        "response_format": {"type": body.get("response_format")},
    }


def _new_id(seed: str) -> str:
    return "as-" + digits(seed, 10, ascii_lowercase + figures)


def _text(_stream: Stream, piece: str) -> Json:
    return {"result": piece}


def _tool(_stream: Stream, call: Json) -> Json:
    return {"result": "", "function_call": call["function"]}


def _totals(_stream: Stream, spent: TokenCounts) -> Json:
    return shapes.counted(spent)


def _chunk(stream: Stream, number: int, part: ChunkPart) -> Json:
    unsafe = part.finish == "content_filter"
    return {
        "id": stream.id,
        "object": "chat.completion",
        "created": shapes.EPOCH + number // 4,  # it changes within a stream
        "sentence_id": number,
        "is_end": part.finish is not None,
        "is_truncated": part.finish == "length",
        **(part.delta or {}),
        "need_clear_history": unsafe,
        **({"flag": 1, "ban_round": -1} if unsafe else {}),
        "finish_reason": part.finish or "normal",
        **({"usage": part.usage} if part.usage else {}),
    }


def _headers(_seed: str) -> Headers:
    return (
        shapes.DATE,
        ("X-Ratelimit-Limit-Requests", "60"),
        ("X-Ratelimit-Limit-Tokens", "150000"),
    )


def _error_body(error: Json) -> Json:
    return {"error_code": error["code"], "error_msg": error["message"]}


def _refuse(error: Json, seed: str) -> Json:
    """Errors of the gateway's have no id, those of the models have one."""
    by_model = error["code"] > 1000
    return {**_error_body(error), **({"id": _new_id(seed)} if by_model else {})}


def _grant(query: Mapping[str, str], key: str) -> tuple[int, Json]:
    """A token for the account that has the key for its id as well as for its secret."""
    if query.get("client_id") != key:
        return 401, {"error": "invalid_client", "error_description": "unknown client id"}
    if query.get("client_secret") != key:
        return 401, {"error": "invalid_client", "error_description": "Client authentication failed"}
    hidden = {name: digits(name, 40, figures) for name in ("refresh_token", "session_key", "session_secret")}
    return 200, {
        **hidden,
        "expires_in": _LIVES_SECONDS,
        "access_token": _TOKEN + key,
        "scope": "public brain_all_scope",
    }


ERNIE_V1 = Dialect(
    name="ernie_v1",
    base_path="",
    chat_path=_CHAT + "{endpoint}",
    grants=TokenGrant(path="/oauth/2.0/token", field="access_token", grant=_grant),
    key=_key,
    asked=_asked,
    models=_MODELS,
    greatest={"temperature": 1, "top_p": 1},
    words=_WORDS,
    gateway=_gateway,
    filter_shape=FilterShape.FINISH,
    place=UsagePlacement.EVERY,
    always_totals=True,
    new_id=_new_id,
    thought=None,
    text=_text,
    tool=_tool,
    closing=lambda _stream: ({"result": ""},),
    finishes={"stop": "normal"},
    totals=_totals,
    chunk=_chunk,
    headers=_headers,
    refuse=_refuse,
    break_off=_error_body,
    listing=shapes.listing(),
    framing=Framing(done=None),
    stream_type="text/event-stream",
)
