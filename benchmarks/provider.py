"""A provider in a process of its own, so that its work is not counted among that of the clients.

It answers with a recorded stream, made as long as asked: the path's first part says how many chunks and how
many milliseconds between two of them (`/1000x0/v1` is a thousand, as quickly as they are taken), and, if it
has a third number, how many go in one piece. What is asked at `/refused/v1` is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.child import serving
from llm_contracts.cost.stream import Playable
from llm_contracts.wire.cassette import load

RECORDED = Path(__file__).resolve().parents[1] / "cassettes" / "openai" / "plain-stream.yaml"
_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: keep-alive\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
_ERROR = b'{"error": {"message": "No.", "type": "invalid_request_error", "code": "no"}}'
_REFUSED = b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
    len(_ERROR),
    _ERROR,
)


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
            target = line.split()[1].decode()
            await reader.readexactly(await _length(reader))
            await _answer(writer, target)
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


async def _answer(writer: asyncio.StreamWriter, target: str) -> None:
    form = target.split("/")[1]
    if form == "refused":
        writer.write(_REFUSED)
        return
    chunks, pause, at_once = map(int, f"{form}x1".split("x")[:3])
    writer.write(_HEAD)
    for together in batched(events(chunks), at_once):
        piece = b"".join(together)
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        if pause:
            await asyncio.sleep(pause / 1000)
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    await writer.drain()
