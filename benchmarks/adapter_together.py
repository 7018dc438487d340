"""A hundred streams at once in one process, over LiteLLM against the legacy clients: threads, and gevent.

First as fast as the process can take them: throughput. Then at the pace of a model that writes a piece every
100 ms, where a silence that is longer than that is what a reader would notice: with streams that begin one
after the other, as people come, and with all of them beginning at the same moment.

As a program of its own it is what is measured, one way after the other:

    python -m benchmarks.adapter_together WAY ADDRESS STREAMS SPREAD     ADDRESS ends in the form: …/40x100

The streams begin within SPREAD seconds, all at once where that is 0. What looks like a thread here is a
greenlet under `python -m gevent.monkey`. It prints JSON: the seconds that all streams took together, the
pieces that came, and the longest silence within each in milliseconds.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from threading import Thread
from typing import Any

from benchmarks.measure import Figure, Size, figure
from benchmarks.product import WAYS, Caller, callers
from benchmarks.provider import provider

_STREAMS = 100
_ROOT = Path(__file__).resolve().parents[1]
_BEGINNINGS: Mapping[float, str] = {4.0: "begun within 4 s", 0.0: "begun at once"}
_KINDS: Mapping[str, tuple[str, ...]] = {"threads": ("-m",), "gevent": ("-m", "gevent.monkey", "--module")}


def run(size: Size) -> Iterable[Figure]:
    """Each kind of worker, each way in a process of its own, in turns."""
    rounds = 5 if size is Size.FULL else 2
    with provider() as address:
        for kind, start in _KINDS.items():
            fast = [_pair(start, f"{address}/100x0", spread=0) for _ in range(rounds)]
            yield _ratio(f"{kind}: time for {_STREAMS} streams", fast, "seconds", at_most=1 / 1.5)
            for spread, about in _BEGINNINGS.items():
                paced = [_pair(start, f"{address}/60x100", spread=spread) for _ in range(rounds)]
                yield from _silences(f"{kind}, {about}", paced)


def _pair(start: tuple[str, ...], address: str, *, spread: float) -> dict[str, dict[str, Any]]:
    return {way: _run(start, way, address, spread) for way in WAYS}


def _run(start: tuple[str, ...], way: str, address: str, spread: float) -> dict[str, Any]:
    ran = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, *start, "benchmarks.adapter_together", way, address, str(_STREAMS), str(spread)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    measured: dict[str, Any] = json.loads(ran.stdout)
    measured["slowest"] = max(measured["silences_ms"])
    return measured


def _ratio(
    name: str, pairs: list[dict[str, dict[str, Any]]], what: str, *, at_most: float | None = None
) -> Figure:
    ratios = [pair["litellm"][what] / pair["legacy"][what] for pair in pairs]
    return figure(f"{name}, litellm / legacy", ratios, at_most=at_most)


def _silences(kind: str, pairs: list[dict[str, dict[str, Any]]]) -> Iterator[Figure]:
    yield _ratio(f"{kind}: longest silence of the slowest stream", pairs, "slowest", at_most=1.5)
    for way in WAYS:
        yield figure(f"{kind}: the same, {way}", [pair[way]["slowest"] for pair in pairs], unit="ms")


def main(way: str, address: str, streams: int, spread: float) -> None:
    """Read so many streams side by side."""
    with callers(address, (way,)) as ways:
        caller = ways[way]
        caller.read()
        silences: list[float] = []
        pieces: list[int] = []
        readers = [Thread(target=_read, args=(caller, silences, pieces)) for _ in range(streams)]
        start = time.perf_counter()
        for number, reader in enumerate(readers):
            time.sleep(max(start + spread * number / streams - time.perf_counter(), 0))
            reader.start()
        for reader in readers:
            reader.join()
        seconds = time.perf_counter() - start
    sys.stdout.write(json.dumps({"seconds": seconds, "pieces": sum(pieces), "silences_ms": silences}))


def _read(caller: Caller, silences: list[float], pieces: list[int]) -> None:
    longest, count, last = 0.0, 0, 0.0
    for _ in caller.stream():
        now = time.perf_counter()
        longest = max(longest, now - last) if count else 0.0
        count, last = count + 1, now
    silences.append(longest * 1000)
    pieces.append(count)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
