"""Thousands of streams through recording and replay: is anything left behind?

Every way in which an exchange can end takes its turn. After half of the streams, and again at the end, it
counts what the process holds: file descriptors, threads, the edge's tasks and sessions, memory. The counts
must be the same again, and memory must not grow by more than 8 MiB. (In the first thousands memory does grow:
the allocator keeps what sixteen threads need at their worst moment.)
"""

from __future__ import annotations

import gzip
import http.client
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from urllib.parse import urlsplit

from benchmarks.measure import Figure, Size, faults, held, left
from benchmarks.provider import EVENT, provider
from llm_contracts.wire.interaction import End, Interaction
from llm_contracts.wire.proxy.playback_options import PlaybackOptions
from llm_contracts.wire.proxy.server import Edge
from llm_contracts.wire.scrub import Scrubber

_PUBLIC = "https://api.example.com"
_SILENCE = 0.2  # seconds without a byte after which a provider counts as silent
_SETTLING = 10.0  # seconds that connections get to close after the last stream
_TIMEOUT = 120.0  # of many streams at once some are slow


def run(size: Size) -> Iterator[Figure]:
    """Ten thousand streams, and as many at once as an edge may meet."""
    for streams, jobs in ((10_000, 16), (3_000, 500)) if size is Size.FULL else ((500, 16),):
        yield from soak(streams, jobs=jobs)


def soak(streams: int, *, jobs: int) -> Iterator[Figure]:
    """Send so many streams through, `jobs` at a time. Each is recorded, and then replayed."""
    with provider() as upstream, Edge() as edge, ThreadPoolExecutor(jobs) as pool:

        def one(index: int) -> str:
            return _through(edge, upstream, *_CASES[index % len(_CASES)])

        warming = max(len(_CASES) * jobs, streams // 2)
        wrong = {*pool.map(one, range(warming))}
        before = _settled(edge, None)
        wrong |= {*pool.map(one, range(warming, streams))}
        after = _settled(edge, before)
    what = f"{streams:,} streams, {jobs} at once"
    yield faults(f"{what}: not as they should be", sorted(wrong - {""}))
    yield from left(what, {**before, "sessions": 0}, after)


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
            if leave and EVENT in answer:
                break
    return answer


def _closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def _settled(edge: Edge, wanted: Mapping[str, float] | None) -> dict[str, float]:
    """What is held when the last connections have closed; without a goal, when it no longer changes."""
    now, deadline = _held(edge), time.monotonic() + _SETTLING
    while time.monotonic() < deadline:
        time.sleep(0.3)
        last, now = now, _held(edge)
        goal = last if wanted is None else wanted
        if all(now[name] == goal[name] for name in now if name != "memory"):
            break
    return now


def _held(edge: Edge) -> dict[str, float]:
    sessions, tasks = edge.census()
    return {**held(), "tasks": tasks, "sessions": sessions}


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
