"""What the recording edge adds to each piece of 50 streams at once, and whether it keeps the pieces apart.

Three processes on loopback: a provider that stamps every piece with the clock as it sends it, the edge, and a
client that knows nothing but sockets and notes when each HTTP chunk arrived. The same load runs straight to
the provider and through the edge in turns, and every figure compares the two ways within one round. A tenth
of the pieces leave the provider in one write with the one before: they too must arrive as pieces of their
own, at the client and in the recording.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

from benchmarks.child import child
from benchmarks.measure import Figure, Size, figure, percentile

_STREAMS = 50
_PAUSE = 0.02  # seconds between two pieces of one stream, on average
_START = 0.2  # seconds within which the streams begin
_TOGETHER = 0.1
_ROUNDS = {Size.QUICK: 3, Size.FULL: 15}
_PIECES = {Size.QUICK: 60, Size.FULL: 200}
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


@dataclass(kw_only=True, slots=True)
class _Round:
    """One round over one way, in milliseconds: from the provider's write to the client's read, and from the
    request to the first piece. `wrong`: pieces that are not what the provider wrote.
    """

    delays: list[float] = field(default_factory=list)
    firsts: list[float] = field(default_factory=list)
    wrong: int = 0


def run(size: Size) -> Iterable[Figure]:
    """The benchmark."""
    pieces = _PIECES[size]
    with child(_provider, pieces) as provider:
        upstream = provider.recv()
        with child(_edge, upstream) as edge:
            origin = edge.recv()
            asyncio.run(_round(origin, pieces))
            rounds = [
                (asyncio.run(_round(upstream, pieces)), asyncio.run(_round(origin, pieces)))
                for _ in range(_ROUNDS[size])
            ]
            edge.send("how many?")
            kept, merged = edge.recv()
    yield from _delays(rounds)
    wrong = sum(each.wrong for both in rounds for each in both)
    missing = abs(kept - _STREAMS * pieces * (len(rounds) + 1))
    yield figure("pieces merged or split at the client", [wrong], unit="pieces", at_most=0)
    yield figure(
        "pieces merged, split or missing in the recording", [merged + missing], unit="pieces", at_most=0
    )


def _delays(rounds: Sequence[tuple[_Round, _Round]]) -> Iterator[Figure]:
    for percent, most in ((50, 1.0), (99, 5.0)):
        pairs = [(percentile(one.delays, percent), percentile(two.delays, percent)) for one, two in rounds]
        name = "median piece" if percent == 50 else f"{percent}th percentile"  # noqa: PLR2004
        yield figure(f"{name}, straight", [one for one, _ in pairs], unit="ms")
        yield figure(f"{name}, added by the edge", [two - one for one, two in pairs], unit="ms", at_most=most)
        yield figure(f"{name}, edge / straight", [two / one for one, two in pairs])
    firsts = [(percentile(one.firsts, 50), percentile(two.firsts, 50)) for one, two in rounds]
    yield figure("request to first piece, straight", [one for one, _ in firsts], unit="ms")
    yield figure("request to first piece, added by the edge", [two - one for one, two in firsts], unit="ms")


def _event(stream: int, index: int) -> bytes:
    choice = {"index": 0, "delta": {"content": "x" * (index % 17)}, "finish_reason": None}
    data = {"stream": stream, "index": index, "sent_ns": time.monotonic_ns(), "choices": [choice]}
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def _provide(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pieces: int) -> None:
    await reader.readuntil(b"\r\n\r\n")
    chance = random.Random()  # noqa: S311 - pauses, not keys
    stream = chance.randrange(10**6)
    writer.write(_STREAM_HEAD)
    index = 0
    while index < pieces:
        await asyncio.sleep(chance.uniform(0, 2 * _PAUSE))
        count = min(2 if chance.random() < _TOGETHER else 1, pieces - index)
        writer.write(b"".join(_framed(_event(stream, index + step)) for step in range(count)))
        index += count
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    writer.close()


def _provider(pipe: Connection, pieces: int) -> None:
    """The provider's process: it lives until its parent kills it."""

    async def serve() -> None:
        server = await asyncio.start_server(lambda r, w: _provide(r, w, pieces), "127.0.0.1", 0, backlog=1024)
        pipe.send(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await server.serve_forever()

    asyncio.run(serve())


def _edge(pipe: Connection, upstream: str) -> None:
    """The edge's process: says where it is; when asked, how many pieces it kept, how many no events."""
    from llm_contracts.wire.proxy.server import Edge
    from llm_contracts.wire.scrub import Scrubber

    with (
        Edge() as edge,
        edge.record(upstream=upstream, public="https://api.example", scrubber=Scrubber({})) as session,
    ):
        pipe.send(session.origin)
        pipe.recv()
        kept = merged = 0
        for interaction in session.interactions():
            body, at = interaction.response.body, 0
            for piece in interaction.response.pieces or ():
                kept += 1
                merged += not _is_event(body[at : at + piece.size])
                at += piece.size
        pipe.send((kept, merged))


def _is_event(data: bytes) -> bool:
    return data.startswith(b"data: ") and data.endswith(b"\n\n") and data.count(b"\n\n") == 1


async def _stream(origin: str, run: _Round, pieces: int) -> None:
    parts = urlsplit(origin)
    await asyncio.sleep(random.uniform(0, _START))  # noqa: S311 - a pause, not a key
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    asked = time.monotonic_ns()
    head = f"POST {parts.path}/v1/chat HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 2\r\n\r\n{{}}"
    writer.write(head.encode())
    await reader.readuntil(b"\r\n\r\n")
    arrived: list[int] = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        data = await reader.readexactly(size + 2)
        now = time.monotonic_ns()
        if not _is_event(data[:-2]):
            run.wrong += 1
            continue
        run.delays.append((now - json.loads(data[len(b"data: ") :])["sent_ns"]) / 1e6)
        arrived.append(now)
    run.firsts.append((arrived[0] - asked) / 1e6)
    run.wrong += pieces - len(arrived)
    writer.close()


async def _round(origin: str, pieces: int) -> _Round:
    run = _Round()
    await asyncio.gather(*(_stream(origin, run, pieces) for _ in range(_STREAMS)))
    return run


if __name__ == "__main__":
    from benchmarks.__main__ import main

    main(["edge_delay", *sys.argv[1:]])
