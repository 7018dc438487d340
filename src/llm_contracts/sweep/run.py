"""Composition: the recordings of a project, each with all its variants → one result."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from llm_contracts.parity.result import Item, Result
from llm_contracts.parity.waivers import Waivers
from llm_contracts.project.config import Project
from llm_contracts.project.scenario import Scenario
from llm_contracts.results.document import light
from llm_contracts.results.items import masked, own_credentials
from llm_contracts.run.check import nothing_recorded, project_waivers
from llm_contracts.run.match import client_names, opened_match, own_match
from llm_contracts.run.options import Options
from llm_contracts.run.pairing import Pairing
from llm_contracts.run.scenario import blank_item, replay_call
from llm_contracts.run.workers.threads import run_jobs
from llm_contracts.simulator.openai import OPENAI
from llm_contracts.sweep.sweeper import Sweeper, opened_pieces
from llm_contracts.sweep.variants import Family
from llm_contracts.util.versions import versions

Progress = Callable[[str, int], None]
"""Called with each recording when it is done: its name, and how many variants of it ran."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Extent:
    """How much of a sweep to run. `every`: at every event and every byte."""

    families: Collection[Family] = tuple(Family)
    every: bool = False


def sweep(
    project: Project,
    scenarios: Sequence[Scenario],
    options: Options,
    extent: Extent,
    *,
    progress: Progress = lambda _name, _count: None,
) -> Result:
    """Run the variants of these scenarios' recordings through both clients.

    A recording that cannot be read becomes an item with a `problem`; the others still run. There is no
    verdict: whether a provider may cut over is decided on what it sent, not on what it might send.

    Raises:
        ClientError: a client's name is unknown.
        WaiverError: the waivers file cannot be read.
    """
    waivers = project_waivers(project, options)
    used = versions(project.settings.distributions, client_names(project, options))
    asked = [row for row in scenarios if row.streamed_chat or not row.captured]
    recorded = [scenario for scenario in asked if project.is_recorded(scenario)]

    def decided(item: Item) -> Item:
        return waivers.applied((item,), used)[0]

    def reported(ran: tuple[Item, ...]) -> None:
        progress(ran[0].id, len(ran) - 1)

    with opened_match(project, options, opened_pieces()) as match:
        jobs = (partial(_one, project, scenario, match, extent, decided) for scenario in recorded)
        ran = run_jobs(jobs, workers=options.workers, progress=reported)
    items = tuple(item for one in ran for item in one)
    return Result(
        reference=match.reference.name,
        candidate=match.candidate.name,
        engine=options.engine,
        versions=used,
        items=items,
        missing=tuple(scenario.name for scenario in scenarios if scenario not in recorded),
        complaints=(*waivers.complaints, *_useless(waivers, items, used, project, extent)),
        warnings=(*waivers.warnings, *([] if recorded else [nothing_recorded(project, scenarios)])),
    )


def _one(
    project: Project, scenario: Scenario, match: Pairing, extent: Extent, decided: Callable[[Item], Item]
) -> tuple[Item, ...]:
    """One recording and its variants. What both clients did is let go: thousands of observations would fill
    the memory.
    """
    blank, interactions = blank_item(project, scenario)
    if blank.problem is not None:
        return (light(blank),)
    provider = project.provider(scenario.provider)
    sweeper = Sweeper(
        match=own_match(match, project, provider),
        families=extent.families,
        every=extent.every,
        decided=decided,
        dialect=project.dialect_of(provider.name) or OPENAI,
    )
    items = sweeper.run(blank, interactions, replay_call(scenario, provider))
    return tuple(light(masked(item, own_credentials(item))) for item in items)


def _useless(
    waivers: Waivers, items: tuple[Item, ...], used: Mapping[str, str], project: Project, extent: Extent
) -> tuple[str, ...]:
    """Complaints about entries for variants; those for recordings are the business of a check, and what is
    about variants of any kind (`~*`) may be of use to a family that did not run.
    """
    some = set(extent.families) < set(Family)
    entries = (entry for entry in waivers.entries if entry.for_variants)
    about = replace(waivers, entries=tuple(e for e in entries if not (some and "~*" in e.scenario)))
    return about.unused(items, used, known={(row.provider, row.id) for row in project.scenarios})
