"""A crew of processes on this machine, for as many processors as it has.

Python runs one thread at a time in a process, so threads alone never use a second processor. Each process
has an edge and clients of its own; it imports them once, which takes seconds.
"""

from __future__ import annotations

import faulthandler
import logging
import multiprocessing
import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from llm_contracts.parity.result import Item
from llm_contracts.results.items import Packed
from llm_contracts.run.workers.threads import IN_FLIGHT, Executor, Task, WorkerContext, WorkerPool

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

_SPAWN = multiprocessing.get_context("spawn")  # a fork would copy locks that other threads hold
_AHEAD = 2  # tasks that wait in a process, so that it never waits for the next
_TRIES = 2
_DEATHS = 5  # in a row, with nothing done between them
_ENDING = 2.0  # seconds


class WorkerError(Exception):
    """The work cannot go on. The message says what happened in the process that did it."""


@dataclass(frozen=True, slots=True)
class _Failed:
    """What a process says when it fails by itself: this harness is at fault then, or its configuration."""

    text: str


def processes(
    place: WorkerContext,
    count: int,
    *,
    died: Callable[[str], None],
    at_once: int = IN_FLIGHT,
) -> WorkerPool:
    """So many processes, each with so many tasks in flight.

    As many processes as there are processors get one each. A recording is played by threads that take turns;
    left to itself, the system moves them between processors, and a check takes a quarter longer. Fewer
    processes than that may share the machine with another run's, and go where there is room.

    When a process dies (killed, out of memory, a crash in a client's C code), what it was doing is done once
    more, one by one. A task in which it dies again becomes an item with a `problem`. `died` is told each time
    in a sentence: a client that crashes now and then does so in the product, too.
    """

    def crew(tasks: Iterable[Task]) -> Iterator[tuple[int, Packed]]:
        office = _WorkerPool(place=place, at_once=at_once, died=died, waiting=enumerate(tasks))
        try:
            office.staff = [office.hired(processor) for processor in own_processors(count)]
            yield from office.run()
        finally:
            office.close()

    return crew


def own_processors(count: int) -> tuple[int | None, ...]:
    """For each of so many processes its processor, if there are as many of them; otherwise None."""
    # Only Linux and some BSDs can tell, and do what is asked here.
    there = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return tuple(there) if len(there) == count else (None,) * count


@dataclass(kw_only=True)
class _Worker:
    """A process as its employer sees it. `given`: the tasks it has not answered; `processor`: where it runs,
    if not anywhere.
    """

    process: BaseProcess
    pipe: Connection
    processor: int | None
    given: dict[int, Task] = field(default_factory=dict)

    def give(self, number: int, task: Task) -> None:
        self.given[number] = task
        with suppress(OSError):  # it has died: that is noticed where answers are read
            self.pipe.send((number, task))

    def dismiss(self) -> None:
        self.pipe.close()
        self.process.terminate()
        self.process.join(_ENDING)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


