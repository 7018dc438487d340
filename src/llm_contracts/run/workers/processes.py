"""Worker processes on this machine, for as many processors as it has.

Python runs one thread at a time in a process, so threads alone never use a second processor. Each process
has an edge and clients of its own; it imports them once, which takes seconds.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import signal
import threading
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from itertools import islice
from multiprocessing.sharedctypes import Synchronized
from operator import length_hint
from pathlib import Path
from tempfile import TemporaryDirectory

from llm_contracts.results.items import Packed
from llm_contracts.run.options import IN_FLIGHT
from llm_contracts.run.workers.threads import (
    Executor,
    Task,
    WorkerContext,
    WorkerPool,
    as_they_finish,
    failed,
    importing,
    task_name,
)
from llm_contracts.util.processes import SPAWN, ProcessExpired, ProcessPool

_ROUNDS, _MOST_ROUNDS = 2, 8
"""Tasks of a batch for each thread: at first many, as a process waits for the slowest of a batch, and few at
last, so that all processes end together.
"""
_FALSE_STARTS = 5


class WorkerError(Exception):
    """The work cannot go on. The message says what happened in the worker process."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Batch:
    """Tasks with their numbers, which a process is given at once. `again`: its worker process died."""

    tasks: tuple[tuple[int, Task], ...]
    again: bool = False


def processes(
    context: WorkerContext,
    count: int,
    *,
    died: Callable[[str], None],
    at_once: int = IN_FLIGHT,
) -> WorkerPool:
    """So many processes, each with so many tasks in flight.

    As many processes as there are processors get one each. A recording is played by threads that take turns;
    left to itself, the system moves them between processors, and a check takes a quarter longer. Fewer
    processes than that may share the machine with another run's, and go where there is room.

    When a process dies (killed, out of memory, a crash in a client's C code), what it had is run once more,
    one by one. A task in which it dies again becomes an item with a `problem`. `died` is called with a crash
    report each time: a client that crashes now and then does so in the product, too.
    """

    def pool(tasks: Iterable[Task]) -> Iterator[tuple[int, Packed]]:
        numbered, again, known = enumerate(tasks), deque[_Batch](), length_hint(tasks)
        taken = 0

        def take() -> _Batch | None:
            nonlocal taken
            if again:
                return again.popleft()
            share = (known - taken) // (2 * count)
            following = tuple(islice(numbered, min(max(_ROUNDS * at_once, share), _MOST_ROUNDS * at_once)))
            taken += len(following)
            return _Batch(tasks=following) if following else None

        with TemporaryDirectory(prefix="llm-contracts-") as notes:
            begun = SPAWN.Value("i", 0)
            started = (context, at_once, Path(notes), own_processors(count), begun)
            workers = ProcessPool(count, initializer=_start, initargs=started, context=SPAWN)
            try:
                false_starts = 0
                for batch, future in as_they_finish(take, partial(_submit, workers), lambda: 2 * count):
                    try:
                        yield from future.result()
                    except ProcessExpired as error:
                        how = _how(error.exitcode)
                        running = _running(Path(notes), error.pid)
                        false_starts += not running
                        if false_starts == _FALSE_STARTS:
                            raise WorkerError(
                                f"{false_starts} worker processes ended before they had begun ({how})."
                            ) from error
                        report = f"A worker process ended {how}"
                        report += f" while it ran {', '.join(running)}." if running else "."
                        if batch.again:
                            why = f"the process that ran it ended twice ({how})."
                            yield from ((n, context.pack(failed(task, why))) for n, task in batch.tasks)
                        else:
                            again += [_Batch(tasks=(each,), again=True) for each in batch.tasks]
                            names = ", ".join(task_name(task) for _, task in batch.tasks)
                            report += f" What it had was run again, one by one: {names}."
                        died(report)
                    except Exception as error:
                        raise WorkerError("".join(traceback.format_exception(error))) from error
            finally:
                workers.stop()  # type: ignore[no-untyped-call]
                workers.join()

    return pool


def own_processors(count: int) -> tuple[int, ...]:
    """A processor for each of so many processes, if there are as many of them; otherwise none."""
    # Only Linux and some BSDs can tell, and do what is asked here.
    there = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return tuple(there) if len(there) == count else ()


def _submit(workers: ProcessPool, batch: _Batch) -> Future[list[tuple[int, Packed]]]:
    """Hand out a batch; the first starts the processes. Ctrl-C reaches every process of a terminal, and these
    ignore it from their first instruction on: the pool ends them.
    """
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if is_main else None
    try:
        return workers.schedule(_run, args=(batch,))
    finally:
        if is_main:
            signal.signal(signal.SIGINT, before)


def _how(code: int) -> str:
    if code < 0:
        with suppress(ValueError):
            return f"by {signal.Signals(-code).name}"
    return f"exit code {code}"


def _running(notes: Path, process: int | None) -> list[str]:
    """What a process that has died was running."""
    running: Counter[str] = Counter()
    with suppress(OSError):  # it died before it had begun
        for line in (notes / str(process)).read_bytes().splitlines():
            name, change = json.loads(line)
            running[name] += change
    return list(running.elements())


# In the worker process


class _Worker:
    """Runs batches; notes what it is running, for who looks when it has died."""

    def __init__(self, context: WorkerContext, at_once: int, notes: Path) -> None:
        self._context = context
        self._threads = ThreadPoolExecutor(at_once)
        self._notes = (notes / str(os.getpid())).open("ab", buffering=0)
        self._opened = ExitStack()  # ends with the process
        self._execute: Executor | None = None

    def run(self, batch: _Batch) -> list[tuple[int, Packed]]:
        tasks = iter(batch.tasks)
        done = []
        if self._execute is None:
            self._execute = self._opened.enter_context(self._context.opened())
            with importing():
                done = [self._one(next(tasks))]
        return [*done, *self._threads.map(self._one, tasks)]

    def _one(self, numbered: tuple[int, Task]) -> tuple[int, Packed]:
        assert self._execute is not None
        number, task = numbered
        name = task_name(task)
        self._note(name, 1)
        try:
            return number, self._execute(task)
        finally:
            self._note(name, -1)

    def _note(self, name: str, change: int) -> None:
        self._notes.write(json.dumps([name, change]).encode() + b"\n")  # in one piece, whenever it dies


_worker: ContextVar[_Worker] = ContextVar("_worker")


def _start(
    context: WorkerContext, at_once: int, notes: Path, processors: tuple[int, ...], begun: Synchronized[int]
) -> None:
    faulthandler.enable()  # as the command line does: a crash in C code says where it was
    logging.getLogger().addHandler(logging.NullHandler())
    with begun.get_lock():
        number = begun.value
        begun.value += 1
    if number < len(processors):  # one that comes in the place of a dead one goes anywhere
        with suppress(OSError):  # taken away since
            os.sched_setaffinity(0, {processors[number]})
    _worker.set(_Worker(context, at_once, notes))


def _run(batch: _Batch) -> list[tuple[int, Packed]]:
    return _worker.get().run(batch)
