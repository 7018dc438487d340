"""ERNIE's first API, which our product alone still speaks: lines with `result` and `is_end`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_contracts import Protocol, Reading

Document = Mapping[str, Any]


def _speaks(document: Document) -> bool:
    return "result" in document and "is_end" in document


def _read(line: Document) -> Reading:
    usage = line.get("usage")
    chunk = {
        "id": line.get("id"),
        "choices": [{"delta": {"content": line["result"]}, "finish_reason": line.get("finish_reason")}],
        **({"usage": usage} if usage else {}),
    }
    return Reading(chunk=chunk, last=bool(line["is_end"]))


ERNIE_V1 = Protocol(
    name="ernie-v1",
    speaks=_speaks,
    reader=lambda: _read,
    members=frozenset({"result", "is_end", "need_clear_history", "access_token", "expires_in"}),
)
