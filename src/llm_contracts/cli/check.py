"""`llm-contracts check`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from llm_contracts.cli.cost import cost_options, refuse_stray_cost, wants_cost, with_cost
from llm_contracts.cli.exit_codes import Exit, exit_of
from llm_contracts.cli.options import (
    json_option,
    match_options,
    project_here,
    run_options,
    selection_options,
    shard_option,
)
from llm_contracts.cli.stored import report_option, secrets_of
from llm_contracts.cli.sweep import refuse_stray_options, run_sweep, sweep_options
from llm_contracts.cli.workers import crew_for
from llm_contracts.project.config import ConfigError, Project
from llm_contracts.project.inputs import input_files
from llm_contracts.reporting.terminal import print_result
from llm_contracts.results.items import packed
from llm_contracts.results.writer import writing
from llm_contracts.run import check as run
from llm_contracts.run.merge import check_plan, part
from llm_contracts.run.shards import owned
from llm_contracts.util.files import write_text
from llm_contracts.util.terminal import progress_bar, report_console
from llm_contracts.wire.scrub.scrubber import refuse_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from llm_contracts.project.scenario import Scenario

_EXAMPLES = """\b
Examples:
  llm-contracts check
  llm-contracts check --provider deepseek --json -
  llm-contracts check --scenario plain-stream --reference openai --candidate litellm
  llm-contracts check --candidate mycompany.client:stream --engine vcr
  llm-contracts check --sweep ends --provider deepseek
  llm-contracts check --provider openai --cost-at-most cpu_per_chunk=2.0
"""


@click.command(epilog=_EXAMPLES)
@selection_options
@match_options
@shard_option
@report_option
@json_option
@sweep_options
@cost_options
def check(**given: Any) -> Exit:
    """Replay every recording through both clients and compare.

    Prints the table, what has to be decided, and a verdict per provider; leaves the whole result in
    report/. A part of the scenarios (--scenario) gives no verdict and is stored only where --report says;
    one of several machines' parts (--shard) is stored in a folder of its own, for `report --merge`.
    A sweep of all recordings is kept in report/sweep.json; it gives no verdict.
    """
    refuse_stray_options(given)
    refuse_stray_cost(given)
    project = project_here()
    scenarios = project.select(given["providers"], given["scenarios"])
    if not scenarios:
        msg = f"There is nothing to check: {project.settings.scenarios} has no scenario for that."
        raise ConfigError(msg)
    secrets = secrets_of(project)
    for scenario in scenarios:
        _refuse_secrets_in(project.cassette(scenario), secrets)
    if given["sweep"] is not None:
        return run_sweep(project, scenarios, given, secrets)
    folder = _folder(project, given)
    options = run_options(given)
    place = run.scenario_place(project, options, packed)
    count = sum(owned(options.shard, row.name) for row in scenarios)
    deaths: list[str] = []
    crew = crew_for(place, project, options, count, died=deaths.append)
    with writing(folder, secrets) as writer:
        with progress_bar("check", count) as done:
            result = run.check(project, scenarios, options, crew=crew, progress=writer.reporting(done))
        result = replace(result, warnings=(*result.warnings, *deaths))
        inputs = input_files(project.settings, writer.code)
        finish = partial(writer.finish, result, inputs=inputs, **_part(project, scenarios, options))
        text, code = finish(), exit_of(result)
        if str(given["json_file"]) != "-":
            print_result(report_console(), result, {row.provider for row in project.scenarios})
        if wants_cost(given):
            text, costs = with_cost(project, scenarios, given, finish)
            code = code or costs
    if given["json_file"] is not None:
        write_text(given["json_file"], text)
    return code


def _part(project: Project, scenarios: Sequence[Scenario], options: run.Options) -> Mapping[str, Any]:
    if options.shard is None:
        return {}
    return part(check_plan(project, options), [scenario.name for scenario in scenarios])


def _folder(project: Project, given: Mapping[str, Any]) -> Path | None:
    """Where the result is to be kept; None for a part, which must not replace the whole."""
    asked: Path | None = given["report"]
    if asked is not None:
        return asked
    if given["shard"] is not None:
        folder: str = given["shard"].folder
        return project.settings.report / folder
    return None if given["scenarios"] else project.settings.report


def _refuse_secrets_in(file: Path, secrets: Mapping[str, str]) -> None:
    if secrets and file.is_file():
        refuse_secrets(str(file), file.read_bytes(), secrets)
