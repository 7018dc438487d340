"""What a caller is given, piece by piece."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class LLMStreamUsage:
    """Token totals of one call, as the provider counted them."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


# The old code spelled the name so, and applications import it under that spelling.
LLMStreamaUsage = LLMStreamUsage


@dataclass(frozen=True, kw_only=True, slots=True)
class LLMStreamResponse:
    """One piece of the answer.

    Attributes:
        id: the provider's id of the chunk.
        is_end: this very piece carries the finish reason. Most providers send that in a chunk without text,
            so with most providers no piece is the end: the end is that the generator stops.
        is_truncated: always False for OpenAI-compatible providers.
        result: the text; never empty.
        finish_reason: the finish reason, only where it rides on the piece's own chunk.
        usage: always None for OpenAI-compatible providers, whose totals go to telemetry.
    """

    id: str
    is_end: bool
    is_truncated: bool
    result: str
    finish_reason: str | None
    usage: LLMStreamUsage | None
