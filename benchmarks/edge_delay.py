"""What the recording edge adds to each piece of a stream, and whether it keeps the pieces apart.

Three processes on loopback: a provider that stamps every piece with the clock as it sends it, the edge, and a
client that knows nothing but sockets and notes when each HTTP chunk arrived. The same streams run straight to
the provider and through the edge in turns, so that whatever else the machine does weighs on both.

    python -m benchmarks.edge_delay [--streams 50] [--pieces 60] [--pause-ms 20] [--rounds 3] [--json FILE]

Exits with 1 when a piece was merged or split on its way to the client or into the recording, or when the
added delay is 1 ms or more at the median or 5 ms or more at the 99th percentile.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import random
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_MEDIAN_LIMIT_MS = 1.0
_P99_LIMIT_MS = 5.0
_TOGETHER = 0.1  # the share of pieces that leave in one write with the one before
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """How much runs at once: `pause_ms` is the mean time between two pieces of one stream."""

    streams: int
    pieces: int
    pause_ms: float
    rounds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Delays:
    """Milliseconds from the provider's write to the client's read; `first`: from request to first piece."""

    median: float
    p99: float
    worst: float
    first: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """Both ways side by side. The numbers of pieces that are not what the provider wrote should be 0."""

    load: Load
    direct: Delays
    edge: Delays
    added_median: float
    added_p99: float
    wrong_at_the_client: int
    wrong_in_the_recording: int

    @property
    def passed(self) -> bool:
        """Whether the promise holds."""
        quick = self.added_median < _MEDIAN_LIMIT_MS and self.added_p99 < _P99_LIMIT_MS
        return quick and not self.wrong_at_the_client and not self.wrong_in_the_recording


@dataclass(kw_only=True, slots=True)
class _Run:
    """One round over one way: the delay of each piece, of each first one, and the sizes as they came."""

    delays: list[float]
    firsts: list[float]
    wrong: int


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
        await asyncio.sleep(chance.uniform(0, 2 * load.pause_ms / 1000))
        count = min(2 if chance.random() < _TOGETHER else 1, load.pieces - index)
        writer.write(b"".join(_framed(_event(stream, index + step)) for step in range(count)))
        index += count
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    writer.close()


def _provider(pipe: Connection, load: Load) -> None:
    """The provider's process: it lives until its parent kills it."""

    async def serve() -> None:
        server = await asyncio.start_server(lambda r, w: _provide(r, w, load), "127.0.0.1", 0, backlog=1024)
        pipe.send(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await server.serve_forever()

    asyncio.run(serve())


def _edge(pipe: Connection, upstream: str) -> None:
    """The edge's process: says where it is; when asked, how many pieces of the recording are not events."""
    from llm_contracts.wire.edge import Edge
    from llm_contracts.wire.scrub import Scrubber

    with (
        Edge() as edge,
        edge.record(upstream=upstream, public="https://api.example", scrubber=Scrubber({})) as session,
    ):
        pipe.send(session.origin)
        pipe.recv()
        wrong = 0
        for interaction in session.interactions():
            body, at = interaction.response.body, 0
            for piece in interaction.response.pieces or ():
                wrong += not _is_event(body[at : at + piece.size])
                at += piece.size
        pipe.send((len(session.interactions()), wrong))


def _is_event(data: bytes) -> bool:
    return data.startswith(b"data: ") and data.endswith(b"\n\n") and data.count(b"\n\n") == 1


async def _stream(origin: str, run: _Run, load: Load) -> None:
    parts = urlsplit(origin)
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
        event = json.loads(data[len(b"data: ") :])
        run.delays.append((now - event["sent_ns"]) / 1e6)
        run.wrong += event["index"] != len(arrived)
        arrived.append(now)
    run.firsts.append((arrived[0] - asked) / 1e6)
    run.wrong += len(arrived) != load.pieces
    writer.close()


async def _round(origin: str, load: Load) -> _Run:
    run = _Run(delays=[], firsts=[], wrong=0)
    await asyncio.gather(*(_stream(origin, run, load) for _ in range(load.streams)))
    return run


def _summary(runs: Sequence[_Run]) -> Delays:
    delays = sorted(delay for run in runs for delay in run.delays)
    firsts = sorted(first for run in runs for first in run.firsts)
    at = _percentile
    return Delays(median=at(delays, 0.5), p99=at(delays, 0.99), worst=delays[-1], first=at(firsts, 0.5))


def _percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@contextmanager
def _process(target: Callable[..., None], *args: Any) -> Iterator[Connection]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=target, args=(theirs, *args), daemon=True)
    process.start()
    try:
        yield ours
    finally:
        process.terminate()
        process.join()


def measure(load: Load) -> Report:
    """Run the load over both ways in turns."""
    direct: list[_Run] = []
    through: list[_Run] = []
    with _process(_provider, load) as provider:
        upstream = provider.recv()
        with _process(_edge, upstream) as edge:
            origin = edge.recv()
            asyncio.run(_round(origin, Load(streams=5, pieces=load.pieces, pause_ms=1, rounds=1)))
            for _ in range(load.rounds):
                direct.append(asyncio.run(_round(upstream, load)))
                through.append(asyncio.run(_round(origin, load)))
            edge.send("how many?")
            kept, wrong = edge.recv()
    straight, edged = _summary(direct), _summary(through)
    return Report(
        load=load,
        direct=straight,
        edge=edged,
        added_median=edged.median - straight.median,
        added_p99=edged.p99 - straight.p99,
        wrong_at_the_client=sum(run.wrong for run in (*direct, *through)),
        wrong_in_the_recording=wrong + abs(kept - load.streams * load.rounds - 5),
    )


def table(report: Report) -> str:
    """The report for a terminal."""
    load = report.load
    rows = [f"{'ms':10}{'direct':>10}{'edge':>10}{'added':>10}{'ratio':>8}"]
    for name in ("median", "p99", "worst", "first"):
        one, two = getattr(report.direct, name), getattr(report.edge, name)
        rows.append(f"{name:10}{one:10.3f}{two:10.3f}{two - one:10.3f}{two / one:8.2f}")
    pieces = load.streams * load.pieces * load.rounds
    rows.append(
        f"{load.streams} streams at once, {pieces} pieces each way; not as the provider wrote them: "
        f"{report.wrong_at_the_client} at the client, {report.wrong_in_the_recording} in the recording"
    )
    rows.append("passed" if report.passed else "FAILED (limits: added median < 1 ms, added p99 < 5 ms)")
    return "\n".join(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--pieces", type=int, default=60)
    parser.add_argument("--pause-ms", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args(arguments)
    report = measure(
        Load(streams=given.streams, pieces=given.pieces, pause_ms=given.pause_ms, rounds=given.rounds)
    )
    sys.stdout.write(table(report) + "\n")
    if given.json:
        document = {"benchmark": "edge_delay", **asdict(report), "passed": report.passed}
        given.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
