"""A provider in a process of its own, so that its work is not counted among that of the clients.

The path's first part says how. `/1000x0/v1`: with a recorded stream of a thousand chunks, no milliseconds
between two of them; a third number is how many go in one piece. `refused`, `refusal`, `document`, `packed`:
with one document. `complete`, `cut`, `reset`, `silent`, `endless`: with twenty events that end so.
"""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.measure import serving
from llm_contracts.cost.stream import Playable
from llm_contracts.wire.cassette import load

RECORDED = Path(__file__).resolve().parents[1] / "cassettes" / "openai" / "plain-stream.yaml"
EVENT = b'data: {"choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": null}]}\n\n'
_EVENTS = 20
_DONE = b"data: [DONE]\n\n"
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_END = b"0\r\n\r\n"


def _document(status: bytes, body: bytes, *headers: bytes) -> bytes:
    lines = (b"content-type: application/json", b"content-length: %d" % len(body), *headers)
    return b"\r\n".join((b"HTTP/1.1 " + status, *lines, b"", body))


_DOCUMENTS: Mapping[str, bytes] = {
    "refused": _document(
        b"400 Bad Request", b'{"error": {"message": "No.", "type": "invalid_request_error", "code": "no"}}'
    ),
    "refusal": _document(b"429 Too Many Requests", b'{"error": {}}'),
    "document": _document(b"200 OK", b'{"data": []}'),
    "packed": _document(b"200 OK", gzip.compress(EVENT * _EVENTS + _DONE), b"content-encoding: gzip"),
}


def provider() -> AbstractContextManager[str]:
    """Where it can be reached, while it runs."""
    return serving(_main)


@cache
def events(chunks: int) -> tuple[bytes, ...]:
    """The recorded stream with so many chunks of text: those in its middle come again and again."""
    playable = Playable.of(load(RECORDED).interactions)
    assert playable is not None
    body = playable.with_chunks(chunks)[-1].response.body
    return tuple(event + b"\n\n" for event in body.split(b"\n\n") if event.strip())


def _main(pipe: Connection) -> None:
    asyncio.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    server = await asyncio.start_server(_connection, "127.0.0.1", 0, backlog=1024)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


async def _connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while line := await reader.readline():
            form = line.split()[1].decode().split("/")[1]
            await reader.readexactly(await _length(reader))
            if form in _DOCUMENTS:
                writer.write(_DOCUMENTS[form])
            elif form[0].isdigit():
                await _recorded(writer, form)
            else:
                await _ending(reader, writer, form)
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass  # the client has left
    finally:
        writer.close()


async def _length(reader: asyncio.StreamReader) -> int:
    length = 0
    while (line := await reader.readline()) not in {b"\r\n", b""}:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return length


def batched(events: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    """So many at a time."""
    return (events[at : at + size] for at in range(0, len(events), size))


async def _recorded(writer: asyncio.StreamWriter, form: str) -> None:
    chunks, pause, at_once = map(int, f"{form}x1".split("x")[:3])
    writer.write(_HEAD)
    for together in batched(events(chunks), at_once):
        writer.write(_framed(b"".join(together)))
        if pause:
            await asyncio.sleep(pause / 1000)
        await writer.drain()
    writer.write(_END)


async def _ending(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, form: str) -> None:
    writer.write(_HEAD)
    for _ in count() if form == "endless" else range(_EVENTS):
        writer.write(_framed(EVENT))
        await writer.drain()
        await asyncio.sleep(0.001)
    if form == "complete":
        writer.write(_framed(_DONE) + _END)
        return
    writer.write(_framed(EVENT[:40]))
    await writer.drain()
    if form == "silent":
        await reader.read(1)  # until the other side has had enough
    elif form == "reset":
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
    raise ConnectionAbortedError


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
