"""How far a matrix is, and how long it will take."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from llm_contracts.matrix.run import Step
from llm_contracts.matrix.table import Cell, CellState
from llm_contracts.util.terminal import TimeLeft, echo, terminal_console

Done = Callable[[Cell], None]

_MEMORY = 3600.0  # seconds over which the speed is judged: an environment has been made in between


@contextmanager
def matrix_progress(pairs: int, scenarios: int | None) -> Iterator[tuple[Step, Done]]:
    """Functions to call with each step, and with each pair that is done, of so many pairs with so many
    scenarios each, if that is known. Drawn on standard error; where that is not a terminal, each pair gets a
    line.
    """
    finished, started = 0, time.monotonic()

    def line(cell: Cell) -> None:
        nonlocal finished
        finished += 1
        left = (time.monotonic() - started) / finished * (pairs - finished)
        about = f"; about {math.ceil(left / 60)} min left" if left > 0 else ""
        echo(f"{finished} of {pairs}: {outcome(cell)}{about}", err=True)

    if not sys.stderr.isatty() or "CI" in os.environ:
        yield (lambda _what, _count: None), line
        return
    each = scenarios or 1
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn(), TimeLeft())
    with Progress(*columns, console=terminal_console(stderr=True), speed_estimate_period=_MEMORY) as progress:
        task = progress.add_task("matrix", total=pairs * each)

        def step(what: str, count: int) -> None:
            part = min(count, each) if scenarios else 0
            shown = f"{what}, {count} of {scenarios}" if count and scenarios else what
            progress.update(task, completed=finished * each + part, description=shown)

        def done(cell: Cell) -> None:
            nonlocal finished
            finished += 1
            progress.update(task, completed=finished * each)
            progress.console.print(outcome(cell), style="dim")

        yield step, done


def outcome(cell: Cell) -> str:
    """One pair in a line."""
    if cell.state is CellState.RAN:
        differing = len({d.item for d in cell.differences if not d.accepted})
        return f"{cell.pair}: {len(cell.items)} scenarios, {differing} differ"
    failed = "not tried" if cell.state is CellState.UNSUPPORTED else "could not be tried"
    return f"{cell.pair}: {failed}: {cell.reason}"
