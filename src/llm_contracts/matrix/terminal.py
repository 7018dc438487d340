"""A matrix on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.console import Group as Stack
from rich.padding import Padding
from rich.table import Table as Lines
from rich.text import Text

from llm_contracts.matrix.grid import Grid, grid, notes, scenarios_in, short_names
from llm_contracts.matrix.table import ChangeDirection, ReleaseChange, Table
from llm_contracts.results.document import json_text
from llm_contracts.util.terminal import fits, listed, titled
from llm_contracts.util.text import and_more, first_names

if TYPE_CHECKING:
    from llm_contracts.matrix.bisect import Bracket, Target

_SHOWN_CHANGES = 12
_SHOWN_IDS = 3
_LONGEST_VALUE = 100

WAYS: Mapping[ChangeDirection, str] = {
    ChangeDirection.NEW: "new",
    ChangeDirection.OTHER: "in other values",
    ChangeDirection.GONE: "gone",
    ChangeDirection.ALIKE: "both clients alike, but not as under the pinned releases",
}
"""The ways in words."""


def print_matrix(console: Console, table: Table, names: tuple[str, str]) -> None:
    """Print the table, what changed against the pinned releases, and what could not be tried.

    Args:
        console: where to.
        table: what was found.
        names: the reference and the candidate.
    """
    for section in _sections(table, names, console.width):
        console.print(section)


def print_bisection(console: Console, goal: Target, found: Bracket, package: str) -> None:
    """Print which release made the difference, and how that is known."""
    way = "brought" if goal.appears else "removed"
    console.print(Text.assemble((f"{package} {found.after}", "bold"), f" {way} ", (goal.kind, "bold red")))
    lines = [
        f"{package} {found.before} is the last release without that change.",
        f"in {scenarios_in(len(goal.scenarios))}: {first_names(goal.scenarios, _SHOWN_IDS)}",
        f"tried on the way: {', '.join(found.tried) or 'nothing, they are neighbours'}",
    ]
    if found.untried:
        lines.append(f"could not be tried, so it may be one of these: {', '.join(found.untried)}")
    for line in lines:
        console.print(Padding(Text(line), (0, 0, 0, 2)))


def _sections(table: Table, names: tuple[str, str], width: int) -> Iterator[RenderableType]:
    size = f"   {scenarios_in(len(table.pinned.items))}"
    yield Text.assemble((names[0], "bold"), " against ", (names[1], "bold"), (size, "dim"))
    yield Text("")
    yield from _grids(grid(table), width)
    yield Text("* pinned; (+ new or in other values, - gone) against it", style="dim")
    yield from _changes(table)
    yield from listed("Notes", notes(table), "yellow")
    yield Text("")
    yield _summary(table)


def _grids(whole: Grid, width: int) -> Iterator[RenderableType]:
    """As many pairs side by side as fit, then the next."""
    start, end = 0, len(whole.columns)
    while start < end:
        stop = next(
            (n for n in range(end, start, -1) if fits(_lines(whole.part(start, n)), width)), start + 1
        )
        yield _lines(whole.part(start, stop))
        yield Text("")
        start = stop


def _lines(part: Grid) -> Lines:
    lines = Lines(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    lines.add_column("LiteLLM\nopenai", style="")
    for litellm, openai in part.columns:
        lines.add_column(f"{litellm}\n{openai}", justify="right", no_wrap=True)
    for name, *texts in part.rows:
        lines.add_row(name, *(Text(text, style="red" if "+" in text else "") for text in texts))
    return lines


def _changes(table: Table) -> Iterator[RenderableType]:
    found = table.changes
    if not found:
        return
    yield from titled(f"Changes against {table.pinned.pair} ({len(found)})")
    names = short_names(table)
    yield from (_change(change, names) for change in found[:_SHOWN_CHANGES])
    if rest := and_more(found, _SHOWN_CHANGES):
        yield Text(f"{rest}; --json FILE lists them all", style="dim")


def _change(change: ReleaseChange, names: Mapping[str, str]) -> RenderableType:
    style = "red" if change.fails else "yellow" if change.way is not ChangeDirection.GONE else "green"
    severity = [str(change.kind.severity)] if change.kind else []
    remarks = [WAYS[change.way], *severity, *(["accepted"] if change.accepted else [])]
    remarks += ["does not count: not supported"] if change.excused else []
    head = Text.assemble(
        (f"{change.kind or 'outcome'}", f"bold {style}"),
        f" at {change.where}",
        (f"   {', '.join(remarks)}", "dim"),
    )
    where = [
        Text.assemble((names[pair], "bold"), f"  {scenarios_in(len(ids))}: {first_names(ids, _SHOWN_IDS)}")
        for pair, ids in change.scenarios.items()
    ]
    return Stack(head, Padding(Stack(*where, *_values(change)), (0, 0, 0, 4), expand=False))


def _values(change: ReleaseChange) -> Iterator[Text]:
    one, other = change.example
    if change.way is ChangeDirection.ALIKE:
        rows = [("pinned", one), ("here", other)]
    else:
        rows = [("both", one)] if one == other else [("reference", one), ("candidate", other)]
    if change.way is ChangeDirection.OTHER:
        rows.append(("pinned", change.before))
    for label, value in rows:
        text = json_text(value)
        short = text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"
        yield Text.assemble((f"{label:11}", "dim"), short)


def _summary(table: Table) -> Text:
    ran = sum(cell.ran for cell in table.cells)
    failing = sum(change.fails for change in table.changes)
    parts = [f"{ran} pair{'' if ran == 1 else 's'} of releases against {table.pinned.pair}"]
    if ran < len(table.cells):
        parts.append(f"{len(table.cells) - ran} not tried")
    parts.append(f"{failing} changes for the worse" if failing else "nothing changes for the worse")
    return Text(", ".join(parts) + ".", style="red" if failing else "green")
