"""`llm-contracts matrix`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from llm_contracts.cli.exit_codes import Exit
from llm_contracts.cli.matrix_progress import matrix_progress
from llm_contracts.cli.options import (
    client_options,
    jobs_option,
    json_option,
    project_here,
    selection_options,
    timeout_option,
)
from llm_contracts.cli.stored import report_option, secrets_of
from llm_contracts.matrix.cell import Cell
from llm_contracts.matrix.pair import LATEST, ReleasePair
from llm_contracts.matrix.table import Table
from llm_contracts.parity.divergence import Kind
from llm_contracts.project.config import ConfigError, Project
from llm_contracts.util.files import write_text
from llm_contracts.util.terminal import report_console
from llm_contracts.util.versions import versions
from llm_contracts.wire.scrub.scrubber import refuse_secrets

_EXAMPLES = """\b
Examples:
  llm-contracts matrix
  llm-contracts matrix --litellm 1.95.0,1.101.0 --provider deepseek
  llm-contracts matrix --litellm latest --openai latest --json matrix.json
  llm-contracts matrix --litellm 1.109.1 --openai 3.54.0 --override certifi
  llm-contracts matrix --reference openai --candidate litellm --scenario plain-stream
  llm-contracts matrix --reference openai --candidate litellm --litellm 1.93.2,1.101.0 --bisect usage
