"""Workers on a cluster of Dask, for what one machine cannot do. The only module that knows Dask.

Each worker opens the project once, with an edge and clients of its own: it needs the same files at the same
place, and the same versions; the streams themselves are sent to it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from llm_contracts.project.config import ConfigError
from llm_contracts.results.items import Packed
from llm_contracts.results.writer import differences
from llm_contracts.run.workers.threads import (
    Executor,
    Task,
    WorkerContext,
    WorkerPool,
    as_they_finish,
    failed,
)
from llm_contracts.util.versions import versions

LOCAL = "local"
_PLUGIN = "llm-contracts"
_AHEAD = 2  # tasks for each that a worker does at a time: none waits for the next
_FINDING = "20s"


def on_cluster(context: WorkerContext, address: str, *, processes: int, at_once: int) -> WorkerPool:
    """The workers of a cluster, by its scheduler's address; `local` starts one on this machine with so many
    processes, each of which does so many tasks at a time.

    A task whose worker is lost goes to another one. One in which workers are lost again and again becomes an
    item with a `problem`.

    Raises:
        ConfigError: Dask is not installed.
    """
    try:
        _dask()  # said here, before anything has begun
    except ImportError as error:
        raise ConfigError(
            "--cluster needs Dask, which the extra `cluster` brings: pip install 'llm-contracts[cluster]'."
        ) from error

    def pool(tasks: Iterable[Task]) -> Iterator[tuple[int, Packed]]:
        with _client(address, processes, at_once) as client:
            _refuse_other_versions(client, context.settings.distributions)
            client.register_plugin(_plugin(context), name=_PLUGIN)
            numbered, cluster = enumerate(tasks), client.get_executor(pure=False)
            for (number, task), future in as_they_finish(
                partial(next, numbered, None),
                lambda each: cluster.submit(_do, each[1]),
                lambda: max(1, _AHEAD * sum(client.nthreads().values())),
            ):
                try:
                    yield number, future.result()
                except _dask().KilledWorker as error:
                    why = f"its worker was lost on {error.last_worker.address}, after others."
                    yield number, context.pack(failed(task, why))

    return pool


def _do(task: Task) -> Packed:
    """In the worker."""
    do: Executor = _dask().get_worker().plugins[_PLUGIN].do
    return do(task)


def _plugin(context: WorkerContext) -> Any:
    class Opened(_dask().WorkerPlugin):  # type: ignore[misc]  # Dask has no types
        """Keeps the project open in a worker for as long as that lives."""

        def setup(self, worker: Any) -> None:  # noqa: ARG002 - Dask calls it so
            self._stack = ExitStack()
            self.do = self._stack.enter_context(context.opened())

        def teardown(self, worker: Any) -> None:  # noqa: ARG002 - as above
            self._stack.close()

    return Opened()


@contextmanager
def _client(address: str, processes: int, at_once: int) -> Iterator[Any]:
    dask = _dask()
    with ExitStack() as stack:
        if address == LOCAL:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of ports that are taken
                cluster = dask.LocalCluster(
                    n_workers=processes,
                    threads_per_worker=at_once,
                    dashboard_address=None,
                    host="127.0.0.1",
                    silence_logs=50,
                )
            stack.enter_context(cluster)
            yield stack.enter_context(dask.Client(cluster))
            return
        try:
            client = dask.Client(address, timeout=_FINDING)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"--cluster {address}: no scheduler of Dask answers there ({error})."
            ) from error
        yield stack.enter_context(client)


def _refuse_other_versions(client: Any, distributions: tuple[str, ...]) -> None:
    """Workers with other releases would give other results."""
    here = versions(distributions)
    for worker, used in client.run(versions, distributions).items():
        changed = differences(here, used)
        if changed:
            raise ConfigError(f"{worker} has other versions than this machine: {', '.join(changed)}.")


def _dask() -> Any:
    """Dask distributed; it takes a second to import."""
    import distributed

    return distributed
