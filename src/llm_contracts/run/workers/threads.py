"""Who does the work of a run: tasks go in, items come out as they finish.

A worker pool is a function. Whatever it consists of (threads of this process, processes of this machine,
machines of a cluster), the items are the same; only the order in which they arrive is not, and so each comes
with the number of its task. All pools hand tasks out in one way: `as_they_finish`.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from llm_contracts.clients.builtin import BUILTIN
from llm_contracts.clients.gateway import Gateway
from llm_contracts.clients.replacing import replaced
from llm_contracts.corpus import CorpusStream, name_of
from llm_contracts.parity.result import Item
from llm_contracts.project.config import Project, Settings
from llm_contracts.project.inputs import code_files, digests, executed_files
from llm_contracts.project.load import load_project
from llm_contracts.results.document import light
from llm_contracts.results.items import ItemsFile, Packed
from llm_contracts.run.match import client_names, opened_match
from llm_contracts.run.options import Options
from llm_contracts.run.pairing import Pairing

_ENOUGH = 100  # recordings for each process: below this, importing the clients costs more than it saves

Task = Any
"""What is to be run: a scenario's name, or a stream of a corpus. It can be pickled."""

Given = TypeVar("Given")
Done = TypeVar("Done")

Work = Callable[[Task], Item]
Executor = Callable[[Task], Packed]

WorkerPool = Callable[[Iterable[Task]], Iterator[tuple[int, Packed]]]
"""Takes tasks as workers get free, and gives what came of each with the task's number, from 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerContext:
    """All that a process must know to do tasks. It can be pickled.

    Attributes:
        settings: the project's.
        options: how the run goes.
        work: for a project and its two clients, what does a task; a function of a module, so that another
            process finds it.
        pack: what is handed over of an item; likewise.
    """

    settings: Settings
    options: Options
    work: Callable[[Project, Pairing], Work]
    pack: Callable[[Item], Packed]

    @contextmanager
    def opened(self, project: Project | None = None) -> Iterator[Executor]:
        """Ready to do tasks. Without a project, it is read from its files.

        Raises:
            ConfigError: the project's files cannot be used.
            ClientError: a client's name means nothing.
        """
        here = load_project(self.settings) if project is None else project
        with opened_match(here, self.options) as match, _outliving_clients():
            work, code = self.work(here, match), _Code(self.settings.root)

            def execute(task: Task) -> Packed:
                try:
                    item = work(task)
                except Exception as error:  # noqa: BLE001 - whatever is odd about one recording, the rest runs
                    place = traceback.extract_tb(error.__traceback__)[-1]
                    what = f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
                    item = failed(task, f"could not be compared: {what}")
                return replace(self.pack(item), code=code.news())

            yield execute


def failed(task: Task, problem: str) -> Item:
    """The item of a task of which nothing came but a problem."""
    name = task_name(task)
    provider = getattr(task, "provider", name.partition("/")[0])
    scenario = name.partition("/")[2] if isinstance(task, str) else name
    return Item(id=name, provider=provider, scenario=scenario, problem=f"{name}: {problem}")


def task_name(task: Task) -> str:
    """What a task is known by."""
    return task if isinstance(task, str) else name_of(task)


class _Code:
    """The project's files that this process has loaded, each reported once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._reported: set[Path] = set()
        self._loaded = 0

    def news(self) -> dict[str, str]:
        loaded = len(sys.modules) + len(executed_files())
        if self._loaded == loaded:  # looking through thousands takes a tenth of a second
            return {}
        self._loaded = loaded
        found = set(code_files(self._root)) - self._reported
        self._reported |= found
        return digests(self._root, found)


def as_they_finish(
    take: Callable[[], Given | None], submit: Callable[[Given], Future[Done]], room: Callable[[], int]
) -> Iterator[tuple[Given, Future[Done]]]:
    """Hand tasks out as there is room, and give each with its future when that is done.

    Args:
        take: the next task; None while there is none. It is asked again after each task that is done.
        submit: has a task done.
        room: how many tasks may be handed out at a time, so that a corpus is never in memory as a whole.
    """
    running: dict[Future[Done], Given] = {}
    while True:
        for _ in range(room() - len(running)):
            task = take()
            if task is None:
                break
            running[submit(task)] = task
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            yield running.pop(future), future


