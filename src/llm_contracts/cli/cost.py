"""`llm-contracts check --cost`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click
from click.shell_completion import CompletionItem

from llm_contracts.cli.exit_codes import Exit
from llm_contracts.cli.options import run_options
from llm_contracts.cost.model import Measure
from llm_contracts.results.items import StoredResultError
from llm_contracts.results.store import RESULT
from llm_contracts.util.terminal import report_console

if TYPE_CHECKING:
    from llm_contracts.cost.model import Cost
    from llm_contracts.project.config import Project
    from llm_contracts.project.scenario import Scenario
    from llm_contracts.results.store import Stored
    from llm_contracts.run.check import Options
    from llm_contracts.wire.interaction import Interaction
    from llm_contracts.wire.protocols import Protocols

Function = TypeVar("Function", bound=Callable[..., Any])


class _Limit(click.ParamType[tuple[Measure, float]]):
    """`MEASURE=RATIO`."""

    name = "limit"

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> tuple[Measure, float]:
        """The measure and the number.

        Raises:
            click.BadParameter: it is none, naming what it may be.
        """
        name, _, number = str(value).partition("=")
        if name not in list(Measure):
            self.fail(f"{value!r}: name one of {', '.join(Measure)}, as in {Measure.CPU_PER_CHUNK}=2.0.")
        try:
            ratio = float(number)
        except ValueError:
            ratio = 0.0
        if not 0 < ratio < float("inf"):
            self.fail(f"{value!r}: after the = goes a ratio, such as 2.0.", parameter, context)
        return Measure(name), ratio

    def shell_complete(
        self, _context: click.Context, _parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The measures."""
        return [
            click.shell_completion.CompletionItem(f"{name}=")
            for name in Measure
            if name.startswith(incomplete)
        ]


def cost_options(command: Function) -> Function:
    """`--cost` and `--cost-at-most`."""
    command = click.option(
        "--cost-at-most",
        multiple=True,
        type=_Limit(),
        metavar="MEASURE=RATIO",
        help="Exit code 1 if a call costs more than so many times what it does over the reference; implies "
        f"--cost. Measures: {', '.join(Measure)}. May be given several times.",
    )(command)
    return click.option(
        "--cost",
        is_flag=True,
        help="Measure afterwards what calls cost over either client: processor time per chunk and per call, "
        "time to the first delta, peak memory. Takes seconds a provider.",
    )(command)


def wants_cost(given: Mapping[str, Any]) -> bool:
    """Whether costs are to be measured."""
    return bool(given["cost"] or given["cost_at_most"])


def stored_cost(stored: Stored) -> Cost | None:
    """The costs in a stored result; None where none were measured.

    Raises:
        StoredResultError: they cannot be read.
    """
    from llm_contracts.cost.document import cost_from

    value = stored.document.get("cost")
    try:
        return None if value is None else cost_from(value)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        msg = f"{stored.folder / RESULT}: the costs are damaged ({type(error).__name__}). Run check again."
        raise StoredResultError(msg) from error


def refuse_stray_cost(given: Mapping[str, Any]) -> None:
    """Costs are measured on the recordings as they are, on one machine.

    Raises:
        click.UsageError: naming the option that does not go with that.
    """
    for option in ("sweep", "shard"):
        if wants_cost(given) and given.get(option) is not None:
            raise click.UsageError(f"--cost does not go with --{option}. Measure in a run of its own.")


def with_cost(
    project: Project, scenarios: Sequence[Scenario], given: Mapping[str, Any], finish: Callable[..., str]
) -> tuple[str, Exit]:
    """Measure, print, and keep what was found.

    Args:
        project: where the recordings are.
        scenarios: those that were checked.
        given: the options of the check.
        finish: writes the result with further fields, and gives its text.

    Returns:
        The text, and the code that the costs alone would earn.
    """
    from llm_contracts.cost.document import cost_document
    from llm_contracts.cost.terminal import print_cost

    cost = _measured(project, scenarios, run_options(given), dict(given["cost_at_most"]))
    if str(given["json_file"]) != "-":
        print_cost(report_console(), cost)
    return finish(cost=cost_document(cost)), Exit.DIVERGENCE if cost.exceeded else Exit.AGREEMENT


def _measured(
    project: Project, scenarios: Sequence[Scenario], options: Options, at_most: Mapping[Measure, float]
) -> Cost:
    from llm_contracts.cost.drive import Driver
    from llm_contracts.cost.run import CostPlan, measure
    from llm_contracts.run.check import match_of

    plan = CostPlan(at_most=at_most, meter=Driver(timeout=options.timeout))
    match = match_of(project, options, _no_engine)
    with _told(len({row.provider for row in scenarios})) as done:
        return measure(project, scenarios, match, plan, progress=done)


def _no_engine(_interactions: tuple[Interaction, ...], _protocols: Protocols = ()) -> NoReturn:
    raise AssertionError


@contextmanager
def _told(total: int) -> Iterator[Callable[[str], None]]:
    """A bar that is drawn only between providers: one that keeps moving takes processor time, too."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("cost"), MofNCompleteColumn(), TextColumn("{task.fields[done]}"))
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, auto_refresh=False, disable=not sys.stderr.isatty()
    ) as progress:
        task = progress.add_task("cost", total=total, done="")
        progress.refresh()

        def done(name: str) -> None:
            progress.update(task, advance=1, done=name, refresh=True)

        yield done
