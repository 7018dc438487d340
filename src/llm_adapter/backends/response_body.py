"""What of a response's body the SDK's stream reader does not see, or cannot read.

The reader passes over every line that is not part of a server-sent event. So a page, a whole completion, JSON
lines and an error without a frame are all a stream without events to it, which ends as an empty answer. Here
the bytes are looked at on their way to the reader.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from llm_adapter.backends import Rest
from llm_adapter.failures import InBandError, NoAnswerError, in_band

LINE_END = re.compile(rb"\r\n|\n|\r")
BOM = b"\xef\xbb\xbf"
_LARGEST = 16 * 2**20
"""Bytes outside of events that are looked at: a whole completion fits in, a download does not."""

# Fields of an event that say nothing about a chat's chunk. A block of these alone is an event without data to
# the SDK, which fails to decode it.
CONTROL = (b":", b"event:", b"id:", b"retry:")

_ERRORS = {b"error", b"exception"}
_PING = re.compile(rb"\W*(ping|pong|keep-?alive|heartbeat)\W*", re.IGNORECASE)


@dataclass(slots=True)
class Lines:
    """Cuts pieces into lines; they end in LF, CRLF or CR alike. A BOM before the first is not part of it.

    Attributes:
        rest: the beginning of a line whose end has not come.
    """

    rest: bytes = b""
    _after_cr: bool = False
    _begun: bool = False

    def cut(self, piece: bytes) -> list[bytes]:
        """The lines that this piece completes. A CR ends one at once; an LF that follows it belongs to it."""
        if not piece:
            return []
        fresh = piece.removeprefix(b"\n") if self._after_cr else piece
        self._after_cr = piece.endswith(b"\r")
        text = self.rest + fresh
        *lines, self.rest = LINE_END.split(text) if b"\r" in text else text.split(b"\n")
        if lines and not self._begun:
            self._begun, lines[0] = True, lines[0].removeprefix(BOM)
        return lines

    def last(self) -> bytes:
        """What stands there at the end without a line end."""
        return self.rest if self._begun else self.rest.removeprefix(BOM)


@dataclass(slots=True)
class ResponseBody:
    """What in one response's body is not a chunk: errors by their name, and all that is outside of events.

    Attributes:
        response: the HTTP response, as httpx and httpx2 have it.
        strange: the first event that is not a chunk.
        has_events: an event with data has come.
        error_line: the last line on its way to another reader that has an `error` in it.
    """

    response: Any
    strange: str = ""
    has_events: bool = False
    error_line: bytes = b""
    _lines: Lines = field(default_factory=Lines)
    _event: bytes = b""
    _data: list[bytes] = field(default_factory=list)
    _error_event: list[bytes] = field(default_factory=list)
    _unframed: list[bytes] = field(default_factory=list)
    _size: int = 0

    def note(self, piece: bytes) -> None:
        """Look at a piece on its way to another reader."""
        for line in self._lines.cut(piece):
            self.look(line)
            if b'"error"' in line:
                self.error_line = line

    def note_end(self) -> None:
        """Look at what is left when no piece will come."""
        self.look(self._lines.last())

    def look(self, line: bytes) -> bytes:
        """Note a line; what it gives to the data of an event, which may be nothing."""
        if line.startswith(b"data:"):
            value = line[5:].strip()
            if value:
                self.has_events = True
                self._data.append(value)
            return value
        if not line:
            if self._event:
                self._error_event = self._error_event or self._error_data()
                self._event = b""
            self._data = []
        elif line.startswith(CONTROL):
            if line.startswith(b"event:"):
                self._event = line[6:].strip().lower()
        elif line.startswith(BOM):
            return self.look(line.removeprefix(BOM))
        elif self._size < _LARGEST:
            self._size += len(line)
            self._unframed.append(line)
        return b""

    def error(self) -> InBandError | None:
        """The error that came as an event named so, or in a field named so."""
        words = b"\n".join(self._error_event or self._error_data()) or next(
            (line.partition(b":")[2] for line in self._unframed if line.startswith(b"error:")), b""
        )
        if not words:
            return None
        text = words.decode(errors="replace").strip()
        request = self.response.request
        return in_band(json_of(text), request=request) or InBandError(json_of(text) or text, request)

    def _error_data(self) -> list[bytes]:
        """The data of the present event if that is an error; its fields may come in any order."""
        return self._data if self._event in _ERRORS else []

    def is_ping(self, data: bytes) -> bool:
        """Whether the data of an event, which are not JSON, only keep the connection open."""
        return self._event == b"ping" or _PING.fullmatch(data) is not None

    def pass_over(self, item: Any) -> None:
        """Remember an event that is neither a chunk nor an error: who finds no answer may want to know it."""
        if not (self.strange or (isinstance(item, Mapping) and (item.get("choices") or item.get("usage")))):
            self.strange = json.dumps(item, ensure_ascii=False)

    def documents(self) -> Iterator[Any]:
        """The chunks or the whole completion that stand in the body without being events.

        Raises:
            InBandError: there is an error among them, or outside of the events.
            NoAnswerError: it is something else, or nothing.
        """
        answered = self.has_events
        for item in _objects(self.text):
            error = in_band(item, request=self.response.request)
            if error is not None:
                raise error
            if not self.has_events:
                answered = answered or bool(item.get("choices"))
                yield item
        if not answered:
            raise NoAnswerError(self.text or empty_answer(self.response), self.response.request)

    def rest(self) -> Rest:
        """What was read and is not part of an answer."""
        text = self.text
        lines = text.splitlines() if not self.has_events and json_of(text) is None else []
        broken = next(
            (each for each in lines if each.strip(" ,[]") not in {"", "DONE"} and not json_of(each)), ""
        )
        return Rest(unframed=text if self.has_events else broken, strange=self.strange)

    @property
    def text(self) -> str:
        """What stands outside of events; bytes that are not text are not shown as if they were."""
        unframed = b"\n".join(self._unframed)
        try:
            return unframed.decode().strip()
        except UnicodeDecodeError:
            text = unframed.decode(errors="replace").strip()
        coding = self.response.headers.get("content-encoding") or "none"
        return (
            text
            if text.isprintable()
            else f"{self._size} bytes that are not text (content encoding: {coding})"
        )


def empty_answer(response: Any) -> str:
    """What there is to say of a body without anything."""
    kind = response.headers.get("content-type") or "no content type"
    return f"an empty body (HTTP {response.status_code}, {kind})"


def json_of(text: str) -> Any:
    """Decoded JSON, or None."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def _objects(text: str) -> Iterator[Mapping[str, Any]]:
    """The objects of a JSON document, which may be a list of them, or of JSON lines."""
    whole = json_of(text)
    documents = [json_of(line) for line in text.splitlines()] if whole is None else [whole]
    for document in documents:
        yield from (
            item
            for item in (document if isinstance(document, list) else [document])
            if isinstance(item, Mapping)
        )
