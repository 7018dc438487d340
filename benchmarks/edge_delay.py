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
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

from benchmarks.measure import Figure, Size, figure, percentile
from llm_contracts.util.child import child

_START = 0.2  # seconds within which the streams begin
_TOGETHER = 0.1
_ROUNDS = {Size.QUICK: 3, Size.FULL: 15}
_PIECES = {Size.QUICK: 60, Size.FULL: 200}
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """Streams at once, pieces of each, and seconds between two of them on average."""

    streams: int
    pieces: int
    pause: float


@dataclass(kw_only=True, slots=True)
class Round:
    """One round over one way, in milliseconds: from the provider's write to the client's read, and from the
    request to the first piece. `wrong`: pieces that are not what the provider wrote.
    """

    delays: list[float] = field(default_factory=list)
    firsts: list[float] = field(default_factory=list)
    wrong: int = 0


def run(size: Size) -> Iterable[Figure]:
    """The benchmark."""
    load = Load(streams=50, pieces=_PIECES[size], pause=0.02)
    with child(provide, load) as provider:
        upstream = provider.recv()
        with child(_edge, upstream) as edge:
            rounds = raced(upstream, edge.recv(), load, _ROUNDS[size])
            edge.send("how many?")
            kept, merged = edge.recv()
    yield from delays(rounds, "the edge", at_most={50: 1.0, 99: 5.0})
    missing = abs(kept - load.streams * load.pieces * (len(rounds) + 1))
    yield figure(
        "pieces merged, split or missing in the recording", [merged + missing], unit="pieces", at_most=0
    )


def raced(upstream: str, origin: str, load: Load, rounds: int) -> list[tuple[Round, Round]]:
    """The load straight to the provider and then through what is measured, so many times, once to warm up."""
    asyncio.run(_round(origin, load))
    return [(asyncio.run(_round(upstream, load)), asyncio.run(_round(origin, load))) for _ in range(rounds)]


def delays(
    rounds: Sequence[tuple[Round, Round]], what: str, *, at_most: Mapping[int, float | None]
) -> Iterator[Figure]:
    """What `what` adds to a piece, by percentiles, with what is promised of each."""
    for percent, most in at_most.items():
        pairs = [(percentile(one.delays, percent), percentile(two.delays, percent)) for one, two in rounds]
        name = "median piece" if percent == 50 else f"{percent}th percentile"  # noqa: PLR2004
        yield figure(f"{name}, straight", [one for one, _ in pairs], unit="ms")
        yield figure(f"{name}, added by {what}", [two - one for one, two in pairs], unit="ms", at_most=most)
        yield figure(f"{name}, through / straight", [two / one for one, two in pairs])
    firsts = [(percentile(one.firsts, 50), percentile(two.firsts, 50)) for one, two in rounds]
    yield figure("request to first piece, straight", [one for one, _ in firsts], unit="ms")
    yield figure(f"request to first piece, added by {what}", [two - one for one, two in firsts], unit="ms")
    wrong = sum(each.wrong for both in rounds for each in both)
    yield figure("pieces merged or split at the client", [wrong], unit="pieces", at_most=0)


def _event(stream: int, index: int) -> bytes:
    choice = {"index": 0, "delta": {"content": "x" * (index % 17)}, "finish_reason": None}
    data = {"stream": stream, "index": index, "sent_ns": time.monotonic_ns(), "choices": [choice]}
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def _provide(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, load: Load) -> None:
    await reader.readuntil(b"\r\n\r\n")
    chance = random.Random()  # noqa: S311 - pauses, not keys
    stream = chance.randrange(10**6)
    writer.write(_STREAM_HEAD)
    index = 0
    while index < load.pieces:
        await asyncio.sleep(chance.uniform(0, 2 * load.pause))
        count = min(2 if chance.random() < _TOGETHER else 1, load.pieces - index)
        writer.write(b"".join(_framed(_event(stream, index + step)) for step in range(count)))
        index += count
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    writer.close()


def provide(pipe: Connection, load: Load) -> None:
    """The provider's process: it lives until its parent kills it."""

    async def serve() -> None:
        server = await asyncio.start_server(lambda r, w: _provide(r, w, load), "127.0.0.1", 0, backlog=1024)
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


async def _stream(origin: str, run: Round, pieces: int) -> None:
    parts = urlsplit(origin)
    await asyncio.sleep(random.uniform(0, _START))  # noqa: S311 - a pause, not a key
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    asked = time.monotonic_ns()
    asking = f"POST {parts.path}/chat/completions HTTP/1.1"
    head = f"{asking}\r\nHost: {parts.netloc}\r\nContent-Length: 2\r\n\r\n{{}}"
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


async def _round(origin: str, load: Load) -> Round:
    run = Round()
    await asyncio.gather(*(_stream(origin, run, load.pieces) for _ in range(load.streams)))
    return run
