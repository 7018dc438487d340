"""Server-sent events: bytes to events, incrementally and without I/O.

The rules are those of the WHATWG event-stream format, with one exception that every LLM client makes too or
has users ask for: an event that the connection's end cut off before its blank line still counts, in `finish`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LINE_END = re.compile(rb"\r\n|\n|\r")
"""What ends a line of an event stream."""
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One event. `end` is the byte offset in the body just after it, its blank line included."""

    data: str
    name: str | None
    end: int


class EventDecoder:
    """Feed it pieces of a body, cut anywhere; the events are the same for every way of cutting.

    A carriage return at the end of a piece is held back until the next byte is known, because it may be the
    first half of a line end.
    """

    def __init__(self) -> None:
        self._line: list[bytes] = []  # what has come of it; joined once, so that a long line costs no more
        self._held = b""
        self._offset = 0
        self._first_line = True
        self._data: list[str] = []
        self._name: str | None = None

    def feed(self, piece: bytes) -> list[Event]:
        """Take the next piece; gives the events that it completes."""
        piece = self._held + piece
        self._held = b"\r" if piece.endswith(b"\r") else b""
        return self._take(piece.removesuffix(b"\r"))

    def finish(self) -> list[Event]:
        """The body is over: gives the event that lacked its blank line, if there is one."""
        held, self._held = self._held, b""
        found, rest = self._take(held), self._whole(b"")
        self._offset += len(rest)
        return found + (self._read_line(rest) if rest else []) + self._dispatch()

    def _take(self, piece: bytes) -> list[Event]:
        found: list[Event] = []
        start = 0
        for match in LINE_END.finditer(piece):
            line = self._whole(piece[start : match.start()])
            self._offset += len(line) + len(match.group())
            found += self._read_line(line)
            start = match.end()
        if start < len(piece):
            self._line.append(piece[start:])
        return found

    def _whole(self, end: bytes) -> bytes:
        if not self._line:
            return end
        line = b"".join((*self._line, end))
        self._line.clear()
        return line

    def _read_line(self, line: bytes) -> list[Event]:
        if self._first_line:
            self._first_line = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        field, _, value = line.partition(b":")
        text = value.removeprefix(b" ").decode("utf-8", "replace")
        if field == b"data":
            self._data.append(text)
        elif field == b"event":
            self._name = text
        return []

    def _dispatch(self) -> list[Event]:
        data, name = self._data, self._name
        self._data, self._name = [], None
        return [Event(data="\n".join(data), name=name or None, end=self._offset)] if data else []
