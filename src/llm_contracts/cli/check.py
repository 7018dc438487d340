"""`llm-contracts check`."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from llm_contracts import run
from llm_contracts.cli.exits import Exit, exit_of
from llm_contracts.cli.options import json_option, match_options, project_here, run_options, selection_options
from llm_contracts.cli.output import (
    progress_bar,
    refuse_secrets,
    report_console,
    write_text,
)
from llm_contracts.config import ConfigError, Project, environment
from llm_contracts.inputs import input_files
from llm_contracts.record_endpoint import secrets_in
from llm_contracts.views.document import to_json
from llm_contracts.views.terminal import print_result

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from llm_contracts.parity.result import Result

_EXAMPLES = """\b
Examples:
  llm-contracts check
  llm-contracts check --provider deepseek --json -
  llm-contracts check --scenario plain-stream --reference openai --candidate litellm
  llm-contracts check --candidate mycompany.client:stream --engine vcr
"""


@click.command(epilog=_EXAMPLES)
@selection_options
@match_options
@json_option
def check(**given: Any) -> Exit:
    """Replay every recording through both paths and compare.

    Prints the table, what has to be decided, and a verdict per provider; leaves the whole result in
    report/result.json. A part of the scenarios (--scenario) gives no verdict and is not stored.
    """
    project = project_here()
    scenarios = project.select(given["providers"], given["scenarios"])
    if not scenarios:
        msg = f"There is nothing to check: {project.settings.scenarios} has no scenario for that."
        raise ConfigError(msg)
    secrets = secrets_in(environment(project.settings, os.environ), project.providers)
    for scenario in scenarios:
        _refuse_secrets_in(project.cassette(scenario), secrets)
    with progress_bar("check", len(scenarios)) as done:
        result = run.check(project, scenarios, run_options(given), progress=lambda item: done(item.id))
    _hand_over(project, result, given, secrets)
    return exit_of(result)


def _hand_over(
    project: Project, result: Result, given: Mapping[str, Any], secrets: Mapping[str, str]
) -> None:
    text = to_json(
        result,
        checked_at=datetime.now(UTC).isoformat(timespec="seconds"),
        inputs=input_files(project.settings),
    )
    refuse_secrets("the result", text.encode(), secrets)
    if not given["scenarios"]:
        write_text(project.settings.report / "result.json", text)
    if given["json_file"] is not None:
        write_text(given["json_file"], text)
    if str(given["json_file"]) != "-":
        print_result(report_console(), result)


def _refuse_secrets_in(file: Path, secrets: Mapping[str, str]) -> None:
    if secrets and file.is_file():
        refuse_secrets(str(file), file.read_bytes(), secrets)
