"""What clients make of names: which members they read, and by which values they choose their way.

Taken from what the clients here read (the openai SDK, LiteLLM, the adapter's own backends) in the dialects
that `wire.facts` knows. An application may read more; so nothing else is passed over, it only weighs less.
"""

from __future__ import annotations

from llm_contracts.parity.divergence import Severity

READ = frozenset(
    {
        # a chunk or a completion of the OpenAI kind
        *("choices", "delta", "message", "index", "content", "role", "finish_reason", "usage", "id", "model"),
        *("reasoning_content", "reasoning", "refusal", "text", "type", "created", "object", "x_groq"),
        *("tool_calls", "function", "name", "arguments", "function_call"),
        *("prompt_tokens", "completion_tokens", "total_tokens"),
        # errors, in all their shapes
        *("error", "code", "param", "status", "error_code", "error_msg", "error_description"),
        *("base_resp", "status_code", "status_msg", "detail", "details", "reason", "retryDelay"),
        # listings
        *("data", "models", "owned_by"),
        # Gemini
        *("candidates", "parts", "thought", "finishReason", "usageMetadata", "promptFeedback", "blockReason"),
        *("promptTokenCount", "candidatesTokenCount", "totalTokenCount", "functionCall", "args"),
        # ERNIE's first API and Dify
        *("result", "is_end", "need_clear_history", "access_token", "expires_in"),
        *("event", "answer", "metadata", "task_id", "conversation_id", "message_id"),
    }
)
"""Members that some client reads. A change in them can break it."""

FINISH = frozenset({"finish_reason", "finishReason", "stop_reason"})
KNOWN_FINISH = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})
"""What OpenAI's API names; clients have a branch for each."""

_REFUSAL = frozenset({"code", "error_code", "status_code", "status", "type", "reason", "blockReason"})
_VISIBLE = frozenset({"object", "role", "event", "param", *_REFUSAL})
_COSMETIC = frozenset({"model", "modelVersion", "service_tier"})
_CHOICES = FINISH | _VISIBLE | _COSMETIC


def is_read(path: str) -> bool:
    """Whether clients read the member at the end of a path."""
    return _name(path) in READ


def is_choice(path: str) -> bool:
    """Whether the value itself means something. What a listing lists is stock, not shape."""
    return _name(path) in _CHOICES and not path.startswith(("data[]", "models[]"))


def severity_of_value(path: str, value: str, *, error: bool) -> Severity:
    """What a value means that was not there before. `error`: whether it says what went wrong."""
    name = _name(path)
    if name in FINISH:
        return Severity.VISIBLE if value in KNOWN_FINISH else Severity.BREAKING
    if name in _COSMETIC:
        return Severity.COSMETIC
    return Severity.BREAKING if error and name in _REFUSAL else Severity.VISIBLE


def _name(path: str) -> str:
    return path.replace("[]", "").rpartition(".")[2]
