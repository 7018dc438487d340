"""`llm-contracts matrix`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from llm_contracts.cli import frame, option
from llm_contracts.cli.exit_codes import Exit
from llm_contracts.cli.paths import InputPath
from llm_contracts.matrix.plan import MatrixRequest, ReleasePair, load_plan
from llm_contracts.parity.divergence import Kind
from llm_contracts.project.config import ConfigError, Project
from llm_contracts.util.text import count

if TYPE_CHECKING:
    from llm_contracts.matrix.run import MatrixRun
    from llm_contracts.matrix.table import Cell, Table

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
@option.as_one(
    "request",
    MatrixRequest,
    click.option(
        "--litellm",
        multiple=True,
        metavar="V[,V…]",
        help="Releases of LiteLLM to try, or latest; may be given several times. Without --openai, "
        "the default is the pairs of matrix.toml.",
    ),
    click.option(
        "--openai",
        multiple=True,
        metavar="V[,V…]",
        help="Releases of openai, each to be tried with each of LiteLLM; by default the installed one.",
    ),
    option.selection,
    option.clients,
    click.option(
        "--corpus",
        type=InputPath(),
        metavar="SOURCE",
        help="Compare over streams recorded elsewhere, as `corpus` does, not the project's recordings.",
    ),
    click.option(
        "--bisect",
        type=click.Choice([str(kind) for kind in Kind]),
        metavar="KIND",
        help="Find the release between two that brought this kind of difference, or removed it.",
    ),
    click.option(
        "--override",
        "overrides",
        multiple=True,
        metavar="REQUIREMENT",
        help="Take this whatever packages ask for (`certifi`: any release); beside those of matrix.toml.",
    ),
    click.option(
        "--with",
        "requirements",
        multiple=True,
        metavar="REQUIREMENT",
        help="What else the clients need to be importable; beside the requirements of matrix.toml.",
    ),
    option.folder(
        "--cache", text="Where uv keeps packages and environments, in place of its own cache folder."
    ),
    option.flag(
        "--cost", "Also measure under each pair how many times the reference's cost the candidate's is."
    ),
    option.jobs,
    option.timeout(300.0),
    option.report,
)
@option.asked_file("--markdown", "Write the tables as Markdown, too.", dash=False)
@option.json_file
def matrix(*, request: MatrixRequest) -> Exit:
    """Check under other releases of LiteLLM and openai.

    Each pair of releases gets an environment of its own (uv builds and caches it), in which only those
    packages differ from the installed ones that have to. Everything is compared with the installed, pinned
    pair. A pair that cannot be had is reported by name, and the others run. The whole result of each pair is
    left in report/matrix/, for `llm-contracts report --report`.

    Exit code 1 if under any pair something unaccepted differs that does not under the pinned one. Ctrl-C
    leaves what is known by then.
    """
    from llm_contracts.matrix.progress import matrix_progress
    from llm_contracts.matrix.run import matrix_run
    from llm_contracts.matrix.table import Table

    for name in ("corpus", "bisect"):
        if request.cost and getattr(request, name) is not None:
            raise click.UsageError(f"--cost does not go with --{name}.")
    project = frame.project_here(needed=request.corpus is None)
    _refuse_nothing(project, request)
    plan = load_plan(project.settings.matrix)
    run = matrix_run(project, request, plan, os.environ)
    pairs = request.pairs(plan.pairs)
    if request.bisect is not None:
        return bisect_command(project, request, run, Kind(request.bisect), pairs)
    pairs = [pair for pair in pairs if pair != run.pinned]
    if not pairs:
        raise ConfigError(
            f"There is nothing to try but {run.pinned}, which is installed. Name releases: --litellm V."
        )
    ran: list[Cell] = []
    finish = partial(_finish, project, request)
    try:
        with matrix_progress(len(pairs) + 1) as done:

            def keep(cell: Cell) -> None:
                ran.append(cell)
                done(cell)

            table = run.table(pairs, done=keep)
    except KeyboardInterrupt:
        # It took long to come this far.
        if len(ran) > 1:
            finish(Table(pinned=ran[0], cells=tuple(ran[1:])))
        raise
    finish(table)
    return exit_for(table)


def _refuse_nothing(project: Project, request: MatrixRequest) -> None:
    """Say so beforehand where no pair would have anything to check."""
    if request.corpus is not None:
        if request.scenarios:
            raise click.UsageError("--scenario does not go with --corpus, whose streams have no scenarios.")
        return
    scenarios = project.select(request.providers, request.scenarios)
    if not any(project.cassette(scenario).is_file() for scenario in scenarios):
        raise ConfigError("There is nothing to check: no recording fits that. See `llm-contracts record`.")


def _finish(project: Project, request: MatrixRequest, table: Table) -> None:
    from llm_contracts.matrix.markdown import matrix_markdown
    from llm_contracts.util.terminal import print_markdown

    settings = project.settings
    names = (request.reference or settings.reference, request.candidate or settings.candidate)
    document = table.document(
        reference=names[0], candidate=names[1], command=request.command, checked_at=frame.now()
    )
    page, compared = matrix_markdown(table), count(len(table.pinned.items), "scenario")
    frame.hand_over(
        document,
        lambda console: print_markdown(console, f"{names[0]} against {names[1]}, {compared}\n\n{page}"),
        frame.secrets_of(project),
        page=page,
    )


def bisect_command(
    project: Project, request: MatrixRequest, run: MatrixRun, kind: Kind, pairs: Sequence[ReleasePair]
) -> Exit:
    from llm_contracts.matrix.bisect import bisect_document, ends, run_bisection
    from llm_contracts.matrix.markdown import bisection_markdown
    from llm_contracts.matrix.table import FORMAT
    from llm_contracts.util.terminal import echo, print_markdown

    between = ends(run.pinned, pairs)
    found = run_bisection(run, request, kind, between, partial(echo, err=True))
    if isinstance(found, str):
        echo(found)
        return Exit.AGREEMENT
    page = bisection_markdown(*found, between[0])
    document = {"format": FORMAT, "bisect": bisect_document(*found, between[0], command=request.command)}
    frame.hand_over(document, lambda console: print_markdown(console, page), frame.secrets_of(project))
    return Exit.AGREEMENT


def exit_for(table: Table) -> Exit:
    """The code of a finished matrix. Where no pair could be tried, nothing is known; where the latest
    releases are the pinned ones, everything is.
    """
    if table.pinned.unreadable:
        return Exit.UNREADABLE
    if table.cells and not any(cell.ran for cell in table.cells):
        return Exit.USAGE
    return Exit.DIVERGENCE if table.fails else Exit.AGREEMENT
