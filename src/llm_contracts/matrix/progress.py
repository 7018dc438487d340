"""How far a matrix is, and how long it will take."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from llm_contracts.matrix.table import Cell, CellState
from llm_contracts.util.terminal import echo, progress_bar


@contextmanager
def matrix_progress(pairs: int) -> Iterator[Callable[[Cell], None]]:
    """A function to call with each of so many pairs when it is done: a line on standard error and, on a
    terminal, a bar.
    """
    finished, started = 0, time.monotonic()
    with progress_bar("matrix", pairs, "installing and checking one pair after the other") as advance:

        def done(cell: Cell) -> None:
            nonlocal finished
            finished += 1
            left = (time.monotonic() - started) / finished * (pairs - finished)
            about = f"; about {math.ceil(left / 60)} min left" if left > 0 else ""
            echo(f"{finished} of {pairs}: {outcome(cell)}{about}", err=True)
            advance(str(cell.pair))

        yield done


def outcome(cell: Cell) -> str:
    """One pair in a line."""
    if cell.state is CellState.RAN:
        differing = len({d.item for d in cell.differences if not d.accepted})
        return f"{cell.pair}: {len(cell.items)} scenarios, {differing} differ"
    failed = "not tried" if cell.state is CellState.UNSUPPORTED else "could not be tried"
    return f"{cell.pair}: {failed}: {cell.reason}"
