"""`llm-contracts check --sweep`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from llm_contracts.cli.exit_codes import Exit, exit_of
from llm_contracts.cli.options import flag_option, hand_over, json_lines, now, options_as
from llm_contracts.run.engines import EngineName
from llm_contracts.sweep.variants import Family
from llm_contracts.util.files import write_text
from llm_contracts.util.stdout import captured_stdout

if TYPE_CHECKING:
    from pathlib import Path

    from llm_contracts.project.config import Project
    from llm_contracts.project.scenario import Scenario
    from llm_contracts.run.options import Options
    from llm_contracts.sweep.run import Extent

RESULT = "sweep.json"
_ALL = "all"
_MANY = 100  # recordings from which a sweep takes minutes


def _extent(*, sweep: str | None, every: bool) -> Extent | None:
    from llm_contracts.sweep.run import Extent

    if sweep is None:
        if every:
            raise click.UsageError("--every goes with --sweep.")
        return None
    return Extent(families=tuple(Family) if sweep == _ALL else (Family(sweep),), every=every)


sweep_option = options_as(
    "extent",
    _extent,
    click.option(
        "--sweep",
        type=click.Choice([_ALL, *map(str, Family)]),
        is_flag=False,
        flag_value=_ALL,
        help="Vary each recording: in other pieces and other spellings (recut), ended too early (ends), "
        "with stalls, broken events and refusals (faults), or all of that. Takes minutes.",
    ),
    flag_option(
        "--every",
        "With --sweep: at every event and every byte, however long the recording. Takes hours for all.",
    ),
)
"""`--sweep` and `--every`: the command's `extent`, of type `Extent | None`."""


def run_sweep(
    project: Project,
    scenarios: Sequence[Scenario],
    options: Options,
    extent: Extent,
    json_file: Path | None,
    secrets: Mapping[str, str],
    *,
    whole: bool,
) -> Exit:
    """Sweep these scenarios, and print what differs. A sweep of the `whole` project is stored, apart from the
    result of a check.

    Raises:
        UsageError: an option of a plain check, which means nothing here.
        SecretFound: a secret is in the result; nothing is written.
    """
    from llm_contracts.project.inputs import input_files
    from llm_contracts.results.document import to_document
    from llm_contracts.sweep.run import sweep
    from llm_contracts.sweep.terminal import print_sweep
    from llm_contracts.util.terminal import echo, progress_bar

    if options.engine is not EngineName.WIRE:
        raise click.UsageError("--sweep needs the wire engine: the other one knows neither pieces nor ends.")
    for name in ("pieces", "speed", "shard"):
        if getattr(options, name) is not None:
            raise click.UsageError(f"--{name} does not go with --sweep, which has ways of its own.")
    recorded = sum(project.cassette(scenario).is_file() for scenario in scenarios)
    if recorded > _MANY or extent.every:
        echo(
            f"{recorded} recordings, each in many variants: this takes minutes"
            f"{' to hours' if extent.every else ''}. --provider and --scenario narrow it.",
            err=True,
        )
    with captured_stdout() as printed, progress_bar("sweep", recorded, "starting the clients") as done:
        result = sweep(project, scenarios, options, extent, progress=lambda name, _count: done(name))
    result = replace(result, warnings=(*result.warnings, *printed.sentences("A client")))
    families = [*extent.families]
    document = to_document(
        result,
        sweep=_ALL if len(families) > 1 else str(families[0]),
        every=extent.every,
        checked_at=now(),
        inputs=input_files(project.settings),
    )
    hand_over(json_file, document, lambda console: print_sweep(console, result), secrets)
    if whole:
        write_text(project.settings.report / RESULT, json_lines(document))
    return exit_of(result)
