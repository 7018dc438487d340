"""ERNIE's first API as it was called before: over `requests`, with a token request before every call.

What it did wrong, it still does, for this is what people see today: an error that is not an event ends as an
empty answer, a line without totals raises, and a refused token request is a missing key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from llm_adapter.backends import Opened
from llm_adapter.backends.ernie_v1 import CHAT_PATH, ENDPOINTS, TOKEN_PATH, body
from llm_adapter.chunks import Chunk, totals
from llm_adapter.legacy.session import lines, post
from llm_adapter.redaction import hide_in_logs
from llm_adapter.requests import Outgoing
from llm_adapter.responses import LLMStreamResponse, LLMStreamUsage

_ALWAYS_SENT = frozenset(
    {"id", "object", "created", "sentence_id", "is_end", "is_truncated", "result", "need_clear_history"}
)


def open_stream(outgoing: Outgoing) -> Opened:
    """Ask for a token, then for the answer; once each, and with no limit of time."""
    hide_in_logs()
    base = outgoing.base_url.rstrip("/")
    response = post(
        f"{base}{CHAT_PATH}{ENDPOINTS[outgoing.model]}",
        params={"access_token": _token(base, outgoing)},
        json=body(outgoing),
        headers={"Content-Type": "application/json"},
        stream=True,
    )
    return Opened(chunks=_chunks(response), close=response.close, attempts=1, may_be_empty=True)


def _token(base: str, outgoing: Outgoing) -> str:
    who = {"client_id": outgoing.api_key, "client_secret": outgoing.api_secret}
    asked = {"grant_type": "client_credentials", **who}
    token: str = post(f"{base}{TOKEN_PATH}", params=asked).json()["access_token"]
    return token


def data_lines(response: Any) -> Iterator[Mapping[str, Any]]:
    """What stands after `data:`; every other line is passed over."""
    for line in lines(response):
        if line.startswith(b"data:"):
            data = line.removeprefix(b"data:").strip()
            if data == b"[DONE]":
                return
            yield json.loads(data)


def _chunks(response: Any) -> Iterator[Chunk]:
    for line in data_lines(response):
        missing = _ALWAYS_SENT - line.keys()
        if missing:
            raise TypeError(f"a line without {', '.join(sorted(missing))}")
        yield _chunk(line)


def _chunk(line: Mapping[str, Any]) -> Chunk:
    if not line.get("usage"):
        raise AttributeError("a line without totals")
    return Chunk(
        id=line["id"],
        text=line["result"],
        finish_reason=line.get("finish_reason"),
        usage=totals(line["usage"]),
        shown=LLMStreamResponse(
            id=line["id"],
            is_end=line["is_end"],
            is_truncated=line["is_truncated"],
            result=line["result"],
            finish_reason=line.get("finish_reason"),
            usage=LLMStreamUsage(**line["usage"]),
        ),
    )
