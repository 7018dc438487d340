"""OpenAI's chat completions, streamed and whole, and all APIs that copy them."""

from __future__ import annotations

from llm_contracts.wire.protocols.openai_completions import is_completion
from llm_contracts.wire.protocols.protocol import Document, Protocol, Reading

_MEMBERS = frozenset(
    {
        *("choices", "delta", "message", "index", "content", "role", "finish_reason", "usage", "id", "model"),
        *("reasoning_content", "reasoning", "refusal", "text", "type", "created", "object", "x_groq"),
        *("tool_calls", "function", "name", "arguments", "function_call"),
        *("prompt_tokens", "completion_tokens", "total_tokens"),
        *("data", "models", "owned_by"),  # listings
    }
)


def _speaks(document: Document) -> bool:
    """OpenAI's SDK gives an event of any API these members, with nothing in them."""
    filled = any(document.get(name) is not None for name in ("choices", "id", "model", "object", "usage"))
    return "choices" in document and filled and not is_completion(document)


def _read(document: Document) -> Reading:
    return Reading(chunk=document)


OPENAI_CHAT = Protocol(
    name="openai-chat",
    speaks=_speaks,
    reader=lambda: _read,
    members=_MEMBERS,
    path="/chat/completions",
)