def alone(context: WorkerContext, project: Project, at_once: int) -> WorkerPool:
    """This process, with so many tasks in flight."""

    def pool(tasks: Iterable[Task]) -> Iterator[tuple[int, Packed]]:
        with context.opened(project) as execute:
            yield from side_by_side(execute, tasks, at_once)

    return pool


def _outliving_clients() -> AbstractContextManager[None]:
    """A client that ends the process would end the run with its own exit code, 0 perhaps: here the attempt is
    an exception in the client's thread, and so a finding.
    """
    here = os.getpid()

    def refuse(leave: Callable[[int], NoReturn], status: int) -> NoReturn:
        # Clients run in threads of their own. A child that one forked may end, and so may a worker process.
        if os.getpid() != here or threading.current_thread() is threading.main_thread():
            leave(status)
        raise SystemExit(f"the client tried to end the process with os._exit({status})")

    return replaced([(os, "_exit", partial(partial, refuse))])


@contextmanager
def importing() -> Iterator[None]:
    """For the first task of a process, which is done alone: clients take seconds to import, and nothing else
    gets a turn meanwhile. What they import stays, and is not looked through for garbage: that takes a third
    of a second at a time, in which some client seems to be late and is played to again.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            _freeze()
            gc.enable()


@cache
def _freeze() -> None:
    """Once a process: what is garbage by then is never freed. Asking again would count all that is frozen."""
    if not gc.get_freeze_count():
        gc.freeze()


def side_by_side(
    execute: Callable[[Given], Done], tasks: Iterable[Given], at_once: int
) -> Iterator[tuple[int, Done]]:
    """Do tasks in threads, the first one alone. Leaving early drops what has not begun."""
    numbered = enumerate(tasks)
    for number, task in islice(numbered, 1):
        with importing():
            done = execute(task)
        yield number, done
    threads = ThreadPoolExecutor(at_once)
    try:
        for (number, _), future in as_they_finish(
            partial(next, numbered, None), lambda each: threads.submit(execute, each[1]), lambda: 2 * at_once
        ):
            yield number, future.result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def worker_pool(
    context: WorkerContext,
    project: Project,
    count: int,
    *,
    died: Callable[[str], None],
    cluster: str | None = None,
) -> WorkerPool:
    """The workers for `count` recordings: a cluster if one is named, else a process for each processor, or
    this process alone where that is quicker or `--jobs 1` says so. Each process would start a gateway of its
    own, which is slower than who asks it, so a gateway gets one. `died` is called with a sentence for each
    process that ended early.

    Raises:
        ConfigError: the cluster cannot be reached.
    """
    options = context.options
    if cluster is not None:
        from llm_contracts.run.workers.dask import on_cluster

        return on_cluster(context, cluster, processes=options.processors, at_once=options.in_flight)
    known = {**BUILTIN, **project.clients}
    gateway = any(isinstance(known.get(name), Gateway) for name in client_names(project, options))
    quickest = 1 if gateway else min(options.processors, count // _ENOUGH)
    wanted = min(options.jobs, count) if options.jobs else quickest
    if wanted > 1:
        from llm_contracts.run.workers.processes import processes

        return processes(context, wanted, at_once=options.in_flight, died=died)
    return alone(context, project, options.workers)


def continuing(workers: WorkerPool, finished: ItemsFile) -> WorkerPool:
    """A worker pool that runs only what the file does not have. What could not be run is tried again."""

    def resumed(tasks: Iterable[Task]) -> Iterator[tuple[int, Packed]]:
        fresh: list[int] = []  # the pool's numbers → those of the tasks
        ready: list[tuple[int, Packed]] = []

        def rest() -> Iterator[Task]:
            for number, task in enumerate(tasks):
                name = task_name(task)
                item = finished.item(name) if name in finished.offsets else None
                if item is None or (isinstance(task, CorpusStream) and item.problem is not None):
                    fresh.append(number)
                    yield task
                else:
                    ready.append((number, Packed(item=light(item), line=b"")))

        for number, done in workers(rest()):
            while ready:
                yield ready.pop()
            yield fresh[number], done
        yield from ready

    return resumed


def run_jobs(
    jobs: Iterable[Callable[[], Done]], *, workers: int, progress: Callable[[Done], None] = lambda _done: None
) -> tuple[Done, ...]:
    """Run jobs side by side; what comes of them keeps the jobs' order. Ctrl-C drops what has not begun."""
    found: dict[int, Done] = {}
    for number, done in side_by_side(lambda job: job(), jobs, workers):
        progress(done)
        found[number] = done
    return tuple(found[number] for number in sorted(found))
