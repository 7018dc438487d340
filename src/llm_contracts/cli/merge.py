"""`llm-contracts report --merge`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from llm_contracts.cli.exit_codes import Exit, exit_of
from llm_contracts.cli.stored import secrets_of
from llm_contracts.project.config import Project
from llm_contracts.reporting.terminal import print_result
from llm_contracts.results.writer import writing
from llm_contracts.run.merge import CORPUS, merged
from llm_contracts.util.terminal import progress_bar, report_console

Function = TypeVar("Function", bound=Callable[..., Any])


def merge_options(command: Function) -> Function:
    """`--merge DIR…`."""
    command = click.option(
        "--merge",
        is_flag=True,
        help="Put the parts of a run together that --shard has left in these folders: the result is that of "
        "the whole, with its verdicts and its exit code.",
    )(command)
    return click.argument("parts", nargs=-1, metavar="[PART]...", type=click.Path(path_type=Path))(command)


def refuse_stray_folders(given: Mapping[str, Any]) -> None:
    """Folders without `--merge`, or the other way round.

    Raises:
        click.UsageError: saying what is meant instead.
    """
    if given["parts"] and not given["merge"]:
        raise click.UsageError("Folders go with --merge; for another result: --report DIR.")
    if given["merge"] and not given["parts"]:
        raise click.UsageError("--merge needs the folders of the parts, such as report/shard-*.")


def merge_parts(project: Project, given: Mapping[str, Any], report: Path | None) -> tuple[Path, Exit]:
    """Merge, keep and print; where the whole is kept now, and the exit code of its run.

    Raises:
        ConfigError: see `parts.merged`.
        StoredResultError: a part cannot be read.
    """
    whole = merged(project, given["parts"], datetime.now().astimezone().date())
    own = project.settings.report / "corpus" if whole.what == CORPUS else project.settings.report
    folder = report or own
    with writing(folder, secrets_of(project)) as writer:
        with progress_bar("merge", len(whole.result.items)) as done:
            for packed in whole.lines:
                writer.add(packed)
                done(packed.item.id)
        writer.finish(whole.result, **({"inputs": dict(whole.inputs)} if whole.inputs else {}))
    print_result(report_console(), whole.result, {row.provider for row in project.scenarios})
    return folder, exit_of(whole.result)
