"""Telling Langfuse about a call, in any of its generations since 2; it is not imported.

A generation is started under the caller's span, given values, and ended, after which it is exported. One that
is never ended is never seen, so every call that was begun is ended here exactly once. Tracing that fails is a
warning in the log and never fails a call.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from llm_adapter.answer import Answer
from llm_adapter.chunks import Chunk
from llm_adapter.redaction import Redactor
from llm_adapter.requests import ChatRequest


class Recorder(Protocol):
    """What a call tells as it goes: chunks, and then exactly one of the three ends."""

    def see(self, chunk: Chunk) -> None:
        """A chunk has arrived."""

    def finish(self) -> None:
        """The stream has ended well."""

    def stop(self) -> None:
        """The consumer wants no more."""

    def fail(self, message: str) -> None:
        """The call has failed; the message holds no secrets."""


class Tracer(Protocol):
    """Begins a recorder for a call that is about to be made."""

    def __call__(
        self, span: Any, request: ChatRequest, *, redactor: Redactor, logger: logging.Logger
    ) -> Recorder: ...


@dataclass(slots=True)
class Generation:
    """A generation in the making, by whichever of Langfuse's interfaces the caller's span has.

    Attributes:
        start: begins it; called at once. None means no telemetry.
        logger: where failures of tracing are logged.
        metadata: the request's parameters.
        span: the caller's span, which gets the output of `invoke_llm`, or None.
    """

    start: Callable[[], Observation | None]
    logger: logging.Logger
    metadata: Mapping[str, Any] = field(default_factory=dict)
    span: Any = None
    _observation: Observation | None = None
    _answer: Answer = field(default_factory=Answer)
    _begun: datetime | None = None

    def __post_init__(self) -> None:
        self._safely(self._start)

    def see(self, chunk: Chunk) -> None:
        """Note a chunk; nothing is sent before the end."""
        self._begun = self._begun or datetime.now(UTC)
        self._answer.see(chunk)

    def finish(self) -> None:
        """End it well."""
        self._safely(self._end)

    def stop(self) -> None:
        """End it as left by the consumer, with what has come so far."""
        self._safely(lambda: self._end(level="WARNING", status_message="consumer stopped"))

    def fail(self, message: str) -> None:
        """End it as failed, with what has come so far."""
        self._safely(lambda: self._end(level="ERROR", status_message=message))

    def _start(self) -> None:
        self._observation = self.start()

    def _end(self, **values: Any) -> None:
        if self._observation is None:
            return
        observation, self._observation = self._observation, None
        output = well_formed(self._answer.text)
        reasoning = well_formed(self._answer.reasoning)
        try:
            observation.end(
                output=output,
                usage=self._answer.usage,
                completion_start_time=self._begun,
                metadata={**self.metadata, **({"reasoning": reasoning} if reasoning else {})},
                **well_formed(values),
            )
        finally:
            if self.span is not None:
                self.span.update(output=output)

    def _safely(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 (any tracer may do anything)
            self.logger.warning("telemetry failed (%s); the call goes on", type(error).__name__)


@dataclass(frozen=True, slots=True)
class Observation:
    """A generation that has been begun.

    Attributes:
        generation: what Langfuse, or a wrapper around it, has given us.
        ends_with_values: `end` takes the values, as in Langfuse 2; else `update` does, and `end` takes none.
    """

    generation: Any
    ends_with_values: bool

    def end(self, *, usage: Mapping[str, float] | None, **values: Any) -> None:
        """Give it its values and end it, whatever becomes of the values."""
        details = disjoint(usage)
        if self.ends_with_values:
            values["usage"] = _usage_of_langfuse_2(usage)
            try:
                self.generation.end(usage_details=details, **values)
            except TypeError:  # a wrapper that knows what applications gave to Langfuse 2, and no more
                known = ("output", "metadata", "completion_start_time", "usage")
                self.generation.end(**{name: values[name] for name in known})
            return
        try:
            self.generation.update(usage_details=details, **values)
        finally:
            self.generation.end()


def langfuse_tracer(
    span: Any, request: ChatRequest, *, redactor: Redactor, logger: logging.Logger
) -> Generation:
    """Begin a generation under the caller's span; without a span there is no telemetry."""
    metadata = _metadata(request, redactor)
    values = {
        "name": request.generation_name,
        "model": request.model,
        "input": well_formed([dict(message) for message in request.messages]),
        "metadata": metadata,
    }
    return Generation(
        start=lambda: _begun(span, values),
        logger=logger,
        metadata=metadata,
        span=span if request.invoked else None,
    )


def _begun(span: Any, values: Mapping[str, Any]) -> Observation | None:
    """A generation below a span of Langfuse: from 3.1 on it is one kind of observation; 3.0 has a method for
    each kind; 2, and whatever applications wrap around any of them to keep its calls, has `generation`.
    """
    if span is None:
        return None
    # A wrapper that answers to every name, as applications have for when there is no Langfuse, is no matter.
    if hasattr(span, "generation"):
        return Observation(span.generation(**values), ends_with_values=True)
    if hasattr(span, "start_observation"):
        return Observation(span.start_observation(as_type="generation", **values), ends_with_values=False)
    return Observation(span.start_generation(**values), ends_with_values=False)


def disjoint(usage: Mapping[str, float] | None) -> dict[str, float] | None:
    """Totals as Langfuse adds and prices them: each token under one key, so cached and reasoning tokens are
    taken out of the input and output that include them (langfuse.com/docs/model-usage-and-cost; its own
    handler for LangChain subtracts as well). The provider's own sum stays.
    """
    if usage is None:
        return None
    parts = {"input": "input_cached_tokens", "output": "output_reasoning_tokens"}
    return {
        name: max(0, count - usage.get(parts[name], 0)) if name in parts else count
        for name, count in usage.items()
    }


def _usage_of_langfuse_2(usage: Mapping[str, float] | None) -> dict[str, Any] | None:
    """Totals for `generation.end(usage=…)`: Langfuse 2 knows three whole numbers, and no details."""
    if usage is None:
        return None
    whole = {name: int(usage[name]) for name in ("input", "output", "total") if name in usage}
    return {"unit": "TOKENS", **whole}


def _metadata(request: ChatRequest, redactor: Redactor) -> dict[str, Any]:
    """The request's parameters, without headers, which are where secrets travel."""
    shown = {name: value for name, value in request.params.items() if name != "extra_headers"}
    cleaned: dict[str, Any] = well_formed(redactor.data(shown))
    return cleaned


def well_formed(value: Any) -> Any:
    """JSON-like data whose text can be encoded: a half surrogate, which JSON can hold, would lose it all."""
    if isinstance(value, str):
        if value.isascii():
            return value
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, Mapping):
        return {well_formed(key): well_formed(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [well_formed(item) for item in value]
    return value