"""


@click.command(epilog=_EXAMPLES)
@click.option(
    "--litellm",
    multiple=True,
    metavar="V[,V…]",
    help="Releases of LiteLLM to try, or latest; may be given several times. By default, if --openai is not "
    "given either, the pairs of matrix.toml.",
)
@click.option(
    "--openai",
    multiple=True,
    metavar="V[,V…]",
    help="Releases of openai, each to be tried with each of LiteLLM; by default the installed one.",
)
@selection_options
@client_options
@click.option(
    "--corpus",
    type=click.Path(exists=True, path_type=Path),
    metavar="SOURCE",
    help="Compare over streams recorded elsewhere, as `corpus` does, in place of the project's recordings.",
)
@click.option(
    "--bisect",
    type=click.Choice([str(kind) for kind in Kind]),
    metavar="KIND",
    help="Find the release between two that brought this kind of difference, or took it away.",
)
@click.option(
    "--override",
    "overrides",
    multiple=True,
    metavar="REQUIREMENT",
    help="Take this whatever packages ask for (`certifi`: any release of it); beside those of matrix.toml.",
)
@click.option(
    "--with",
    "requirements",
    multiple=True,
    metavar="REQUIREMENT",
    help="What else the paths need to be importable; beside the requirements of matrix.toml.",
)
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where environments are kept, in place of the user's cache folder. It can be deleted at any time.",
)
@click.option(
    "--cost",
    is_flag=True,
    help="Measure under each pair, too, what calls cost over the candidate, in times of the reference.",
)
@jobs_option
@timeout_option(300.0)
@report_option
@click.option(
    "--markdown",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the tables as Markdown, too.",
)
@json_option
def matrix(**given: Any) -> Exit:
    """Check under other releases of LiteLLM and openai.

    Each pair gets an environment of its own (uv makes and keeps it), in which only those packages differ from
    the installed ones that have to. Everything is held against the installed, pinned pair. A pair that cannot
    be had is reported by name, and the others run. The whole result of each pair is left in report/matrix/,
    for `llm-contracts report --report`.

    Exit code 1 if under any pair something unaccepted differs that does not under the pinned one. Ctrl-C
    leaves what is known by then.
    """
    from llm_contracts.cli.matrix_bisect import run_bisection
    from llm_contracts.cli.matrix_setup import matrix_of, setup

    _refuse_stray_cost(given)
    project = project_here()
    scenarios = _selected(project, given)
    ready = setup(project, given)
    pairs = _pairs(given, ready.plan.pairs)
    if given["bisect"] is not None:
        return run_bisection(ready, pairs, given)
    pairs = [pair for pair in pairs if pair != ready.pinned]
    if not pairs:
        msg = f"There is nothing to try but {ready.pinned}, which is installed. Name releases: --litellm V."
        raise ConfigError(msg)
    ran: list[Cell] = []
    try:
        with matrix_progress(len(pairs) + 1, scenarios) as (step, done):
            tried = matrix_of(ready, ready.arguments)

            def keep(cell: Cell) -> None:
                ran.append(cell)
                done(cell)

            table = tried.table(pairs, step=step, done=keep)
    except KeyboardInterrupt:
        # It took long to come this far.
        if len(ran) > 1:
            _hand_over(project, Table(pinned=ran[0], cells=tuple(ran[1:])), given)
        raise
    _hand_over(project, table, given)
    return exit_for(table)


def _refuse_stray_cost(given: Mapping[str, Any]) -> None:
    for option in ("corpus", "bisect"):
        if given["cost"] and given[option] is not None:
            raise click.UsageError(f"--cost does not go with --{option}.")


def _selected(project: Project, given: Mapping[str, Any]) -> int | None:
    """How many scenarios there are to run, if that is known beforehand."""
    if given["corpus"] is not None:
        if given["scenarios"]:
            raise click.UsageError("--scenario does not go with --corpus, whose streams have no scenarios.")
        return None
    scenarios = project.select(given["providers"], given["scenarios"])
    recorded = sum(project.cassette(scenario).is_file() for scenario in scenarios)
    if not recorded:
        raise ConfigError("There is nothing to check: no recording fits that. See `llm-contracts record`.")
    return recorded


def _pairs(given: Mapping[str, Any], planned: Sequence[ReleasePair]) -> list[ReleasePair]:
    """What is asked for, each pair once; where nothing is, what the project plans."""
    used = versions()
    litellm, openai = (_split(given[name]) for name in ("litellm", "openai"))
    if not litellm and not openai:
        pairs = list(planned) or [ReleasePair(litellm=LATEST, openai=LATEST)]
    else:
        pairs = [
            ReleasePair(litellm=one, openai=other)
            for one in litellm or [used["litellm"]]
            for other in openai or [used["openai"]]
        ]
    return list(dict.fromkeys(pairs))


def _split(values: Iterable[str]) -> list[str]:
    """Releases, however they were put: one after the other, or with commas or blanks between."""
    return [part for value in values for part in value.replace(",", " ").split()]


def _hand_over(project: Project, table: Table, given: Mapping[str, Any]) -> None:
    from llm_contracts.cli.matrix_setup import shown_command
    from llm_contracts.matrix.document import matrix_document
    from llm_contracts.matrix.markdown import matrix_markdown
    from llm_contracts.matrix.terminal import print_matrix
    from llm_contracts.results.document import json_text

    settings = project.settings
    names = (given["reference"] or settings.reference, given["candidate"] or settings.candidate)
    document = matrix_document(
        table,
        reference=names[0],
        candidate=names[1],
        command=shown_command(given),
        checked_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    text = json_text(document, indent=1) + "\n"
    refuse_secrets("the result", text.encode(), secrets_of(project))
    if given["markdown"] is not None:
        write_text(given["markdown"], matrix_markdown(table))
    if given["json_file"] is not None:
        write_text(given["json_file"], text)
    if str(given["json_file"]) != "-":
        print_matrix(report_console(), table, names)


def exit_for(table: Table) -> Exit:
    """The code of a finished matrix. Where nothing could be tried, nothing has been found out; where the
    latest releases are the pinned ones, all is known.
    """
    if table.pinned.unreadable:
        return Exit.UNREADABLE
    if table.cells and not any(cell.ran for cell in table.cells):
        return Exit.USAGE
    return Exit.DIVERGENCE if table.fails else Exit.AGREEMENT
