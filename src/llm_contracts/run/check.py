"""Composition: recordings and two clients → one result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from llm_contracts.corpus import CorpusProblem
from llm_contracts.parity.result import Item, Result
from llm_contracts.parity.verdict import decide_on_result
from llm_contracts.parity.waivers import Waivers, load_waivers
from llm_contracts.project.config import Project
from llm_contracts.project.scenario import Scenario
from llm_contracts.results.items import Packed, whole
from llm_contracts.run.match import are_own, client_names, rules_of, sides
from llm_contracts.run.not_offered import without_not_offered
from llm_contracts.run.options import Options
from llm_contracts.run.pairing import Pairing
from llm_contracts.run.recut import chosen
from llm_contracts.run.scenario import run_scenario
from llm_contracts.run.shards import owned
from llm_contracts.run.workers.threads import Work, WorkerContext, WorkerPool, alone
from llm_contracts.util.text import first_names
from llm_contracts.util.versions import versions

_SHOWN_NAMES = 3

Progress = Callable[[Packed], None]
"""Told of each item when it is done, in the order in which they finish."""


def check(
    project: Project,
    scenarios: Sequence[Scenario],
    options: Options,
    *,
    workers: WorkerPool | None = None,
    progress: Progress = lambda _done: None,
) -> Result:
    """Replay the recordings of these scenarios through both clients and judge what differs.

    A recording that cannot be read becomes an item with a `problem`; the others still run. Verdicts are given
    for the providers of which every scenario was asked for. Nothing here talks to a network beyond loopback.

    Args:
        project: whose scenarios and paths they are.
        scenarios: what to replay.
        options: how.
        workers: who does it; by default this process, and then items have everything in them.
        progress: told of each item.

    Raises:
        ClientError: a client's name is unknown.
        ConfigError: the candidate is the reference, or a normalisation's name is unknown.
        WaiverError: the waivers file cannot be read.
    """
    project_waivers(project, options)  # what is wrong with them is said before anything runs
    workers = workers or alone(context_for(project, options, scenario_work), project, options.workers)
    scenarios = [row for row in scenarios if owned(options.shard, row.name)]
    recorded = [scenario.name for scenario in scenarios if project.is_recorded(scenario)]
    return concluded(project, scenarios, gathered(workers(recorded), progress), options)


def context_for(
    project: Project,
    options: Options,
    work: Callable[[Project, Pairing], Work],
    pack: Callable[[Item], Packed] = whole,
) -> WorkerContext:
    """Where tasks are done by what `work` (`scenario_work`, `entry_work`) makes of a project and its clients.

    Raises:
        ClientError: a client's name is unknown.
    """
    rules_of(project.settings)
    sides(project, options)
    return WorkerContext(settings=project.settings, options=options, work=work, pack=pack)


def scenario_work(project: Project, match: Pairing) -> Work:
    """Runs scenarios; a task is a scenario's name."""
    rows = {row.name: row for row in project.scenarios}
    shapes = chosen(filter(project.is_recorded, rows.values()))
    return lambda name: run_scenario(match, project, rows[name], thoroughly=name in shapes)


def gathered(arriving: Iterable[tuple[int, Packed]], progress: Progress) -> tuple[Item, ...]:
    """The items in the order of their tasks, each reported as it comes."""
    items: dict[int, Item] = {}
    for number, done in arriving:
        progress(done)
        items[number] = done.item
    return tuple(items[number] for number in sorted(items))


