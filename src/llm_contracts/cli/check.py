"""`llm-contracts check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from llm_contracts import run
from llm_contracts.cli.crews import crew_for
from llm_contracts.cli.exits import Exit, exit_of
from llm_contracts.cli.options import json_option, match_options, project_here, run_options, selection_options
from llm_contracts.cli.output import progress_bar, refuse_secrets, report_console, write_text
from llm_contracts.cli.stored import keeping, report_option, secrets_of
from llm_contracts.cli.sweep import refuse_stray_options, run_sweep, sweep_options
from llm_contracts.config import ConfigError, Project
from llm_contracts.inputs import input_files
from llm_contracts.store import packed
from llm_contracts.views.terminal import print_result

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_EXAMPLES = """\b
Examples:
  llm-contracts check
  llm-contracts check --provider deepseek --json -
  llm-contracts check --scenario plain-stream --reference openai --candidate litellm
  llm-contracts check --candidate mycompany.client:stream --engine vcr
  llm-contracts check --sweep ends --provider deepseek
"""


@click.command(epilog=_EXAMPLES)
@selection_options
@match_options
@report_option
@json_option
@sweep_options
def check(**given: Any) -> Exit:
    """Replay every recording through both paths and compare.

    Prints the table, what has to be decided, and a verdict per provider; leaves the whole result in
    report/. A part of the scenarios (--scenario) gives no verdict and is stored only where --report says.
    A sweep of all recordings is kept in report/sweep.json; it gives no verdict.
    """
    refuse_stray_options(given)
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
    crew = crew_for(place, project, options, len(scenarios))
    with progress_bar("check", len(scenarios)) as done, keeping(folder, secrets) as kept:
        result = run.check(project, scenarios, options, crew=crew, progress=kept.progress(done))
    text = kept.finish(result, inputs=input_files(project.settings))
    if given["json_file"] is not None:
        write_text(given["json_file"], text)
    if str(given["json_file"]) != "-":
        print_result(report_console(), result)
    return exit_of(result)


def _folder(project: Project, given: Mapping[str, Any]) -> Path | None:
    """Where the result is to be kept; None for a part, which must not replace the whole."""
    asked: Path | None = given["report"]
    return asked if asked is not None or given["scenarios"] else project.settings.report


def _refuse_secrets_in(file: Path, secrets: Mapping[str, str]) -> None:
    if secrets and file.is_file():
        refuse_secrets(str(file), file.read_bytes(), secrets)
