"""One call, read to its end, and what it took. Nothing of the comparison runs beside it."""

from __future__ import annotations

import asyncio
import gc
import time
import tracemalloc
from collections.abc import AsyncIterable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any

from llm_contracts.clients.call import Call, Client
from llm_contracts.clients.chunks import NotAChunkError, to_chunk
from llm_contracts.clients.failures import describe

_STEP = 0.005  # seconds between two looks at whether a process has come to rest
_LOOKS = 200
_REST = 0.1  # of the time between two looks; who uses less of a processor is at rest


class CannotMeasureError(Exception):
    """A call did not do what it must for its cost to mean anything. The message says what it did."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What one call took: seconds of processor time in all threads, seconds to its first text."""

    cpu: float
    first: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Clocks:
    """Where time comes from: of the process, of the wall, and how to let some pass."""

    cpu: Callable[[], float] = time.process_time
    wall: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, kw_only=True, slots=True)
class Driver:
    """Makes calls and measures them. `timeout`: seconds for one call."""

    clocks: Clocks = Clocks()
    timeout: float = 60.0

    def text(self, path: Client, call: Call) -> int:
        """The characters of text that a call hands on.

        Raises:
            CannotMeasureError: it fails, hangs, or yields what is no chunk.
        """
        counted = 0

        def count(item: Any) -> None:
            nonlocal counted
            counted += len(to_chunk(item).text)

        self._run(path, call, count)
        return counted

    def taken(self, path: Client, call: Call) -> Taken:
        """What a call takes. Work that goes on in other threads after its end is waited for and counted.

        Raises:
            CannotMeasureError: as `text` does; or no text comes.
        """
        first: float | None = None

        def hear(item: Any) -> None:
            nonlocal first
            if first is None and to_chunk(item).text:
                first = self.clocks.wall()

        gc.collect()
        begun, cpu = self.clocks.wall(), self.clocks.cpu()
        self._run(path, call, hear)
        cpu = self._at_rest() - cpu
        if first is None:
            raise CannotMeasureError("it hands on no text")
        return Taken(cpu=cpu, first=first - begun)

    def peak(self, path: Client, call: Call) -> float:
        """The most bytes that Python has allocated during a call, beyond what was there before. Raises as
        `text` does.
        """
        gc.collect()
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            self._run(path, call, lambda _item: None)
            return tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()

    def _at_rest(self) -> float:
        """The processor time when no thread works any more."""
        used = self.clocks.cpu()
        for _ in range(_LOOKS):
            self.clocks.sleep(_STEP)
            before, used = used, self.clocks.cpu()
            if used - before < _STEP * _REST:
                return before
        return used

    def _run(self, path: Client, call: Call, hear: Callable[[Any], None]) -> None:
        failures: list[BaseException] = []

        def run() -> None:
            try:
                _read(path(call), hear)
            except BaseException as error:  # noqa: BLE001 - SystemExit of a path is no reason to end here
                failures.append(error)

        thread = Thread(target=run, daemon=True, name="measured path")
        thread.start()
        thread.join(self.timeout)
        if thread.is_alive():
            raise CannotMeasureError(f"no end within {self.timeout:g} s")
        for error in failures:
            if isinstance(error, NotAChunkError):
                raise CannotMeasureError(f"it yields {error}") from error
            failure = describe(error, call.api_key)
            raise CannotMeasureError(f"it fails: {failure.category}, {failure.message}") from error


def _read(items: Any, hear: Callable[[Any], None]) -> None:
    if isinstance(items, AsyncIterable):
        asyncio.run(_read_async(items, hear))
        return
    for item in items:
        hear(item)


async def _read_async(items: AsyncIterable[Any], hear: Callable[[Any], None]) -> None:
    async for item in items:
        hear(item)


@contextmanager
def what_is_there_set_aside() -> Iterator[None]:
    """What is in memory by now takes no part in collecting garbage: that would take most of the time."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
