"""Thousands of streams through recording and replay: is anything left behind?

    python -m benchmarks.soak [--streams 10000] [--jobs 16] [--json FILE]

Every way in which an exchange can end takes its turn. After half of the streams, and again at the end, it
counts what the process holds: file descriptors, threads, the edge's tasks and sessions, memory. The counts
must be the same again, and memory must not grow by more than 8 MiB; else it exits with 1. (In the first
thousands memory does grow: the allocator keeps what sixteen threads need at their worst moment.)
"""

from __future__ import annotations

import gc
import gzip
import http.client
import json
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

import click
import psutil

from benchmarks.child import serving
from llm_contracts.wire.interaction import End, Interaction
from llm_contracts.wire.proxy.playback_options import PlaybackOptions
from llm_contracts.wire.proxy.server import Edge
from llm_contracts.wire.scrub import Scrubber

_PUBLIC = "https://api.example.com"
_EVENT = b'data: {"choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": null}]}\n\n'
_EVENTS = 20
_WHOLE = _EVENT * _EVENTS + b"data: [DONE]\n\n"
_STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_JSON = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n%s\r\n%s"
_SILENCE = 0.2  # seconds without a byte after which a provider counts as silent
_SETTLING = 10.0  # seconds that connections get to close after the last stream
_MOST_GROWTH = 8.0  # MiB
_TIMEOUT = 120.0  # of many streams at once some are slow


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """What a process holds on to. `memory`: resident, in MiB; it takes no part in comparisons of counts."""

    descriptors: int
    threads: int
    tasks: int
    sessions: int
    memory: float

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """All but memory, which goes up and down."""
        return self.descriptors, self.threads, self.tasks, self.sessions


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What was held after warming up and at the end, and what did not go as it should."""

    streams: int
    seconds: float
    before: Held
    after: Held
    wrong: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing was left behind, and every stream went as it should."""
        grown = self.after.memory - self.before.memory
        return not self.wrong and self.after.counts == self.before.counts and grown <= _MOST_GROWTH


