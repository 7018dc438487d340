"""A run that goes on where another was stopped: what that had finished is not run again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from llm_contracts.corpus import CorpusStream
from llm_contracts.results.document import light
from llm_contracts.results.items import ItemsFile, Packed
from llm_contracts.run.workers.threads import Task, WorkerPool, task_name


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
