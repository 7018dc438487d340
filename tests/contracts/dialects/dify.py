"""A Dify app, by Dify's documentation and source: a chatbot; the other kinds put events into its stream.

Documented: the events and their keys, no `[DONE]`, pings as a bare event name, totals in `message_end` with
prices as strings, the body and the codes of errors, an error event in place of the end.

UNVERIFIED, and so chosen here: the wording of a wrong key's refusal, compact JSON (older releases put
spaces), the headers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_contracts.simulator import shapes
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
)
from llm_contracts.simulator.script import Refused, UsagePlacement
from llm_contracts.wire.interaction import Headers
from tests.contracts.dialects.dify_events import COMMON, SCRIPTS


def _words(status: int, code: str, message: str) -> RefusalText:
    return RefusalText(status=status, code=code, message=message, keys=("code", "message"))


def _gateway(status: int, message: str) -> RefusalText:
    return _words(status, message.lower().replace(" ", "_"), message)


_WRONG = _words(401, "unauthorized", "Access token is invalid")
_WORDS = {
    Refused.NO_KEY: _words(401, "unauthorized", "Authorization must start with 'Bearer'"),
    Refused.WRONG_KEY: _WRONG,
    Refused.BAD_REQUEST: _words(400, "bad_request", "The request is no JSON object"),
    Refused.RATE_LIMIT: _words(429, "too_many_requests", "Too many requests. Please try again later."),
    Refused.UNPAID: _words(400, "provider_quota_exceeded", "The quota of the app's model is used up."),
    Refused.FORBIDDEN: _words(403, "forbidden", "The app is not open to you."),
    Refused.NOT_FOUND: _words(404, "not_found", "The conversation does not exist."),
    Refused.SERVER_ERROR: _words(500, "internal_server_error", "The server failed."),
    Refused.MID_STREAM: _words(400, "completion_request_error", "The app's model failed."),
}


def _asked(_path: str, body: Mapping[str, Any]) -> Json:
    question = {"role": "user", "content": body.get("query", "")}
    return {"model": "dify", "stream": body.get("response_mode") == "streaming", "messages": [question]}


def _text(_stream: Stream, piece: str) -> Json:
    return {"event": "message", **COMMON, "answer": piece}


def _tool(_stream: Stream, call: Json) -> Json:
    return {"event": "agent_thought", **COMMON, "tool": call["function"].get("name", "weather")}


def _closing(_stream: Stream) -> tuple[Json, ...]:
    return ({"event": "message_end", **COMMON, "id": COMMON["message_id"]},)


def _totals(_stream: Stream, spent: TokenCounts) -> Json:
    counted = shapes.counted(spent)
    return {
        "prompt_tokens": spent.prompt,
        "prompt_unit_price": "0.001",
        "prompt_price_unit": "0.001",
        "prompt_price": f"{spent.prompt / 1e6:.7f}",
        "completion_tokens": spent.completion,
        "completion_unit_price": "0.002",
        "completion_price_unit": "0.001",
        "completion_price": f"{spent.completion * 2 / 1e6:.7f}",
        "total_tokens": counted["total_tokens"],
        "total_price": f"{(spent.prompt + spent.completion * 2) / 1e6:.7f}",
        "currency": "USD",
        "latency": 1.38,
    }


def _chunk(_stream: Stream, _number: int, part: ChunkPart) -> Json:
    event = dict(part.delta or {})
    if event["event"] == "message_end":
        event["metadata"] = {**({"usage": part.usage} if part.usage else {}), "retriever_resources": []}
    return {**event, "created_at": shapes.EPOCH}


def _headers(_seed: str) -> Headers:
    return (shapes.DATE, ("Cache-Control", "no-cache"))


_STATUSES = {words.code: words.status for words in _WORDS.values()}


def _error_body(error: Json) -> Json:
    return {"code": error["code"], "message": error["message"], "status": _STATUSES.get(error["code"], 400)}


def _break_off(error: Json) -> Json:
    ids = {name: COMMON[name] for name in ("message_id", "conversation_id")}
    return {"event": "error", **ids, "created_at": shapes.EPOCH, **_error_body(error)}


def _new_id(_seed: str) -> str:
    return COMMON["task_id"]


DIFY = Dialect(
    name="dify",
    base_path="/v1",
    chat_path="/chat-messages",
    asked=_asked,
    models={"dify": Model(answers="dify")},
    greatest={},
    words=_WORDS,
    gateway=_gateway,
    filter_shape=FilterShape.FINISH,
    place=UsagePlacement.LAST,
    always_totals=True,
    new_id=_new_id,
    thought=None,
    text=_text,
    tool=_tool,
    closing=_closing,
    totals=_totals,
    chunk=_chunk,
    headers=_headers,
    refuse=lambda error, _seed: _error_body(error),
    break_off=_break_off,
    listing=shapes.listing(),
    framing=Framing(done=None),
    scripts=SCRIPTS,
)
