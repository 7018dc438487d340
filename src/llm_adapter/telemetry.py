"""Telling Langfuse about a call; the only module that names it.

Written for Langfuse 5, whose observations are OpenTelemetry spans: a generation is started under the caller's
span, given values, and ended, after which it is exported. One that is never ended is never seen, so every
call that was begun is ended here exactly once. Tracing that fails is a warning in the log and never fails a
call.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from llm_adapter.chunks import Chunk
from llm_adapter.redaction import Redactor
from llm_adapter.requests import ChatRequest

if TYPE_CHECKING:
    from langfuse import LangfuseGeneration


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
    """A Langfuse generation in the making.

    Attributes:
        span: the caller's span, which gets the output of `invoke_llm`, or None.
        start: starts the observation; called at once.
        metadata: the request's parameters.
        logger: where failures of tracing are logged.
    """

    start: Callable[[], LangfuseGeneration | None]
    logger: logging.Logger
    metadata: Mapping[str, Any] = field(default_factory=dict)
    span: Any = None
    _observation: Any = None
    _text: list[str] = field(default_factory=list)
    _reasoning: list[str] = field(default_factory=list)
    _usage: Mapping[str, float] | None = None
    _begun: datetime | None = None

    def __post_init__(self) -> None:
        self._safely(self._start)

    def see(self, chunk: Chunk) -> None:
        """Note a chunk; nothing is sent before the end."""
        self._begun = self._begun or datetime.now(UTC)
        self._text.append(chunk.text)
        self._reasoning.append(chunk.reasoning)
        if chunk.usage:
            # The last count of each kind stands: some providers count up, some send input and output apart,
            # some repeat the totals without their details.
            self._usage = {**(self._usage or {}), **chunk.usage}

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
        output = well_formed("".join(self._text))
        reasoning = well_formed("".join(self._reasoning))
        try:
            observation.update(
                output=output,
                usage_details=self._usage,
                completion_start_time=self._begun,
                metadata={**self.metadata, **({"reasoning": reasoning} if reasoning else {})},
                **well_formed(values),
            )
            if self.span is not None:
                self.span.update(output=output)
        finally:
            observation.end()

    def _safely(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 (any tracer may do anything)
            self.logger.warning("telemetry failed (%s); the call goes on", type(error).__name__)


def langfuse_tracer(
    span: Any, request: ChatRequest, *, redactor: Redactor, logger: logging.Logger
) -> Generation:
    """Begin a generation under the caller's span; without a span there is no telemetry."""
    metadata = _metadata(request, redactor)

    def start() -> LangfuseGeneration | None:
        if span is None:
            return None
        generation: LangfuseGeneration = span.start_observation(
            name=request.generation_name,
            as_type="generation",
            model=request.model,
            input=well_formed([dict(message) for message in request.messages]),
            metadata=metadata,
        )
        return generation

    return Generation(start=start, logger=logger, metadata=metadata, span=span if request.invoked else None)


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
