"""`llm-contracts check`."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from llm_contracts import run
from llm_contracts.cli.exits import Exit, exit_of
from llm_contracts.cli.options import json_option, match_options, project_here, run_options, selection_options
from llm_contracts.cli.output import progress_bar, refuse_secrets, report_console, write_text
from llm_contracts.cli.stored import report_option, stored_items
from llm_contracts.cli.sweep import refuse_stray_options, run_sweep, sweep_options
from llm_contracts.config import ConfigError, Project, environment
from llm_contracts.inputs import input_files
from llm_contracts.record_endpoint import secrets_in
from llm_contracts.store import RESULT
from llm_contracts.views.document import to_json
from llm_contracts.views.terminal import print_result

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from llm_contracts.parity.result import Item, Result

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
    secrets = secrets_in(environment(project.settings, os.environ), project.providers)
    for scenario in scenarios:
        _refuse_secrets_in(project.cassette(scenario), secrets)
    if given["sweep"] is not None:
        return run_sweep(project, scenarios, given, secrets)
    started_at = datetime.now(UTC).isoformat()
    folder = _folder(project, given)
    with progress_bar("check", len(scenarios)) as done, stored_items(folder, started_at, secrets) as keep:

        def progress(item: Item) -> None:
            keep(item)
            done(item.id)

        result = run.check(project, scenarios, run_options(given), progress=progress)
    text = to_json(
        result,
        checked_at=datetime.now(UTC).isoformat(timespec="seconds"),
        started_at=started_at,
        inputs=input_files(project.settings),
    )
    refuse_secrets("the result", text.encode(), secrets)
    _hand_over(result, text, folder, given["json_file"])
    return exit_of(result)


def _folder(project: Project, given: Mapping[str, Any]) -> Path | None:
    """Where the result is to be kept; None for a part, which must not replace the whole."""
    asked: Path | None = given["report"]
    return asked if asked is not None or given["scenarios"] else project.settings.report


def _hand_over(result: Result, text: str, folder: Path | None, json_file: Path | None) -> None:
    if folder is not None:
        write_text(folder / RESULT, text)
    if json_file is not None:
        write_text(json_file, text)
    if str(json_file) != "-":
        print_result(report_console(), result)


def _refuse_secrets_in(file: Path, secrets: Mapping[str, str]) -> None:
    if secrets and file.is_file():
        refuse_secrets(str(file), file.read_bytes(), secrets)