@dataclass(kw_only=True)
class _WorkerPool:
    """Hands tasks out and takes answers in, in one thread."""

    place: WorkerContext
    at_once: int
    died: Callable[[str], None]
    waiting: Iterator[tuple[int, Task]]
    staff: list[_Worker] = field(default_factory=list)
    again: deque[tuple[int, Task]] = field(default_factory=deque)
    tries: dict[int, int] = field(default_factory=dict)
    deaths: int = 0

    def hired(self, processor: int | None) -> _Worker:
        ours, theirs = _SPAWN.Pipe()
        told = (theirs, self.place, self.at_once, processor)
        process = _SPAWN.Process(target=serve, args=told, daemon=True)
        with _deaf_to_interrupts():
            process.start()
        theirs.close()
        return _Worker(process=process, pipe=ours, processor=processor)

    def run(self) -> Iterator[tuple[int, Packed]]:
        while True:
            for worker in self.staff:
                self._supply(worker)
            busy = {worker.pipe: worker for worker in self.staff if worker.given}
            if not busy:
                return
            for pipe in wait(list(busy)):
                yield from self._answer(busy[pipe])  # type: ignore[index]  # only connections were waited for

    def close(self) -> None:
        for worker in self.staff:
            worker.dismiss()

    def _supply(self, worker: _Worker) -> None:
        """What killed a process is tried again alone, so that nothing else dies of it."""
        if any(number in self.tries for number in worker.given):
            return
        if self.again:
            if not worker.given:
                worker.give(*self.again.popleft())
            return
        while len(worker.given) < self.at_once + _AHEAD:
            following = next(self.waiting, None)
            if following is None:
                return
            worker.give(*following)

    def _answer(self, worker: _Worker) -> Iterator[tuple[int, Packed]]:
        try:
            number, answer = worker.pipe.recv()
        except (EOFError, OSError):
            yield from self._buried(worker)
            return
        if isinstance(answer, _Failed):
            raise WorkerError(answer.text)
        self.deaths = 0
        self.tries.pop(number, None)
        del worker.given[number]
        yield number, answer

    def _buried(self, worker: _Worker) -> Iterator[tuple[int, Packed]]:
        worker.process.join(_ENDING)
        how = _how(worker.process.exitcode)
        worker.dismiss()
        self.deaths += 1
        if self.deaths >= _DEATHS:
            raise WorkerError(
                f"{self.deaths} worker processes in a row ended before they had done anything ({how})."
            )
        self.staff[self.staff.index(worker)] = self.hired(worker.processor)
        again = []
        for number, task in worker.given.items():
            self.tries[number] = self.tries.get(number, 0) + 1
            if self.tries[number] < _TRIES:
                again.append((number, task))
            else:
                del self.tries[number]
                yield number, self.place.pack(lost(task, how))
        self.again.extend(again)
        self.died(_obituary(how, again))


def lost(task: Task, how: str) -> Item:
    """The item of a task that kills whoever does it."""
    name = _name(task)
    provider = getattr(task, "provider", name.partition("/")[0])
    scenario = name.partition("/")[2] if isinstance(task, str) else name
    problem = f"{name}: the process that ran it ended {_TRIES} times ({how})."
    return Item(id=name, provider=provider, scenario=scenario, problem=problem)


def _name(task: Task) -> str:
    return task if isinstance(task, str) else str(getattr(task, "id", task))


def _obituary(how: str, again: Sequence[tuple[int, Task]]) -> str:
    names = ", ".join(_name(task) for _, task in again)
    rest = f" What it had was run again, one by one: {names}." if again else ""
    return f"A worker process ended {how}.{rest}"


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"by {signal.Signals(-code).name}"
    return f"exit code {code}"


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Ctrl-C reaches every process of a terminal. What is started here never hears it, from its first
    instruction on: it ends when its employer does.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


# In the process itself


def serve(pipe: Connection, place: WorkerContext, at_once: int, processor: int | None) -> None:
    """Do what comes out of the pipe until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()  # as the command line does: a crash in C code says where it was
    if processor is not None:
        with suppress(OSError):  # taken away since: then anywhere
            os.sched_setaffinity(0, {processor})
    logging.getLogger().addHandler(logging.NullHandler())
    speaking, warm = threading.Lock(), threading.Event()

    def tell(number: int, answer: Any) -> None:
        with speaking, suppress(OSError):  # nobody listens any more
            pipe.send((number, answer))

    def done(do: Executor, number: int, task: Task, *, first: bool) -> None:
        if not first:
            warm.wait()  # the first imports the clients; see `crew.side_by_side`
        try:
            tell(number, do(task))
        except BaseException:  # noqa: BLE001 - whatever it is, the employer has to hear of it
            tell(number, _Failed(traceback.format_exc()))
        warm.set()

    try:
        with place.opened() as do, ThreadPoolExecutor(at_once) as pool:
            first = True
            for number, task in _tasks(pipe):
                pool.submit(done, do, number, task, first=first)
                first = False
            os._exit(0)  # the employer is gone: nobody waits for what is still in flight
    except Exception:  # noqa: BLE001 - as above
        tell(-1, _Failed(traceback.format_exc()))


def _tasks(pipe: Connection) -> Iterator[tuple[int, Task]]:
    with suppress(EOFError, OSError):
        while True:
            yield pipe.recv()
