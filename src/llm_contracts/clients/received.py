"""What one client hands on in one run, as it comes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from llm_contracts.clients.chunks import ItemReader, NotAChunkError
from llm_contracts.clients.failures import answered
from llm_contracts.clients.jsonable import jsonable, read
from llm_contracts.clients.observation import HANG, Chunk, Failure
from llm_contracts.clients.session import SessionLike
from llm_contracts.clients.surface import Shape, shapes, shared_names, stream_names
from llm_contracts.clients.waits import Waits
from llm_contracts.wire.interaction import Request

_BUFFERS = (bytearray, memoryview)
_KEPT = 8  # items that are looked at again when all have come: who yields one over and over does so at once


class StopRunError(Exception):
    """The harness ends a run: what the client does is not a stream of chunks."""

    def __init__(self, category: str, message: str) -> None:
        super().__init__(message)
        self.failure = Failure(category=category, message=message)


@dataclass(kw_only=True)
class Received:
    """The chunks of one run, and what is known of the objects that they were.

    Attributes:
        delivered: characters of text, reasoning, arguments and of other choices, which the session hears of.
        sealed: whether nothing is added any more: a thread that hangs on cannot change what was reported.
        stream: the public names of what the client returned.
        answer: status and headers of the answer, as that holds them.
    """

    session: SessionLike
    max_chunks: int
    read: ItemReader
    waits: Waits
    delivered: tuple[int, int, int, int]
    chunks: list[Chunk] = field(default_factory=list)
    sealed: bool = False
    stream: tuple[str, ...] | None = None
    answer: Mapping[str, Any] = field(default_factory=dict)
    _shapes: dict[Shape, None] = field(default_factory=dict)
    _first_items: list[tuple[Any, Any]] = field(default_factory=list)

    @property
    def elapsed(self) -> float:
        """Milliseconds since the run began."""
        return round((time.monotonic() - self.waits.started) * 1000, 3)

    @property
    def reused(self) -> bool:
        """Whether items say something else now than when they came."""
        return any(_said(item) != said for item, said in self._first_items)

    @property
    def surface(self) -> dict[str, tuple[str, ...]]:
        """Part → the public names that all of its objects have."""
        found = shared_names(self._shapes)
        return found if self.stream is None else {"stream": self.stream, **found}

    def look_at(self, items: Any) -> None:
        """Note what holds the items."""
        self.stream, self.answer = stream_names(items), answered(read(items, "response"))

    def take(self, item: Any) -> None:
        """Take one item.

        Raises:
            StopRunError: it is not a chunk, there are too many, or the time limit has passed.
        """
        if len(self._first_items) < _KEPT and not isinstance(item, (str, bytes)):
            self._first_items.append((item, _said(item)))
        if isinstance(item, _BUFFERS):
            item = bytes(item)
        self._add(self.read(item))
        self._shapes.update(dict.fromkeys(shapes(item)))

    def finish(self) -> None:
        """Take what is left when all items have come.

        Raises:
            StopRunError: as above.
        """
        self._add(self.read.finish())

    def positioned(self, requests: tuple[Request, ...]) -> tuple[Chunk, ...]:
        """The chunks. Where answers to several questions come at once, how far they have come together says
        nothing about any.
        """
        times = self.session.exchange_times()
        at_once = any(ended is None or begun < ended for (_, ended), (begun, _) in pairwise(times))
        if at_once and len({request.body for request in requests}) > 1:
            return tuple(replace(chunk, position=None) for chunk in self.chunks)
        return tuple(self.chunks)

    def _add(self, chunks: Iterator[Chunk]) -> None:
        try:
            for chunk in chunks:
                position, at_ms, index = self.session.events_sent(), self.elapsed, len(self.chunks)
                if index >= self.max_chunks:
                    raise StopRunError("endless", f"the client yielded more than {self.max_chunks} items")
                if self.sealed:
                    raise StopRunError(HANG, "the time limit had passed")
                same = bool(self.chunks) and self.chunks[-1].rest == chunk.rest  # one object for all
                rest = self.chunks[-1].rest if same else chunk.rest
                self.chunks.append(replace(chunk, position=position, at_ms=at_ms, rest=rest))
                self.waits.note(index)
                self._progress(chunk)
        except NotAChunkError as error:
            raise StopRunError("nonsense", f"item {len(self.chunks)} is not a chunk but {error}") from None

    def _progress(self, chunk: Chunk) -> None:
        """Tell the session how much has been handed on, of the choice with the index 0 and of the others."""
        text, reasoning, arguments, others = self.delivered
        said = [(self.read.answer, len(chunk.text) + len(chunk.extra.get("refusal") or ""))]
        said += ((other["index"], len(other.get("text", ""))) for other in chunk.others)
        text += sum(size for index, size in said if not index)
        others += sum(size for index, size in said if index)
        text += bool(chunk.rest or chunk.usage) and not (self.read.protocol or chunk.text)  # unknown API
        reasoning += len(chunk.reasoning)
        arguments += sum(len(str(call.get("arguments", ""))) for call in chunk.tool_calls)
        self.delivered = text, reasoning, arguments, others
        self.session.delivered(*self.delivered)


def _said(item: Any) -> Any:
    """What an item says now: nothing where it is a view of a buffer that was released."""
    if not isinstance(item, _BUFFERS):
        return jsonable(item)
    try:
        return bytes(item)
    except ValueError:
        return None
