"""Gemini's own protocol, read from the bytes: the same facts under the names that the others have for them.

Only names are translated. Totals keep Google's numbers, of which `candidatesTokenCount` leaves thoughts out,
and finish reasons are Google's words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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


def as_compatible(chunk: Mapping[str, Any]) -> Mapping[str, Any]:
    """A chunk of Gemini's in the shape of OpenAI's; any other as it is."""
    if not any(mark in chunk for mark in _MARKS):
        return chunk
    usage = chunk.get("usageMetadata")
    return {
        "id": chunk.get("responseId"),
        "model": chunk.get("modelVersion"),
        "choices": [_choice(_mapping(candidate)) for candidate in _list(chunk.get("candidates"))],
        **({"usage": _usage(usage)} if isinstance(usage, dict) else {}),
    }


def blocked(chunk: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The error that an answer without any candidate is: the question was blocked."""
    feedback = _mapping(chunk.get("promptFeedback"))
    reason = feedback.get("blockReason")
    if not reason or chunk.get("candidates"):
        return None
    return {
        "code": reason,
        "message": feedback.get("blockReasonMessage") or f"the prompt was blocked: {reason}",
    }


def retry_delay(error: Mapping[str, Any] | None) -> float | None:
    """The seconds that a refusal asks to wait: Google says it in the body."""
    for detail in _list(_mapping(error).get("details")):
        try:
            return float(str(_mapping(detail)["retryDelay"]).removesuffix("s"))
        except (KeyError, ValueError):
            continue
    return None


def _choice(candidate: Mapping[str, Any]) -> Mapping[str, Any]:
    content = candidate.get("content")
    parts = [_mapping(part) for part in _list(_mapping(content).get("parts"))]
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


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
