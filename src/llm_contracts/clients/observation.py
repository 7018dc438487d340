"""What one path did with one call. Values only; clocks and wire positions take no part in equality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llm_contracts.wire.interaction import Request


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Token totals as reported, never derived from one another; `details` holds every further number by its
    dotted place (`prompt_tokens_details.cached_tokens`), `names` what the totals that are there were called.
    """

    prompt_tokens: int | float | None = None
    completion_tokens: int | float | None = None
    total_tokens: int | float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """One item as the client yielded it, in canonical form.

    `tool_calls` keeps the deltas as given (index, id, type, name, arguments). `extra` holds other keys with a
    meaning (`refusal`, list-valued content). `reasoning_keys` names the delta's keys that held the reasoning.
    `others` holds the choices beside the answer, each with its `index`; `rest` every key that has no field of
    its own, as JSON. `is_event` says that the item names its kind, or is of no known API: each of these
    counts, also where no field of this class holds any of it. `position` counts the server-sent events that
    had left the edge when the item was handed on; None where the engine cannot tell.
    """

    text: str = ""
    reasoning: str = ""
    reasoning_keys: tuple[str, ...] = ()
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    finish_reason: str | None = None
    usage: Usage | None = None
    id: str | None = None
    model: str | None = None
    role: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    others: tuple[Mapping[str, Any], ...] = ()
    rest: Mapping[str, Any] = field(default_factory=dict, compare=False)
    is_event: bool = field(default=False, compare=False)
    position: int | None = field(default=None, compare=False)
    at_ms: float | None = field(default=None, compare=False)


HANG = "hang"
"""The category of a call that did not end within its time limit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """How a call failed.

    Attributes:
        category: the error's own `category` attribute, else its class name.
        message: what the error says, and what lies below it.
        status: the HTTP status.
        code: the application's own code, where the error has one beside the provider's.
        provider_code: the provider's own.
        attempts: how many requests it says were made.
        classes: what an `except` clause can name to catch it, the most specific first (`openai.APIError`).
        below: the same of the exception that it was raised from.
        named: whether `category` is an attribute of the error, and not its class's name.
        said: what the error itself says, without what lies below.
        fields: the error's public fields as JSON, with `headers` of the answer that it holds.
        raised: `call` where the call itself raised, `stream` where reading did.
    """

    category: str
    message: str = field(compare=False)
    status: int | None = None
    code: str | None = None
    provider_code: str | None = None
    attempts: int | None = None
    classes: tuple[str, ...] = field(default=(), compare=False)
    below: tuple[str, ...] = field(default=(), compare=False)
    named: bool = field(default=True, compare=False)
    said: str = field(default="", compare=False)
    fields: Mapping[str, Any] = field(default_factory=dict, compare=False)
    raised: str = field(default="stream", compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """Everything one client did: what it sent, what it handed on, how it ended, what it told telemetry.

    Attributes:
        client: its name.
        protocol: the API whose objects it handed on; empty where that is not known.
        pauses: the seconds it meant to wait between each request and the next, 0 for none; None where nobody
            looked, or could. Back-off is partly chance, so they take no part in equality.
        waits: the seconds for which it waited otherwise: `before` the first request, and in the `stream`.
        surface: what is handed over (`stream`, `chunk`, `choice`, `delta`, `usage`, `error`) → the public
            names that all objects of this part have.
        answer: status and headers of the answer, as what was handed over holds them (`stream.response`).
        effects: what the call did beside answering: place → value, see `clients.side_effects`.
    """

    client: str
    protocol: str = field(default="", compare=False)
    requests: tuple[Request, ...] = ()
    pauses: tuple[float, ...] | None = field(default=None, compare=False)
    waits: Mapping[str, float] = field(default_factory=dict, compare=False)
    surface: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    answer: Mapping[str, Any] = field(default_factory=dict, compare=False)
    effects: Mapping[str, Any] = field(default_factory=dict, compare=False)
    chunks: tuple[Chunk, ...] = ()
    failure: Failure | None = None
    generations: tuple[Mapping[str, Any], ...] = ()
    duration_ms: float = field(default=0.0, compare=False)

    @property
    def text(self) -> str:
        """The joined text."""
        return "".join(chunk.text for chunk in self.chunks)

    @property
    def reasoning(self) -> str:
        """The joined reasoning text."""
        return "".join(chunk.reasoning for chunk in self.chunks)

    @property
    def deltas(self) -> tuple[str, ...]:
        """The non-empty pieces of text, in order."""
        return tuple(chunk.text for chunk in self.chunks if chunk.text)

    @property
    def finish_reasons(self) -> tuple[str, ...]:
        """Every finish reason that was handed on, in order."""
        return tuple(chunk.finish_reason for chunk in self.chunks if chunk.finish_reason is not None)

    @property
    def reported_usage(self) -> tuple[Usage, ...]:
        """Every usage object that chunks carried, in order."""
        return tuple(chunk.usage for chunk in self.chunks if chunk.usage is not None)
