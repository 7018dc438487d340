"""Which workers a run gets, by its options and its size."""

from __future__ import annotations

from collections.abc import Callable

from llm_contracts.clients.builtin import BUILTIN
from llm_contracts.clients.gateway import Gateway
from llm_contracts.project.config import Project
from llm_contracts.run.match import client_names
from llm_contracts.run.options import Options
from llm_contracts.run.workers.threads import WorkerContext, WorkerPool, alone

_ENOUGH = 100  # recordings for each process: below this, importing the clients costs more than it saves


def worker_pool(
    context: WorkerContext,
    project: Project,
    options: Options,
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
