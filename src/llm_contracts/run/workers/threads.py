"""Who does the work of a run: tasks go in, items come out as they finish.

A crew is a function. Whatever it is made of (threads of this process, processes of this machine, machines of
a cluster), the items are the same; only their order of arrival is not, and so each comes with the number of
its task.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from llm_contracts.parity.result import Item
from llm_contracts.project.config import Project, Settings, load_project
from llm_contracts.project.inputs import code_files
from llm_contracts.results.items import Packed

IN_FLIGHT = 4
"""Recordings that one process plays at a time: much of a run is waiting for clients that hold text back."""

Task = Any
"""What is to be run: a scenario's name, or a stream of a corpus. It can be pickled."""

Done = TypeVar("Done")

Work = Callable[[Task], Item]
Executor = Callable[[Task], Packed]

WorkerPool = Callable[[Iterable[Task]], Iterator[tuple[int, Packed]]]
"""Takes tasks as it has hands free, and gives what came of each with the task's number, from 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerContext:
    """All that a process must know to do tasks. It can be pickled.

    Attributes:
        work: for a project, what does a task as long as the context is open; made of a function of a
            module, so that another process finds it.
        pack: what is handed over of an item; likewise.
    """

    settings: Settings
    work: Callable[[Project], AbstractContextManager[Work]]
    pack: Callable[[Item], Packed]

    @contextmanager
    def opened(self, project: Project | None = None) -> Iterator[Executor]:
        """Ready to do tasks. Without a project, it is read from its files.

        Raises:
            ConfigError: the project's files cannot be used.
            ClientError: a client's name is unknown.
        """
        here = load_project(self.settings) if project is None else project
        with self.work(here) as work:
            code = _Code(self.settings.root)
            yield lambda task: replace(self.pack(work(task)), code=code.news())


class _Code:
    """The project's files that this process loads, each told once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._told: set[str] = set()
        self._modules = 0

    def news(self) -> tuple[str, ...]:
        if self._modules == len(sys.modules):  # looking through thousands takes a tenth of a second
            return ()
        self._modules = len(sys.modules)
        found = {str(file) for file in code_files(self._root)} - self._told
        self._told |= found
        return tuple(sorted(found))


def alone(place: WorkerContext, project: Project, at_once: int) -> WorkerPool:
    """This process, with so many tasks in flight."""

    def crew(tasks: Iterable[Task]) -> Iterator[tuple[int, Packed]]:
        with place.opened(project) as do:
            yield from side_by_side(do, tasks, at_once)

    return crew


def side_by_side(do: Executor, tasks: Iterable[Task], at_once: int) -> Iterator[tuple[int, Packed]]:
    """Do tasks in threads, never holding more of them than are in flight. Leaving early drops what has not
    begun.

    The first is done alone. Clients take seconds to import, and nothing else gets a turn meanwhile.
    """
    waiting = enumerate(tasks)
    for number, task in islice(waiting, 1):
        yield number, do(task)
    pool = ThreadPoolExecutor(at_once)
    flying: dict[Future[Packed], int] = {}
    try:
        while True:
            for number, task in islice(waiting, 2 * at_once - len(flying)):
                flying[pool.submit(do, task)] = number
            if not flying:
                return
            landed, _ = wait(flying, return_when=FIRST_COMPLETED)
            yield from ((flying.pop(future), future.result()) for future in landed)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def run_jobs(
    jobs: Iterable[Callable[[], Done]], *, workers: int, progress: Callable[[Done], None] = lambda _done: None
) -> tuple[Done, ...]:
    """Run jobs side by side; what comes of them keeps the jobs' order. Ctrl-C drops what has not begun.

    The first runs alone. Clients take seconds to import, and nothing else gets a turn meanwhile.
    """

    def reported(job: Callable[[], Done]) -> Done:
        done = job()
        progress(done)
        return done

    waiting = iter(jobs)
    first = tuple(reported(job) for job in islice(waiting, 1))
    pool = ThreadPoolExecutor(workers)
    try:
        return (*first, *pool.map(reported, waiting))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
