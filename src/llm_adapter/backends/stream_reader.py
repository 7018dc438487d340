"""Reading a stream of chunks from the bytes of its response: lines, events, JSON. Does no input or output.

The SDK makes a model of each chunk, which costs ten times what reading the bytes does. Here a chunk stays
what its JSON says. What is not a chunk is judged at once: an error, an answer without events.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from llm_adapter.backends import Rest
from llm_adapter.backends.response_body import Lines, ResponseBody, empty_answer, json_of
from llm_adapter.chunks import Chunk
from llm_adapter.failures import NoAnswerError, in_band

_DONE = b"[DONE]"


_PING = object()


@dataclass(slots=True)
class _Reader:
    """What both readers have.

    Attributes:
        response: the HTTP response, for what errors say about it; nothing is read from it.
        done: the provider has said that nothing more will come; most of the others end without a word.
    """

    response: Any
    done: bool = False
    _lines: Lines = field(default_factory=Lines)
    _body: ResponseBody = field(init=False)
    _data: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._body = ResponseBody(response=self.response)

    def rest(self) -> Rest:
        """What was not part of the answer."""
        return self._body.rest()

    def _decoded(self, data: bytes) -> Any:
        """The JSON of an event, or `_PING`; an error event need not be JSON."""
        try:
            return _decode(data)
        except ValueError as trouble:
            error = self._body.error()
            if error is None and self._body.is_ping(data):
                return _PING
            raise (error or trouble) from trouble


@dataclass(slots=True)
class StreamReader(_Reader):
    """A stream of chunks, piece by piece."""

    def feed(self, piece: bytes) -> Iterator[Any]:
        """The chunks that this piece completes, as decoded JSON.

        An event ends at its blank line (WHATWG, server-sent events). One without data is not an event.

        Raises:
            InBandError: an error came in the place of a chunk.
            ValueError: an event is not JSON.
        """
        for line in self._lines.cut(piece):
            if line:
                value = self._body.look(line)
                if value:
                    self._data.append(value)
                continue
            data, self._data = b"\n".join(self._data), []
            if data.startswith(_DONE):
                self.done = True
                return
            if data and (item := self._item(data)) is not None:
                yield item
            self._body.look(line)

    def end(self) -> Iterator[Any]:
        """What is still to be had when no piece will come: the answer, where it did not come in events.

        Raises:
            InBandError: an error came as something else than an event.
            NoAnswerError: what came is not an answer.
        """
        self._body.look(self._lines.last())
        if (error := self._body.error()) is not None:
            raise error
        yield from self._body.documents()

    def _item(self, data: bytes) -> Any:
        item = self._decoded(data)
        if item is _PING:
            return None
        if not (type(item) is dict and item.get("choices")) or item.get("error") or item.get("base_resp"):
            first = item[0] if isinstance(item, list) and item else item
            error = self._body.error() or in_band(first, request=self.response.request)
            if error is not None:
                raise error
            self._body.pass_over(item)
        return item


@dataclass(kw_only=True, slots=True)
class EventReader(_Reader):
    """The events of a provider with a protocol of its own, or the document that came in their place.

    Attributes:
        read: the chunks of one event's decoded JSON.
        own: by what the protocol's events are known; an error that has none of these is a gateway's.
        finish: called when all has been read.
    """

    read: Callable[[Any], Iterable[Chunk]]
    own: frozenset[str]
    finish: Callable[[], None] = lambda: None

    def feed(self, piece: bytes) -> Iterator[Chunk]:
        """The chunks that this piece completes.

        Lines are cut in bytes: text may hold the characters at which `str.splitlines` cuts, too. An event
        without data, such as a bare `data:` line that keeps a connection open, is not an event to anybody
        (WHATWG, server-sent events, "dispatch the event").

        Raises:
            InBandError: somebody on the way sent an error.
            ValueError: an event is not JSON.
        """
        for line in self._lines.cut(piece):
            yield from self._line(line)

    def end(self) -> Iterator[Chunk]:
        """What is left: an event without its blank line, for who reads it to see that it is cut.

        Raises:
            NoAnswerError: nothing came that is an event or a document.
        """
        yield from self._line(self._lines.last())
        yield from self._line(b"")
        text = self._body.text
        document = json_of(text)
        parts = document if isinstance(document, list) else [document]
        if all(isinstance(part, Mapping) for part in parts):
            self._body.pass_over(document)
            for part in parts:
                yield from self._judged(part)
        elif not self._body.has_events:
            raise NoAnswerError(text or empty_answer(self.response), self.response.request)
        self.finish()

    def _line(self, line: bytes) -> Iterator[Chunk]:
        if line:
            value = self._body.look(line)
            if value:
                self._data.append(value)
            return
        data, self._data = b"\n".join(self._data), []
        if data.startswith(_DONE):
            self.done = True
        elif data:
            yield from self._event(data)
        self._body.look(line)

    def _event(self, data: bytes) -> Iterable[Chunk]:
        item = self._decoded(data)
        if item is _PING:
            return ()
        if (error := self._body.error()) is not None:
            raise error
        return self._judged(item)

    def _judged(self, item: Any) -> Iterable[Chunk]:
        if isinstance(item, Mapping) and self.own.isdisjoint(item):
            error = in_band(item, request=self.response.request)
            if error is not None:
                raise error
        return self.read(item)


def _decode(data: bytes) -> Any:
    """JSON as Python reads it: a half surrogate and `NaN`, which the quick decoder refuses, are read too."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return json.loads(data.decode())
