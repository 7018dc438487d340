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
from llm_contracts.clients.imports import join

_STEP = 0.005  # seconds between two looks at whether a process is idle
_LOOKS = 200
_IDLE = 0.1  # of the time between two looks; who uses less of a processor is idle


class CannotMeasureError(Exception):
    """A call did not do what it must for its cost to mean anything. The message says what it did."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallCost:
    """What one call took: seconds of processor time in all threads, seconds to its first text."""

    cpu: float
    first: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Driver:
    """Makes calls and measures them.

    Attributes:
        timeout: seconds for one call.
        cpu, wall, sleep: the clocks of the process and of the wall, and how to let time pass.
    """

    timeout: float = 60.0
    cpu: Callable[[], float] = time.process_time
    wall: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = time.sleep

    def text(self, client: Client, call: Call) -> int:
        """The characters of text that a call hands on.

        Raises:
            CannotMeasureError: it fails, hangs, or yields something that is not a chunk.
        """
        counted: list[int] = []
        self._run(client, call, lambda item: counted.append(len(to_chunk(item).text)))
        return sum(counted)

    def cost(self, client: Client, call: Call) -> CallCost:
        """What a call takes. Work that goes on in other threads after its end is waited for and counted.

        Raises:
            CannotMeasureError: as `text` does; or no text comes.
        """
        first: float | None = None

        def hear(item: Any) -> None:
            nonlocal first
            if first is None and to_chunk(item).text:
                first = self.wall()

        gc.collect()
        begun, cpu = self.wall(), self.cpu()
        self._run(client, call, hear)
        cpu = self._when_idle() - cpu
        if first is None:
            raise CannotMeasureError("it hands on no text")
        return CallCost(cpu=cpu, first=first - begun)

    def peak(self, client: Client, call: Call) -> float:
        """The most bytes that Python has allocated during a call, beyond what was there before. Raises as
        `text` does.
        """
        gc.collect()
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            self._run(client, call, lambda _item: None)
            return tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()

    def _when_idle(self) -> float:
        """The processor time when no thread works any more."""
        used = self.cpu()
        for _ in range(_LOOKS):
            self.sleep(_STEP)
            before, used = used, self.cpu()
            if used - before < _STEP * _IDLE:
                return before
        return used

    def _run(self, client: Client, call: Call, hear: Callable[[Any], None]) -> None:
        failures: list[BaseException] = []

        async def read(items: AsyncIterable[Any]) -> None:
            async for item in items:
                hear(item)

        def run() -> None:
            try:
                items = client(call)
                if isinstance(items, AsyncIterable):
                    asyncio.run(read(items))
                    return
                for item in items:
                    hear(item)
            except BaseException as error:  # noqa: BLE001 - SystemExit of a client is not a reason to end here
                failures.append(error)

        thread = Thread(target=run, daemon=True, name="measured client")
        thread.start()
        join(thread, self.timeout)
        if thread.is_alive():
            raise CannotMeasureError(f"no end within {self.timeout:g} s")
        for error in failures:
            if isinstance(error, NotAChunkError):
                raise CannotMeasureError(f"it yields {error}") from error
            failure = describe(error, call.api_key)
            raise CannotMeasureError(f"it fails: {failure.category}, {failure.message}") from error


@contextmanager
def garbage_frozen() -> Iterator[None]:
    """What is in memory by now takes no part in collecting garbage: that would take most of the time."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
