"""Gemini's own API, over events or as one array, and the objects of Google's SDK for it.

Totals keep Google's numbers, of which `candidatesTokenCount` leaves thoughts out, and finish reasons are
Google's words. A stream says only with its finish reason that it is over, and not each has one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from llm_contracts.util.json_values import as_list, as_mapping, as_text
from llm_contracts.wire.protocols.protocol import (
    Document,
    Protocol,
    Reading,
    arguments_text,
    tool_call,
    without,
    words,
)

_MARKS = ("candidates", "promptFeedback", "usageMetadata", "prompt_feedback", "usage_metadata")
"""Keys that no other provider's chunks have, as sent and as the SDK names them."""

_TOTALS = {
    "promptTokenCount": "prompt_tokens",
    "candidatesTokenCount": "completion_tokens",
    "totalTokenCount": "total_tokens",
}
_PARTS = {
    "cachedContentTokenCount": ("prompt_tokens_details", "cached_tokens"),
    "thoughtsTokenCount": ("completion_tokens_details", "reasoning_tokens"),
    "toolUsePromptTokenCount": ("prompt_tokens_details", "tool_use_tokens"),
}
_READ = frozenset({"usageMetadata", "responseId", "modelVersion", "candidates"})
_COUNTED = frozenset({*_TOTALS, *_PARTS})
_OF_THE_SDK = frozenset({"sdkHttpResponse", "automaticFunctionCallingHistory", "parsed"})
"""What the SDK adds to an answer."""

_REASONS = dict(enumerate(("STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER"), start=1))
"""Finish reasons by number, as they come with `$alt=json;enum-encoding=int`; later numbers are not the same
words in both of Google's APIs.
"""

_AS_GIVEN = frozenset({"args", "response"})
"""Members whose keys are the application's own."""

_UNDERSCORE = re.compile(r"_([a-z0-9])")


def _speaks(document: Document) -> bool:
    return any(mark in document for mark in _MARKS) and not {"embedding", "embeddings"} & document.keys()


def _reader() -> Callable[[Document], Reading]:
    calls: list[Document] = []

    def read(document: Document) -> Reading:
        document = _as_sent(document)
        usage = document.get("usageMetadata")
        chunk = {
            **{name: value for name, value in document.items() if name not in _READ | _OF_THE_SDK},
            **_of_the_sdk(document),
            "id": document.get("responseId"),
            "model": document.get("modelVersion"),
            "choices": [_choice(as_mapping(one), calls) for one in as_list(document.get("candidates"))],
            **({"usage": _usage(usage)} if isinstance(usage, Mapping) else {}),
        }
        if isinstance(usage, Mapping) and (rest := without(usage, *_COUNTED)):
            chunk["usageMetadata"] = rest
        return Reading(chunk=chunk)

    return read


def _of_the_sdk(document: Document) -> Document:
    """What is the SDK's own, and the time of the answer, of which it makes an object, in one spelling."""
    found: dict[str, Any] = {name: document[name] for name in _OF_THE_SDK if document.get(name)}
    with suppress(KeyError, TypeError, ValueError):
        found["createTime"] = str(datetime.fromisoformat(document["createTime"]))
    return found


def _as_sent(value: Any) -> Any:
    """The SDK's names as Google sends them, without the fields that it leaves empty."""
    if isinstance(value, Mapping):
        return {
            (key := _UNDERSCORE.sub(lambda found: found[1].upper(), name)): (
                part if key in _AS_GIVEN else _as_sent(part)
            )
            for name, part in value.items()
            if part is not None
        }
    return [_as_sent(part) for part in value] if isinstance(value, list) else value


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


def _choice(candidate: Document, calls: list[Document]) -> Document:
    content = dict(as_mapping(candidate.get("content")))
    parts = [as_mapping(part) for part in as_list(content.pop("parts", None))]
    delta: dict[str, Any] = {
        "role": content.pop("role", None),
        "content": _joined_text(parts, thought=False),
        "reasoning_content": _joined_text(parts, thought=True),
    }
    if asked := [as_mapping(part["functionCall"]) for part in parts if "functionCall" in part]:
        delta["tool_calls"] = [
            tool_call(place, call.get("id"), call.get("name"), arguments_text(call.get("args", {})))
            for place, call in enumerate(asked, len(calls))
        ]
        calls += asked
    if left := [rest for part in parts if (rest := _rest(part))]:
        content["parts"] = left
    if len(parts) > 1:
        content["order"] = [_kind(part) for part in parts]
    reason = candidate.get("finishReason")
    return {
        **without(candidate, "content", "index", "finishReason"),
        **({"content": content} if content else {}),
        "index": candidate.get("index"),
        "delta": {name: value for name, value in delta.items() if value is not None},
        "finish_reason": _REASONS.get(reason, str(reason)) if isinstance(reason, int) and reason else reason,
    }


def _kind(part: Document) -> str:
    """What a part holds, to tell in which order parts come."""
    if "text" in part:
        return "thought" if part.get("thought") else "text"
    return min(part.keys() - {"thoughtSignature", "thought"}, default="")


def _joined_text(parts: list[Document], *, thought: bool) -> str | None:
    texts = [
        as_text(part["text"]) for part in parts if bool(part.get("thought")) is thought and "text" in part
    ]
    return "".join(texts) if texts else None


def _rest(part: Document) -> Document:
    """What of a part is neither text nor a call's words: code, data, a thought's signature."""
    rest = without(part, "text", "thought", "functionCall")
    called = without(as_mapping(part.get("functionCall")), "name", "args", "id")
    return {**rest, **({"functionCall": called} if called else {})}


def _usage(counted: Document) -> Document:
    usage: dict[str, Any] = {name: counted[key] for key, name in _TOTALS.items() if key in counted}
    for key, (place, part) in _PARTS.items():
        if key in counted:
            usage[place] = {**usage.get(place, {}), part: counted[key]}
    return usage


GEMINI = Protocol(
    name="gemini",
    speaks=_speaks,
    reader=_reader,
    error=_blocked,
    members=words(
        "candidates parts thought finishReason usageMetadata promptFeedback promptTokenCount "
        "candidatesTokenCount totalTokenCount functionCall args blockReason content text index"
    ),
    path=r":(?:streamG|g)enerateContent",
    says_end=False,
)
