"""Who does the work, by the options of the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from llm_contracts.project.config import Project
from llm_contracts.run.check import Options
from llm_contracts.run.workers.processes import processes
from llm_contracts.run.workers.threads import WorkerContext, WorkerPool, alone

_ENOUGH = 100  # recordings for each process: below this, importing the clients costs more than it saves

Function = TypeVar("Function", bound=Callable[..., Any])


def cluster_option(command: Function) -> Function:
    """`--cluster ADDRESS`."""
    return click.option(
        "--cluster",
        metavar="ADDRESS|local",
        help="Let a cluster of Dask do it, by its scheduler's address (tcp://host:8786), or one that is "
        "started on this machine. Needs the extra llm-adapter[cluster].",
    )(command)


def crew_for(
    place: WorkerContext,
    project: Project,
    options: Options,
    count: int,
    *,
    died: Callable[[str], None],
    cluster: str | None = None,
) -> WorkerPool:
    """The crew for so many recordings: a cluster if one is named, else a process for each processor, or this
    one alone where that is quicker or `--jobs 1` says so. `died` is told of each process that ended early.

    Raises:
        ConfigError: the cluster cannot be had.
    """
    if cluster is not None:
        from llm_contracts.run.workers.dask import on_cluster

        return on_cluster(place, cluster, processes=options.processors, at_once=options.in_flight)
    wanted = min(options.jobs, count) if options.jobs else min(options.processors, count // _ENOUGH)
    if wanted > 1:
        return processes(place, wanted, at_once=options.in_flight, died=died)
    return alone(place, project, options.workers)
