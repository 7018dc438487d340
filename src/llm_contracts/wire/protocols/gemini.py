"""Gemini's own API. Totals keep Google's numbers, of which `candidatesTokenCount` leaves thoughts out, and
finish reasons are Google's words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_contracts.util.json_values import as_list, as_mapping
from llm_contracts.wire.protocols.protocol import Document, Protocol, Reading

_MARKS = ("candidates", "promptFeedback", "usageMetadata")
"""Keys that no other provider's chunks have."""

_TOTALS = {
    "promptTokenCount": "prompt_tokens",
    "candidatesTokenCount": "completion_tokens",
    "totalTokenCount": "total_tokens",
}
_PARTS = {
    "cachedContentTokenCount": ("prompt_tokens_details", "cached_tokens"),
    "thoughtsTokenCount": ("completion_tokens_details", "reasoning_tokens"),
}


def _read(document: Document) -> Reading:
    usage = document.get("usageMetadata")
    chunk = {
        "id": document.get("responseId"),
        "model": document.get("modelVersion"),
        "choices": [_choice(as_mapping(candidate)) for candidate in as_list(document.get("candidates"))],
        **({"usage": _usage(usage)} if isinstance(usage, dict) else {}),
    }
    return Reading(chunk=chunk)


def _blocked(document: Document) -> Document | None:
    """The error that an answer without any candidate is: the question was blocked."""
    feedback = as_mapping(document.get("promptFeedback"))
    reason = feedback.get("blockReason")
    if not reason or document.get("candidates"):
        return None
    return {
        "code": reason,
        "message": feedback.get("blockReasonMessage") or f"the prompt was blocked: {reason}",
    }


def _choice(candidate: Mapping[str, Any]) -> Mapping[str, Any]:
    content = candidate.get("content")
    parts = [as_mapping(part) for part in as_list(as_mapping(content).get("parts"))]
    delta = {"content": _said(parts, thought=False), "reasoning_content": _said(parts, thought=True)}
    return {
        "index": candidate.get("index", 0),
        "delta": {name: text for name, text in delta.items() if text is not None},
        "finish_reason": candidate.get("finishReason"),
    }


def _said(parts: list[Mapping[str, Any]], *, thought: bool) -> str | None:
    texts = [part["text"] for part in parts if bool(part.get("thought")) is thought and "text" in part]
    return "".join(text for text in texts if isinstance(text, str)) if texts else None


def _usage(counted: Mapping[str, Any]) -> Mapping[str, Any]:
    usage: dict[str, Any] = {name: counted[key] for key, name in _TOTALS.items() if key in counted}
    for key, (place, part) in _PARTS.items():
        if key in counted:
            usage[place] = {part: counted[key]}
    return usage


GEMINI = Protocol(
    name="gemini",
    speaks=lambda document: any(mark in document for mark in _MARKS),
    reader=lambda: _read,
    error=_blocked,
    members=frozenset(
        {
            *("candidates", "parts", "thought", "finishReason", "usageMetadata", "promptFeedback"),
            *("promptTokenCount", "candidatesTokenCount", "totalTokenCount", "functionCall", "args"),
            *("blockReason", "content", "text", "index"),
        }
    ),
)
