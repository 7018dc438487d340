"""The events of a body, in whichever framing they come: server-sent events, a line of JSON each, JSON records
behind separators (RFC 7464), the elements of one JSON array, or the binary frames of AWS. One JSON document
holds none.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import accumulate

from llm_contracts.util.json_values import as_mapping, read_json
from llm_contracts.wire.sse import Event, EventDecoder

_BLANK = b" \t\r\n"
_SEPARATOR = re.compile(r"[ \t\r\n,]*")
_RECORD = b"\x1e"
_NOT_SENT = (b"{", b"[", _RECORD)  # how bodies begin that are not event streams
_PRELUDE = 12  # bytes: the lengths of frame and headers, and their CRC
_STRING = 7  # the type of a header that holds text


def events(body: bytes) -> tuple[Event, ...]:
    """All events of a whole body."""
    readers: dict[bytes, Callable[[bytes], Iterable[Event]]]
    readers = {b"{": _lines, b"[": _elements, _RECORD: _records}
    read = _framed if is_framed(body) else readers.get(_start(body), _server_sent)
    return tuple(read(body))


def _server_sent(body: bytes) -> list[Event]:
    decoder = EventDecoder()
    return decoder.feed(body) + decoder.finish()


def take_whole(data: bytearray, piece: bytes) -> tuple[Event, ...]:
    """The events that have come whole with this last piece of the data; they are taken out of it, and of an
    array `[,` is left. None of server-sent events, nor of one document.
    """
    start = _start(data)
    if is_framed(data):
        found = tuple(_framed(bytes(data)))
    elif start == b"[":
        # Pieces of a long element are many: only one that closes something can end it.
        found = tuple(_elements(bytes(data), whole=False)) if b"}" in piece else ()
    elif start == _RECORD:
        end = max(data.rfind(_RECORD), data.rfind(b"\n") + 1)
        found = tuple(_records(bytes(data[:end])))
        if found and read_json(found[-1].data) is None:  # a line of a record of several
            found = found[:-1]
    else:
        found = _whole_lines(data)
    if found:
        data[: found[-1].end] = b"[," if start == b"[" else b""
    return found


def _whole_lines(data: bytearray) -> tuple[Event, ...]:
    first = bytes(data[: max(0, data.find(b"\n"))])
    if first.strip() and not isinstance(read_json(first), dict):  # a document, which may be long
        return ()
    found = tuple(_each_line(bytes(data[: data.rfind(b"\n") + 1])))
    return found if all(isinstance(read_json(event.data), dict) for event in found) else ()


def are_server_sent(body: bytes) -> bool:
    """Whether events of this body come as server-sent ones."""
    return _start(body) not in _NOT_SENT and not is_framed(body)


def text_of(body: bytes) -> str:
    """A document's text: UTF-8, but for JSON in UTF-16 or UTF-32, which its first bytes give away."""
    for coding in (json.detect_encoding(body[:4]), "utf-8"):
        if coding == "utf-8" or body[:16].decode(coding, "replace").lstrip("\ufeff \t\r\n")[:1] in ("{", "["):
            break
    return body.decode(coding, "replace").removeprefix("\ufeff")


def is_framed(body: bytes | bytearray) -> bool:
    """Whether these are frames of AWS's event streams: the first one's checksum says so."""
    whole = len(body) >= _PRELUDE
    return whole and zlib.crc32(body[:8]) == int.from_bytes(body[8:_PRELUDE], "big")


def _start(body: bytes | bytearray) -> bytes:
    return bytes(body[:64]).lstrip(_BLANK)[:1]


def _lines(body: bytes) -> tuple[Event, ...]:
    """JSON lines; of the last one only a piece may have come."""
    found = tuple(_each_line(body))
    are_lines = len(found) > 1 and all(isinstance(read_json(event.data), dict) for event in found[:-1])
    return found if are_lines else ()


def _each_line(body: bytes) -> Iterator[Event]:
    return _each(body.splitlines(keepends=True))


def _records(body: bytes) -> Iterator[Event]:
    """JSON texts of any number of lines; of the last one only a piece may have come."""
    first, *others = body.split(_RECORD)
    return _each([first, *(_RECORD + record for record in others)])


def _each(parts: list[bytes]) -> Iterator[Event]:
    for part, end in zip(parts, accumulate(map(len, parts)), strict=True):
        if text := part.strip(_BLANK + _RECORD):
            yield Event(data=text.decode("utf-8", "replace"), name=None, end=end)


def _elements(body: bytes, *, whole: bool = True) -> Iterator[Event]:
    """The objects of an array, as far as it came. The end of the last one is the end of a whole body."""
    text = body.decode("utf-8", "surrogateescape")
    decode = json.JSONDecoder().raw_decode
    found: list[str] = []
    start, place = 0, text.index("[") + 1
    while (place := _between(text, place)) < len(text):
        try:
            value, end = decode(text, place)
        except (ValueError, RecursionError):
            break
        if not isinstance(value, dict):
            return
        found.append(text[start:end])
        start = place = end
    ends = [*accumulate(len(piece.encode("utf-8", "surrogateescape")) for piece in found)]
    for piece, end in zip(found, [*ends[:-1], len(body)] if whole else ends, strict=False):
        yield Event(data=piece.lstrip("\ufeff \t\r\n,["), name=None, end=end)


def _between(text: str, place: int) -> int:
    """The place after blanks and a comma."""
    match = _SEPARATOR.match(text, place)
    return match.end() if match else place


def frames(body: bytes) -> Iterator[tuple[int, int, int]]:
    """Where each whole frame, its payload and, four bytes of CRC after that, the next frame begin."""
    start = 0
    while len(body) - start >= _PRELUDE and is_framed(body[start : start + _PRELUDE]):
        size, headers = (int.from_bytes(body[start + at : start + at + 4], "big") for at in (0, 4))
        payload, end = start + _PRELUDE + headers, start + size
        if size < _PRELUDE + headers or end > len(body):
            return
        yield start, payload, end
        start = end


def _framed(body: bytes) -> Iterator[Event]:
    """Whole frames; what is left after the last one belongs to none. An exception's type, or an error's code,
    stands in the headers; the event has it as `code`.
    """
    for start, payload, end in frames(body):
        names = dict(_headers(body[start + _PRELUDE : payload]))
        data = body[payload : end - 4].decode("utf-8", "replace")
        packed = as_mapping(read_json(data)).get("bytes")
        if isinstance(packed, str):
            with suppress(ValueError):
                data = base64.b64decode(packed).decode("utf-8", "replace")
        code = names.get(":exception-type", names.get(":error-code"))
        if code is not None:
            said = as_mapping(read_json(data)) or {"message": names.get(":error-message", data)}
            data = json.dumps({"code": code, **said}, ensure_ascii=False)
        yield Event(data=data, name=names.get(":event-type") if code is None else "error", end=end)


def _headers(data: bytes) -> Iterator[tuple[str, str]]:
    place = 0
    while place + 1 < len(data):
        end = place + 1 + data[place]
        if data[end : end + 1] != bytes([_STRING]):
            return
        size = int.from_bytes(data[end + 1 : end + 3], "big")
        yield (
            data[place + 1 : end].decode("utf-8", "replace"),
            data[end + 3 : end + 3 + size].decode("utf-8", "replace"),
        )
        place = end + 3 + size
