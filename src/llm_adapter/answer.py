"""What has come of one answer, and whether it is one, whichever backend it came through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from llm_adapter.backends import NOTHING, Rest
from llm_adapter.chunks import Chunk, ToolPart
from llm_adapter.failures import InBandError, NoAnswerError
from llm_adapter.records import ToolCall, Usage

_GOOD_ENDS = frozenset(
    {"stop", "length", "tool_calls", "function_call", "stop_sequence", "end_turn", "max_tokens", "tool_use"}
    | {"eos", "eos_token", "normal", "finish", "complete", "completed", "message_end"}
)
"""Reasons to end, in small letters, with which an answer may be empty."""


@dataclass(slots=True)
class Answer:
    """What has come of one answer.

    Attributes:
        clock: tells seconds.
        begun: when the first text, thought or tool call came.
        usage: the totals under telemetry's names.
    """

    clock: Callable[[], float] = monotonic
    begun: float | None = None
    id: str | None = None
    model: str | None = None
    finish_reason: str | None = None
    usage: dict[str, float] | None = None
    _details: dict[str, float] = field(default_factory=dict)
    _said: bool = False
    _ended: bool = False
    _text: list[str] = field(default_factory=list)
    _reasoning: list[str] = field(default_factory=list)
    _refusal: list[str] = field(default_factory=list)
    _tools: list[dict[str, str]] = field(default_factory=list)
    _open_tools: dict[Any, dict[str, str]] = field(default_factory=dict)

    def note(self, chunk: Chunk) -> None:
        """Note when the first text, thought or tool call comes, before it may be seen."""
        if self.begun is None and (chunk.text or chunk.reasoning or chunk.tool_calls):
            self.begun = self.clock()

    def see(self, chunk: Chunk) -> None:
        """Take a chunk as a part of the answer."""
        if chunk.text or chunk.reasoning or chunk.tool_calls:
            self._said = self._said or bool(chunk.text or chunk.tool_calls)
            self._text.append(chunk.text)
            self._reasoning.append(chunk.reasoning)
            for part in chunk.tool_calls:
                self._add(part)
        if chunk.refusal:
            self._refusal.append(chunk.refusal)
        self.id = chunk.id or self.id
        self.model = chunk.model or self.model
        self.finish_reason = chunk.finish_reason or self.finish_reason
        if chunk.usage:
            # The last count of each kind stands: some providers count up, some send input and output apart,
            # some repeat the totals without their details, or with zeros in their place.
            self.usage = _together(self.usage or {}, chunk.usage)
            self._details = _together(self._details, chunk.details or {})
        if chunk.shown is not None and chunk.shown.is_end:
            self._ended = True

    def finish(self, rest: Rest = NOTHING) -> None:
        """The provider has ended.

        An answer has text or a tool call. An empty one counts if its end is told: a finish reason that does
        not tell of trouble, or tokens that the provider has counted.

        Args:
            rest: what of the body was not part of the answer.

        Raises:
            InBandError: the model refused to answer, or a filter or a fault has left nothing of the answer.
            NoAnswerError: nothing came that is an answer, or something else in the place of its end.
        """
        if self.refusal:
            raise InBandError({"code": "refusal", "message": self.refusal})
        end = (self.finish_reason or "").lower()
        if end and not (self._said or self._ended or end in _GOOD_ENDS):
            raise InBandError({"code": self.finish_reason})
        if rest.unframed and not end:
            raise NoAnswerError(rest.unframed)
        if not (self._said or self._ended or end or (self.usage or {}).get("output")):
            raise NoAnswerError(rest.strange or "the stream ended without text, tool call or finish reason")

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._text)

    @property
    def reasoning(self) -> str:
        """The thoughts so far."""
        return "".join(self._reasoning)

    @property
    def refusal(self) -> str:
        """The model's words for not answering, so far."""
        return "".join(self._refusal)

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls so far."""
        return tuple(ToolCall(**parts) for parts in self._tools)

    @property
    def totals(self) -> Usage | None:
        """The totals so far."""
        counted = self.usage
        if counted is None:
            return None
        return Usage(
            input=counted.get("input"),
            cached=counted.get("input_cached_tokens"),
            output=counted.get("output"),
            reasoning=counted.get("output_reasoning_tokens"),
            total=counted.get("total"),
            details=dict(self._details),
        )

    def _add(self, part: ToolPart) -> None:
        """The first part of a call has its name and id, the arguments come in pieces.

        Gateways to Gemini give all calls the same index: another id begins another call.
        """
        known = self._open_tools.get(part.index)
        if known is None or (part.id and known["id"] and part.id != known["id"]):
            known = self._open_tools[part.index] = {"id": "", "name": "", "arguments": ""}
            self._tools.append(known)
        known["id"] = known["id"] or part.id
        known["name"] = known["name"] or part.name
        known["arguments"] += part.arguments


def _together(before: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    return {**now, **before, **{name: count for name, count in now.items() if count}}
