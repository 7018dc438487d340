"""`llm-contracts check --sweep`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from llm_contracts.cli.exit_codes import Exit, exit_of
from llm_contracts.cli.options import run_options
from llm_contracts.project.inputs import input_files
from llm_contracts.results.document import json_text
from llm_contracts.run.engines import EngineName
from llm_contracts.sweep.run import Extent, Swept, sweep
from llm_contracts.sweep.terminal import print_sweep
from llm_contracts.sweep.variants import Family
from llm_contracts.util.files import write_text
from llm_contracts.util.terminal import progress_bar, report_console
from llm_contracts.wire.scrub.scrubber import refuse_secrets

if TYPE_CHECKING:
    from llm_contracts.project.config import Project
    from llm_contracts.project.scenario import Scenario

Function = TypeVar("Function", bound=Callable[..., Any])

RESULT = "sweep.json"
_ALL = "all"
_MANY = 100  # recordings from which a sweep takes minutes
_OF_PLAIN_CHECKS = ("pieces", "speed", "report", "shard")


def sweep_options(command: Function) -> Function:
    """`--sweep` and `--every`."""
    families = click.Choice([_ALL, *map(str, Family)])
    command = click.option(
        "--every",
        is_flag=True,
        help="With --sweep: at every event and every byte, however long the recording. Takes hours for all.",
    )(command)
    return click.option(
        "--sweep",
        type=families,
        is_flag=False,
        flag_value=_ALL,
        help="Vary each recording: in other pieces and other spellings (recut), ended too early (ends), "
        "with stalls, broken events and refusals (faults), or all of that. Takes minutes.",
    )(command)


def refuse_stray_options(given: Mapping[str, Any]) -> None:
    """Options that mean nothing in the kind of run that was asked for.

    Raises:
        click.UsageError: naming the option.
    """
    if given["sweep"] is None:
        if given["every"]:
            raise click.UsageError("--every goes with --sweep.")
        return
    if given["engine"] != str(EngineName.WIRE):
        raise click.UsageError("--sweep needs the wire engine: the other one knows neither pieces nor ends.")
    context = click.get_current_context()
    for name in _OF_PLAIN_CHECKS:
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name} does not go with --sweep, which has ways of its own.")


def run_sweep(
    project: Project,
    scenarios: Sequence[Scenario],
    given: Mapping[str, Any],
    secrets: Mapping[str, str],
) -> Exit:
    """Sweep these scenarios, print what differs, and keep the result apart from that of a check."""
    recorded = sum(project.cassette(scenario).is_file() for scenario in scenarios)
    if recorded > _MANY or given["every"]:
        click.echo(
            f"{recorded} recordings, each in many variants: this takes minutes"
            f"{' to hours' if given['every'] else ''}. --provider and --scenario narrow it.",
            err=True,
        )
    extent = Extent(families=_families(given["sweep"]), every=given["every"])
    with progress_bar("sweep", recorded) as done:
        swept = sweep(
            project, scenarios, run_options(given), extent, progress=lambda name, _count: done(name)
        )
    _hand_over(project, swept, given, secrets)
    return exit_of(swept.result)


def _families(asked: str) -> tuple[Family, ...]:
    return tuple(Family) if asked == _ALL else (Family(asked),)


def _hand_over(project: Project, swept: Swept, given: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
    document = swept.document(
        sweep=given["sweep"],
        every=given["every"],
        checked_at=datetime.now(UTC).isoformat(timespec="seconds"),
        inputs=input_files(project.settings),
    )
    text = json_text(document, indent=1) + "\n"
    refuse_secrets("the result", text.encode(), secrets)
    if not (given["scenarios"] or given["providers"]):
        write_text(project.settings.report / RESULT, text)
    if given["json_file"] is not None:
        write_text(given["json_file"], text)
    if str(given["json_file"]) != "-":
        print_sweep(report_console(), swept.result)