def soak(streams: int, *, jobs: int, progress: Callable[[int], None] = lambda _done: None) -> Report:
    """Send so many streams through, `jobs` at a time. Each is recorded, and then replayed."""
    with serving(provide) as upstream, Edge() as edge, ThreadPoolExecutor(jobs) as pool:
        started, done = time.monotonic(), count(1)

        def one(index: int) -> str:
            problem = _through(edge, upstream, *_CASES[index % len(_CASES)])
            progress(next(done))
            return problem

        warming = max(len(_CASES) * jobs, streams // 2)
        wrong = list(pool.map(one, range(warming)))
        before = _settled(edge, None)
        wrong += pool.map(one, range(warming, streams))
        after = _settled(edge, before)
        return Report(
            streams=streams,
            seconds=round(time.monotonic() - started, 1),
            before=before,
            after=after,
            wrong=tuple(sorted({problem for problem in wrong if problem})),
        )


def _through(edge: Edge, upstream: str, name: str, requests: int, end: End) -> str:
    """Record one case and replay it; what went wrong, or nothing."""
    to = _closed_port() if end is End.REFUSED else upstream
    patience = _SILENCE if end is End.TIMEOUT else _TIMEOUT
    with edge.record(upstream=to, public=_PUBLIC, scrubber=Scrubber({}), timeout=patience) as session:
        for _ in range(requests):
            first = _ask(session.origin, name, leave=end is End.CLIENT_LEFT)
        recorded = session.interactions()
    ends = [interaction.response.end for interaction in recorded]
    if ends != [end] * requests:
        return f"{name}: recorded as {', '.join(ends)}"
    return _replayed(edge, recorded, name, first)


def _replayed(edge: Edge, recorded: Sequence[Interaction], name: str, recorded_answer: bytes) -> str:
    with edge.replay(recorded, PlaybackOptions(silence=0.01)) as session:
        answers = [_ask(session.origin, name, leave=False) for _ in recorded]
    body, answer = recorded[-1].response.body, answers[-1]
    if answer.startswith(b"\x1f\x8b"):
        answer = gzip.decompress(answer)
    if body and body != answer:
        return f"{name}: replayed {len(answer)} bytes of {len(body)}, after {len(recorded_answer)}"
    return ""


def _ask(origin: str, name: str, *, leave: bool) -> bytes:
    """The answer's body as far as it comes."""
    parts, answer = urlsplit(origin), b""
    connection = http.client.HTTPConnection(parts.netloc, timeout=_TIMEOUT)
    with closing(connection), suppress(OSError, http.client.HTTPException):
        connection.request("POST", f"{parts.path}/{name}", b"{}")
        response = connection.getresponse()
        while data := response.read1(65536):
            answer += data
            if leave and _EVENT in answer:
                break
    return answer


def _closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def _settled(edge: Edge, wanted: Held | None) -> Held:
    """What is held when the last connections have closed; without a goal, when it no longer changes."""
    held, deadline = _held(edge), time.monotonic() + _SETTLING
    while time.monotonic() < deadline:
        time.sleep(0.3)
        last, held = held, _held(edge)
        if held.counts == (last if wanted is None else wanted).counts:
            break
    return held


def _held(edge: Edge) -> Held:
    gc.collect()
    process = psutil.Process()
    sessions, tasks = edge.census()
    return Held(
        descriptors=process.num_fds(),
        threads=threading.active_count(),
        tasks=tasks,
        sessions=sessions,
        memory=round(process.memory_info().rss / 2**20, 1),
    )


_CASES: Sequence[tuple[str, int, End]] = (
    ("complete", 1, End.COMPLETE),
    ("cut", 1, End.CUT),
    ("reset", 1, End.RESET),
    ("document", 2, End.COMPLETE),
    ("refusal", 2, End.COMPLETE),
    ("packed", 1, End.COMPLETE),
    ("endless", 1, End.CLIENT_LEFT),
    ("silent", 1, End.TIMEOUT),
    ("nobody", 1, End.REFUSED),
)


def provide(pipe: Connection) -> None:
    """A server whose path says how its answers end: see `_play`."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    pipe.send(listener.getsockname()[1])
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_serve, args=(connection,), daemon=True).start()


def _serve(connection: socket.socket) -> None:
    with connection, suppress(OSError):
        while asked := connection.recv(65536):
            while b"\r\n\r\n" not in asked:
                asked += connection.recv(65536)
            head, _, body = asked.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
            while len(body) < int(length[1] if length else 0):
                body += connection.recv(65536)
            _play(connection, head.split()[1].decode().strip("/").partition("/")[0])


def _play(connection: socket.socket, name: str) -> None:
    send = connection.sendall
    if name == "document":
        send(_JSON % (b"200 OK", len(b'{"data": []}'), b"", b'{"data": []}'))
    elif name == "refusal":
        send(_JSON % (b"429 Too Many Requests", len(b'{"error": {}}'), b"", b'{"error": {}}'))
    elif name == "packed":
        packed = gzip.compress(_WHOLE)
        send(_JSON % (b"200 OK", len(packed), b"content-encoding: gzip\r\n", packed))
    else:
        send(_STREAM)
        _stream(connection, name)


def _stream(connection: socket.socket, name: str) -> None:
    for _ in count() if name == "endless" else range(_EVENTS):
        connection.sendall(_chunk(_EVENT))
        time.sleep(0.001)
    if name == "complete":
        connection.sendall(_chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
        return
    connection.sendall(_chunk(_EVENT[:40]))
    if name == "silent":
        connection.recv(1)  # until the other side has had enough
    elif name == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


@click.command(help=(__doc__ or "").partition("\n")[0])
@click.option("--streams", type=click.IntRange(min=1), default=10_000, show_default=True)
@click.option("--jobs", type=click.IntRange(min=1), default=16, show_default=True)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
def main(streams: int, jobs: int, json_file: Path | None) -> None:
    """Run it, print what was held, and fail where anything was left behind."""
    report = soak(streams, jobs=jobs, progress=lambda done: _shown(done, streams))
    click.echo(f"{report.streams} streams recorded and replayed in {report.seconds:.0f} s", err=True)
    for name in ("descriptors", "threads", "tasks", "sessions", "memory"):
        unit = " MiB" if name == "memory" else ""
        click.echo(f"{name:12} {getattr(report.before, name)} → {getattr(report.after, name)}{unit}")
    for problem in report.wrong:
        click.echo(f"WRONG {problem}")
    if json_file is not None:
        document = {"format": 1, **asdict(report), "passed": report.passed}
        json_file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    click.echo("passed" if report.passed else "FAILED")
    sys.exit(not report.passed)


def _shown(done: int, streams: int) -> None:
    if sys.stderr.isatty() or done % (max(1, streams // 10)) == 0:
        click.echo(f"\r{done:,} of {streams:,}", nl=not sys.stderr.isatty(), err=True)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.soak")
