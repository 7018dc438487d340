"""Memory of streams that are open: the adapter over LiteLLM against its legacy clients.

Many streams stand in the middle of a long answer, as they do while people read. What Python has allocated
for them is counted, in each way apart.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from itertools import islice

from benchmarks.measure import Figure, Size, figure
from benchmarks.product import Caller, callers
from benchmarks.provider import provider

_CHUNKS = 1000
_READ = 500  # deltas taken before memory is counted


def run(size: Size) -> Iterable[Figure]:
    """Count it several times for each way."""
    streams, rounds = (50, 7) if size is Size.FULL else (20, 3)
    with provider() as address, callers(f"{address}/{_CHUNKS}x0") as ways:
        yield from _compared(ways["legacy"], ways["litellm"], streams, rounds)


def _compared(legacy: Caller, litellm: Caller, streams: int, rounds: int) -> Iterator[Figure]:
    pairs = [(_each(litellm, streams), _each(legacy, streams)) for _ in range(rounds)]
    ratios = [ours / theirs for ours, theirs in pairs]
    yield figure(f"an open stream after {_READ} deltas, litellm / legacy", ratios, at_most=1.5)
    yield figure("the same over LiteLLM", [ours / 1000 for ours, _ in pairs], unit="kB")


def _each(caller: Caller, streams: int) -> float:
    """Bytes a stream."""
    caller.read()
    gc.collect()
    tracemalloc.start()
    try:
        with ExitStack() as stack:
            for _ in range(streams):
                stream = caller.stream()
                stack.enter_context(closing(stream))  # type: ignore[type-var]
                assert sum(1 for _ in islice(stream, _READ)) == _READ
            gc.collect()
            return tracemalloc.get_traced_memory()[0] / streams
    finally:
        tracemalloc.stop()