def concluded(
    project: Project,
    scenarios: Sequence[Scenario],
    items: tuple[Item, ...],
    options: Options,
    left_out: tuple[CorpusProblem, ...] = (),
) -> Result:
    """What these items of these scenarios mean: waivers applied, and a verdict for each provider of which
    every scenario was asked for. `left_out`: what the parts of a run have left out already.

    Raises:
        WaiverError: the waivers file cannot be read.
    """
    waivers = project_waivers(project, options)
    result = without_verdicts(project, items, options, waivers, left_out)
    known = {(row.provider, row.id) for row in project.scenarios}
    complaints = (*waivers.complaints, *waivers.unused(result.items, result.versions, known=known))
    ran = {*(item.id for item in result.items), *(problem.place for problem in result.left_out)}
    nothing = scenarios and not ran
    result = replace(result, complaints=complaints)
    return replace(
        result,
        missing=tuple(scenario.name for scenario in scenarios if scenario.name not in ran),
        verdicts={
            name: decide_on_result(project, name, result, today=options.today, caveats=options.caveats)
            for name in (() if options.shard else _complete(project, scenarios))
        },
        warnings=(
            *result.warnings,
            *_bystanders(project, options),
            *([nothing_recorded(project, scenarios)] if nothing else []),
            *orphans(project),
        ),
    )


def without_verdicts(
    project: Project,
    items: tuple[Item, ...],
    options: Options,
    waivers: Waivers,
    left_out: Iterable[CorpusProblem] = (),
) -> Result:
    """These items as a result: waivers applied, and apart what a client has no call for."""
    reference, candidate = client_names(project, options)
    used = versions(project.settings.distributions, (reference, candidate))
    compared, not_offered = without_not_offered(items)
    return Result(
        reference=reference,
        candidate=candidate,
        engine=options.engine,
        versions=used,
        items=waivers.applied(compared, used),
        left_out=(*left_out, *not_offered),
        complaints=waivers.complaints,
        warnings=(*waivers.warnings, *options.caveats),
    )


def project_waivers(project: Project, options: Options, file: Path | None = None) -> Waivers:
    """The waivers in this file; by default the project's, if its own two clients are compared: they are
    decisions about these, and say nothing about others.

    Raises:
        WaiverError: the file cannot be read.
    """
    settings = project.settings
    if file is None and not are_own(project, options):
        return Waivers()
    return load_waivers(file or settings.waivers, options.today, warning_days=settings.waiver_warning_days)


def _bystanders(project: Project, options: Options) -> tuple[str, ...]:
    settings = project.settings
    if are_own(project, options) or not settings.waivers.is_file():
        return ()
    about = f"{settings.reference} against {settings.candidate}"
    return (f"No waivers were applied: those of the project are about {about}.",)


def nothing_recorded(project: Project, scenarios: Sequence[Scenario]) -> str:
    """The sentence about scenarios none of which has a recording."""
    names = first_names((row.name for row in scenarios), _SHOWN_NAMES)
    folder = project.settings.shown(project.settings.cassettes)
    return (
        f"{folder}: there is no recording of {names}, so nothing was compared. Restore the folder, or say "
        "where it is ([tool.llm_contracts] cassettes), or make recordings: llm-contracts record --missing."
    )


def without_recording(project: Project, rows: Sequence[Scenario], asked: Iterable[str]) -> tuple[str, ...]:
    """A sentence for each provider or scenario that was asked for by name, and has no recording at all.

    Args:
        project: whose recordings.
        rows: the scenarios that were selected.
        asked: names of providers, and of scenarios with or without their provider.
    """
    sentences = []
    for name in asked:
        own = [row for row in rows if name in {row.provider, row.id, row.name}]
        if not any(map(project.is_recorded, own)):
            sentences.append(nothing_recorded(project, own))
    return tuple(sentences)


def orphans(project: Project) -> tuple[str, ...]:
    """A sentence for each recording below the cassettes folder that no scenario will ever replay."""
    folder = project.settings.shown(project.settings.cassettes)
    return tuple(
        f"{folder}/{name}.yaml: no scenario has this name, so it is not replayed."
        for name in project.without_scenario()
    )


def _complete(project: Project, scenarios: Sequence[Scenario]) -> Iterator[str]:
    """The providers that were asked for in full: a part is not enough for a verdict. One that has no scenario
    is answered for where all are asked for.
    """
    asked = {row.name for row in scenarios}
    everything = asked.issuperset(row.name for row in project.scenarios)
    for provider in project.providers:
        own = {row.name for row in project.scenarios if row.provider == provider.name}
        if asked >= own and (own or everything):
            yield provider.name
