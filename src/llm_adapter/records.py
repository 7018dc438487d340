"""What is known of a call: for whoever meters calls, and for the caller once the pieces have come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from llm_adapter.errors import LLMError


class Outcome(StrEnum):
    """What has become of a call."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"  # the consumer has left
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Token totals as the provider counted them; None is what it did not say.

    Attributes:
        input: all tokens of the question.
        cached: those of them that came from the provider's cache.
        output: all tokens of the answer.
        reasoning: those of them that were thoughts.
        total: the provider's own sum, which need not be the others'.
        details: every number that it sent with these, by its name and place there, such as
            `prompt_tokens_details.audio_tokens` or `completion_tokens_details.rejected_prediction_tokens`.
    """

    input: float | None = None
    cached: float | None = None
    output: float | None = None
    reasoning: float | None = None
    total: float | None = None
    details: Mapping[str, float] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolCall:
    """A call that the model wants to be made; `arguments` is the JSON text as it came."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CallRecord:
    """One call, as far as it has come.

    Attributes:
        function: `invoke_llm` or `chat_llm`.
        requested_model: the model by the application's name for it.
        model: the model that answered, by the provider's name for it; None where it did not say.
        provider: the name under which the provider is metered, or None where the model belongs to none.
        user_id: whose call it is.
        generation_name: the name of the telemetry generation.
        own: the application's own arguments (`usage_context` and the like), which no provider sees.
        params: the request's parameters, without headers.
        outcome: what has become of it.
        error: why it failed; None if it did not.
        text: the pieces' text, joined; half surrogates, which nobody can store, are replaced.
        reasoning: the model's thoughts, joined.
        refusal: the model's own words for not answering.
        finish_reason: the provider's word for why it ended, wherever in the stream it stood.
        tool_calls: the calls that the model wants to be made.
        usage: the totals, or None where the provider sent none.
        response_id: the provider's id of the answer.
        request_id: the provider's id of the request, from the answer's headers.
        attempts: how many HTTP requests were made; None where nothing tells.
        latency_s: seconds from the first `next` until now or its end.
        first_token_s: seconds until the first text, thought or tool call; None before that.
    """

    function: str
    requested_model: str
    model: str | None = None
    provider: str | None = None
    user_id: str = ""
    generation_name: str = ""
    own: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    outcome: Outcome = Outcome.RUNNING
    error: LLMError | None = None
    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    finish_reason: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage | None = None
    response_id: str | None = None
    request_id: str | None = None
    attempts: int | None = None
    latency_s: float = 0.0
    first_token_s: float | None = None

    @property
    def is_truncated(self) -> bool:
        """Whether the answer was cut at an output limit, in any provider's word for that."""
        return (self.finish_reason or "").lower() in {"length", "max_tokens"}


UsageHook = Callable[[CallRecord], None]
"""Called once for each call, when it is over, whatever has become of it; not for a stream that was forgotten
before it was advanced, closed or cancelled.
"""
