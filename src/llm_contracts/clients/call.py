"""What a path is asked to do, and the shape of a path."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from llm_contracts.clients.kept import Kept


class Function(StrEnum):
    """Which of the product's calls a scenario exercises."""

    INVOKE = "invoke"  # one user message, optional system text
    CHAT = "chat"  # a whole history
    LIST_MODELS = "list_models"


def _ignore(_generation: Mapping[str, Any]) -> None:
    """The sink of a path whose telemetry nobody compares."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One call to make.

    Attributes:
        base_url: where the client must send its requests: the loopback edge.
        api_key: the key to send; a made-up one when replaying.
        provider: which provider's behaviour to use, as named in the scenario.
        model: the model name as the application would give it, with the provider's prefix if it has one.
        messages: the conversation, as OpenAI-style messages.
        params: request parameters by their OpenAI names; JSON mode is `response_format`.
        function: which of the product's calls to make.
        telemetry: give each finished telemetry generation to this, as a mapping with any of `name`, `model`,
            `input`, `output`, `usage`, `level`, `status_message`, `metadata`, `ended`.
        kept: where clients stay for the calls that follow, see `kept.kept`; None where a call is alone.
    """

    base_url: str
    api_key: str = field(repr=False)
    provider: str
    model: str
    messages: tuple[Mapping[str, Any], ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    function: Function = Function.INVOKE
    telemetry: Callable[[Mapping[str, Any]], None] = field(default=_ignore, repr=False, compare=False)
    kept: Kept | None = field(default=None, repr=False, compare=False)


class CallPath(Protocol):
    """A team's way to a model. Makes the call and yields chunks as they come.

    A chunk is an object or mapping in the shape of OpenAI's chat-completion chunks, or anything with the
    attributes of `LLMStreamResponse` (`id`, `result`, `finish_reason`, `usage`), or a plain string (a piece
    of text, or a model's name for `list_models`). A failure is simply raised.
    """

    def __call__(self, call: Call, /) -> Iterable[Any] | AsyncIterable[Any]: ...
