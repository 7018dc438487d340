"""Run by `adapter_together`, as a program of its own: many streams at once, by one way.

    python benchmarks/together.py WAY ADDRESS STREAMS SPREAD     ADDRESS ends in the stream's form: …/40x100

The streams begin within SPREAD seconds, one after the other; all at once where that is 0. What looks like a
thread here is a greenlet under `python -m gevent.monkey`. Prints JSON: the seconds that all of them took
together, the pieces that came, and the longest silence within each stream in milliseconds.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from threading import Thread

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.product import Caller, callers


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
