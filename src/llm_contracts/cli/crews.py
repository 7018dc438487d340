"""Who does the work, by the options of the command line."""

from __future__ import annotations

from llm_contracts.config import Project
from llm_contracts.crew import Crew, Workplace, alone
from llm_contracts.processes import processes
from llm_contracts.run import Options

_ENOUGH = 100  # recordings for each process: below this, importing the clients costs more than it saves


def crew_for(place: Workplace, project: Project, options: Options, count: int) -> Crew:
    """The crew for so many recordings: a process for each processor, or this one alone where that is quicker
    or `--jobs 1` says so.
    """
    wanted = min(options.jobs, count) if options.jobs else min(options.processors, count // _ENOUGH)
    if wanted > 1:
        return processes(place, wanted, at_once=options.in_flight)
    return alone(place, project, options.workers)
