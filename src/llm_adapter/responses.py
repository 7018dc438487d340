"""What a caller is given, piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

from llm_adapter.records import CallRecord


@dataclass(frozen=True, slots=True)
class LLMStreamUsage:
    """Token totals of one call, as the provider counted them."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


# The old code spelled the name so, and applications import it under that spelling.
LLMStreamaUsage = LLMStreamUsage


@dataclass(frozen=True, slots=True)
class LLMStreamResponse:
    """One piece of the answer.

    Attributes:
        id: the provider's id of the chunk.
        is_end: this very piece carries the finish reason. Most providers send that in a chunk without text,
            so with most providers no piece is the end: the end is that the generator stops.
        is_truncated: always False for OpenAI-compatible providers; `LLMStream.record` knows better.
        result: the text; never empty.
        finish_reason: the finish reason, only where it rides on the piece's own chunk.
        usage: always None for OpenAI-compatible providers, whose totals are in `LLMStream.record`. May be
            given as a mapping of its fields.
    """

    id: str
    is_end: bool
    is_truncated: bool
    result: str
    finish_reason: str | None
    usage: LLMStreamUsage | None

    def __post_init__(self) -> None:
        usage: Any = self.usage
        if isinstance(usage, Mapping):
            object.__setattr__(self, "usage", LLMStreamUsage(**usage))


class LLMStream(Generator[LLMStreamResponse, None, None]):
    """The pieces of one answer, and what is known of the call besides.

    It is a generator: nothing is sent before it is first advanced, and closing it ends the exchange.
    """

    __slots__ = ("__weakref__", "_known", "_pieces")

    def __init__(
        self, pieces: Generator[LLMStreamResponse, None, None], known: Callable[[], CallRecord]
    ) -> None:
        self._pieces = pieces
        self._known = known

    @property
    def record(self) -> CallRecord:
        """Finish reason, totals, thoughts, tool calls and more; whole when the pieces have come to an end."""
        return self._known()

    def __next__(self) -> LLMStreamResponse:
        return next(self._pieces)

    def send(self, value: None) -> LLMStreamResponse:
        """Like `next`: the pieces do not depend on what they are told."""
        return self._pieces.send(value)

    def throw(self, *error: Any) -> LLMStreamResponse:
        """Let an exception end the call."""
        return self._pieces.throw(*error)

    def close(self) -> None:
        """End the exchange with the provider at once."""
        self._pieces.close()
