"""The ways to a provider. A backend takes one `Outgoing` request and opens one `Opened` stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from llm_adapter.requests import Outgoing


class Rest(NamedTuple):
    """What of a body was read and is not part of an answer.

    Attributes:
        unframed: the text that stood outside of events.
        strange: the first event that is not a chunk.
    """

    unframed: str = ""
    strange: str = ""


NOTHING = Rest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A stream that the provider has begun to answer with.

    Attributes:
        chunks: the provider's chunks as objects in OpenAI's shape; raises whatever the client raises.
        close: ends the exchange with the provider at once; may be called twice.
        attempts: how many HTTP requests it took, so far as is known.
        request_id: the provider's id of the request, where the answer's headers tell one.
        repeatable: a stream that breaks before its first text may be asked for once more.
        may_be_empty: a stream of nothing is an answer, as the client of old has it.
        rest: what was not part of the answer, when all has been read.
    """

    chunks: Iterator[Any]
    close: Callable[[], None]
    rest: Callable[[], Rest] = Rest
    attempts: int | None = None
    request_id: str | None = None
    repeatable: bool = False
    may_be_empty: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AsyncOpened:
    """`Opened` on an event loop."""

    chunks: AsyncIterator[Any]
    close: Callable[[], Awaitable[None]]
    rest: Callable[[], Rest] = Rest
    attempts: int | None = None
    request_id: str | None = None
    repeatable: bool = False
    may_be_empty: bool = False


REHEARSED = Outgoing(
    provider="openai",
    base_url="https://rehearsal.invalid/v1",
    api_key="rehearsal",
    model="rehearsal",
    messages=({"role": "user", "content": "."},),
    params={},
)
"""What a backend is asked when it is only warmed up; see `connection.rehearsal`."""

Backend = Callable[[Outgoing], Opened]
AsyncBackend = Callable[[Outgoing], Awaitable[AsyncOpened]]
