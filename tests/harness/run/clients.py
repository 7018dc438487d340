"""Small clients with known faults, over the standard library: a sweep must notice each of them."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from llm_contracts.clients.call import Call
from llm_contracts.wire.sse import Event, EventDecoder

Pieces = Iterator[bytes]
Reader = Callable[[Pieces], Iterator[str]]


class ProviderError(Exception):
    """The provider said that it failed."""

    category = "server"


class ConnectionBrokenError(Exception):
    """The answer is not whole."""

    category = "connection"


def client(reader: Reader, *, believes_ends: bool = False, deaf: bool = False) -> Callable[[Call], Any]:
    """A path that makes the data of events of pieces by `reader`.

    Args:
        reader: what it makes of the pieces.
        believes_ends: whether it takes a connection that breaks for the end of the answer.
        deaf: whether it passes over error events and statuses.
    """

    def path(call: Call) -> Iterator[Any]:
        for data in reader(_pieces(call, believes_ends=believes_ends, deaf=deaf)):
            if data == "[DONE]":
                return
            chunk = json.loads(data)
            if "error" not in chunk:
                yield chunk
            elif not deaf:
                raise ProviderError(chunk["error"]["message"])

    return path


def _pieces(call: Call, *, believes_ends: bool, deaf: bool) -> Pieces:
    address = urlsplit(call.base_url)
    body = json.dumps({"model": call.model, "messages": list(call.messages), "stream": True})
    headers = {"Authorization": f"Bearer {call.api_key}"}
    wait = float(call.params.get("timeout", 10))
    with closing(http.client.HTTPConnection(address.netloc, timeout=wait)) as connection:
        try:
            connection.request("POST", f"{address.path}/chat/completions", body, headers)
            response = connection.getresponse()
            if response.status != 200 and not deaf:
                raise ProviderError(f"status {response.status}")
            while piece := response.read1():
                yield piece
        except (OSError, http.client.HTTPException) as error:
            if not believes_ends:
                raise ConnectionBrokenError(type(error).__name__) from error


def properly(pieces: Pieces) -> Iterator[str]:
    """As the standard says. An event with nothing in it is one, and says nothing."""
    decoder = EventDecoder()
    yield from (event.data for event in _events(decoder, pieces) if event.data)


def _events(decoder: EventDecoder, pieces: Pieces) -> Iterator[Event]:
    for piece in pieces:
        yield from decoder.feed(piece)
    yield from decoder.finish()


def replacing_halves_of_characters(pieces: Pieces) -> Iterator[str]:
    """Decodes each piece by itself."""
    yield from properly(piece.decode("utf-8", "replace").encode() for piece in pieces)


def a_piece_an_event(pieces: Pieces) -> Iterator[str]:
    """Believes that each piece is one event, as it mostly is."""
    for piece in pieces:
        if piece.startswith(b"data: {"):
            yield piece.removeprefix(b"data: ").decode("utf-8", "replace").split("\n")[0].rstrip("\r")


def line_feeds_alone(pieces: Pieces) -> Iterator[str]:
    """Splits events where two line feeds are, and knows no CRLF."""
    for part in b"".join(pieces).split(b"\n\n"):
        if part.startswith(b"data: "):
            yield part.removeprefix(b"data: ").decode().split("\r")[0]


def no_mark(pieces: Pieces) -> Iterator[str]:
    """Takes a byte order mark for a part of the first line, which is no field then."""
    yield from properly(piece.replace(b"\xef\xbb\xbf", b"\xef\xbb\xbf" * 2) for piece in pieces)


def whatever_it_is(pieces: Pieces) -> Iterator[str]:
    """Takes an event with nothing in it for one with data."""
    yield from (event.data for event in _events(EventDecoder(), pieces))


def each_block(pieces: Pieces) -> Iterator[str]:
    """Takes each block for an event, though some have control fields alone."""
    for part in re.split(rb"\r\n\r\n|\n\n|\r\r", b"".join(pieces)):
        if part:
            yield part.partition(b"data: ")[2].decode()


def first_lines(pieces: Pieces) -> Iterator[str]:
    """Looks at the first line of each event only: comments before the data hide it."""
    for part in re.split(rb"\r\n\r\n|\n\n|\r\r", b"".join(pieces)):
        if part.startswith(b"data: "):
            yield part.removeprefix(b"data: ").decode()


def with_a_made_up_end(reader: Reader) -> Reader:
    """Ends every answer with a finish reason, also those of which a half never came."""

    def read(pieces: Pieces) -> Iterator[str]:
        finished = False
        for data in reader(pieces):
            if data != "[DONE]":
                finished = finished or '"finish_reason": "stop"' in data
                yield data
        if not finished:
            yield json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})

    return read


def each_once(pieces: Pieces) -> Iterator[str]:
    """Takes equal events for repetitions, and drops them."""
    seen: set[str] = set()
    for data in properly(pieces):
        if data not in seen:
            seen.add(data)
            yield data


def skipping_what_is_no_json(pieces: Pieces) -> Iterator[str]:
    """Passes over events that it cannot read."""
    for data in properly(pieces):
        try:
            json.loads(data)
        except ValueError:
            continue
        yield data
