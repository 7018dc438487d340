"""Judging whether what came is an answer, whichever backend it came through."""

from __future__ import annotations

from dataclasses import dataclass, field

from llm_adapter.chunks import Chunk
from llm_adapter.failures import InBandError, NoAnswerError


@dataclass(slots=True)
class Answer:
    """What has come of one answer."""

    _came: bool = False
    _refusal: list[str] = field(default_factory=list)

    def see(self, chunk: Chunk) -> None:
        """Note a chunk."""
        self._came = self._came or bool(
            chunk.text
            or chunk.has_tool_calls
            or chunk.finish_reason
            or (chunk.usage and chunk.usage.get("output"))
            or (chunk.shown is not None and chunk.shown.is_end)
        )
        if chunk.refusal:
            self._refusal.append(chunk.refusal)

    def finish(self) -> None:
        """The provider has ended.

        An answer has text or a tool call. An empty one counts if its end is told: a finish reason, or tokens
        that the provider has counted.

        Raises:
            InBandError: the model refused to answer.
            NoAnswerError: nothing came that is an answer.
        """
        refusal = "".join(self._refusal)
        if refusal:
            raise InBandError({"code": "refusal", "message": refusal})
        if not self._came:
            raise NoAnswerError("the stream ended without text, tool call or finish reason")
