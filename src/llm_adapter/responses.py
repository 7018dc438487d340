"""What a caller is given, piece by piece."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from llm_adapter.control import CallCancelled, CallControl
from llm_adapter.errors import Category, RequestFailedError
from llm_adapter.records import CallRecord

P = TypeVar("P")


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


Pieces = Generator[LLMStreamResponse, None, None]
AsyncPieces = AsyncGenerator[LLMStreamResponse, None]


class _Stream(Generic[P]):
    """What both kinds of streams have.

    Attributes:
        _pieces: makes the pieces.
        _known: tells what is known of the call.
        _control: its limits.
        _leave: reports a call that ends before its first step.
    """

    __slots__ = ("__weakref__", "_control", "_known", "_leave", "_pieces")

    def __init__(
        self,
        pieces: P,
        known: Callable[[], CallRecord],
        control: CallControl,
        leave: Callable[[], None],
    ) -> None:
        self._pieces = pieces
        self._known = known
        self._control = control
        self._leave = leave

    @property
    def record(self) -> CallRecord:
        """Finish reason, totals, thoughts, tool calls and more; whole when the pieces have come to an end."""
        return self._known()

    def cancel(self) -> None:
        """End the call, from any thread. Who waits for the next piece, or asks for it later, gets a
        `RequestFailedError` of the category `cancelled`; telemetry and record say that the consumer stopped.
        """
        self._control.cancel()
        self._leave()


class LLMStream(_Stream[Pieces], Generator[LLMStreamResponse, None, Any]):
    """The pieces of one answer, and what is known of the call besides.

    It is a generator: nothing is sent before it is first advanced, and closing it ends the exchange. What it
    returns is its record: `record = yield from stream`.
    """

    __slots__ = ()

    def __next__(self) -> LLMStreamResponse:
        try:
            with self._control.step():
                return next(self._pieces)
        except StopIteration:
            raise StopIteration(self.record) from None
        except CallCancelled:
            self._pieces.close()
            raise _cancelled(self.record) from None

    def send(self, value: None) -> LLMStreamResponse:
        """Like `next`: the pieces do not depend on what they are told."""
        del value
        return next(self)

    def throw(self, *error: Any) -> LLMStreamResponse:
        """Let an exception end the call."""
        self._leave()
        return self._pieces.throw(*error)

    def close(self) -> None:
        """End the exchange with the provider at once; if another thread waits for a piece, as by `cancel`."""
        self._leave()
        try:
            self._pieces.close()
        except ValueError:  # "generator already executing"
            self._control.cancel()


class AsyncLLMStream(_Stream[AsyncPieces], AsyncGenerator[LLMStreamResponse, None]):
    """`LLMStream` on an event loop. Cancelling the task that waits ends the exchange."""

    __slots__ = ()

    async def asend(self, value: None) -> LLMStreamResponse:
        """The next piece: they do not depend on what they are told."""
        import asyncio  # see `CallControl.within`

        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as limit:

                def end() -> None:
                    with suppress(RuntimeError):  # the piece has come meanwhile
                        limit.reschedule(loop.time())

                with self._control.interruptible(lambda: _call_soon(loop, end)):
                    return await self._pieces.asend(value)
        except (CallCancelled, TimeoutError):
            if not self._control.cancelled:
                raise
        await self._pieces.aclose()
        raise _cancelled(self.record)

    async def athrow(self, *error: Any) -> LLMStreamResponse:
        """Let an exception end the call."""
        self._leave()
        return await self._pieces.athrow(*error)

    async def aclose(self) -> None:
        """End the exchange with the provider at once."""
        self._leave()
        await self._pieces.aclose()


def _call_soon(loop: Any, function: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(function)


def _cancelled(record: CallRecord) -> RequestFailedError:
    return RequestFailedError(
        f"the call of {record.requested_model!r} was cancelled",
        model=record.requested_model,
        provider=record.provider,
        category=Category.CANCELLED,
        attempts=record.attempts,
    )
