"""`llm-contracts check --cost`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from llm_contracts.cli.exit_codes import Exit
from llm_contracts.cli.options import completed, joined
from llm_contracts.cost.model import Measure
from llm_contracts.util.stdout import captured_stdout

if TYPE_CHECKING:
    from llm_contracts.project.config import Project
    from llm_contracts.project.scenario import Scenario
    from llm_contracts.run.options import Options

Limits = Mapping[Measure, float]
"""The highest allowed ratio of each measure; empty if costs are only to be measured."""


def _limit(text: str) -> tuple[Measure, float]:
    """The measure and the number of `MEASURE=RATIO`."""
    name, _, number = text.partition("=")
    if name not in list(Measure):
        known = f"name one of {', '.join(Measure)}, as in {Measure.CPU_PER_CHUNK}=2.0."
        raise click.BadParameter(f"{text!r}: {known}")
    try:
        ratio = float(number)
    except ValueError:
        ratio = 0.0
    if not 0 < ratio < float("inf"):
        raise click.BadParameter(f"{text!r}: after the = goes a ratio, such as 2.0.")
    return Measure(name), ratio


def _limits(*, cost: bool, cost_at_most: tuple[tuple[Measure, float], ...]) -> Limits | None:
    return dict(cost_at_most) if cost or cost_at_most else None


cost_option = joined(
    "limits",
    _limits,
    click.option(
        "--cost",
        is_flag=True,
        help="Measure afterwards what calls cost over either client: processor time per chunk and per call, "
        "time to the first delta, peak memory. Takes seconds a provider.",
    ),
    click.option(
        "--cost-at-most",
        multiple=True,
        type=_limit,
        shell_complete=completed(*(f"{name}=" for name in Measure)),
        metavar="MEASURE=RATIO",
        help="Exit code 1 if a call costs more than so many times what it does over the reference; implies "
        f"--cost. Measures: {', '.join(Measure)}. May be given several times.",
    ),
)
"""`--cost` and `--cost-at-most`: the command's `limits`, of type `Limits | None`."""


def with_cost(
    project: Project, scenarios: Sequence[Scenario], options: Options, limits: Limits, *, quiet: bool
) -> tuple[Mapping[str, Any], Exit]:
    """Measure, and print unless `quiet`: their document, and the exit code that they alone would earn."""
    from llm_contracts.cost.document import cost_document
    from llm_contracts.cost.run import measure_with_limits
    from llm_contracts.cost.terminal import cost_progress, print_cost
    from llm_contracts.util.terminal import report_console

    with captured_stdout(), cost_progress(len({row.provider for row in scenarios})) as done:
        cost = measure_with_limits(project, scenarios, options, limits, progress=done)
    if not quiet:
        print_cost(report_console(), cost)
    return cost_document(cost), Exit.DIVERGENCE if cost.exceeded else Exit.AGREEMENT
