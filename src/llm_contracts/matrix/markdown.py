"""A matrix in Markdown: for a terminal, the page in the documentation, and what a scheduled run reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from llm_contracts.drift.markdown import code
from llm_contracts.matrix.grid import grid, notes, scenarios_in, short_names
from llm_contracts.matrix.table import ChangeDirection, ReleaseChange, Table
from llm_contracts.reporting.lines import value_line
from llm_contracts.util.text import and_more, count, first_names

if TYPE_CHECKING:
    from llm_contracts.matrix.bisect import Bracket, Target

_LONGEST_VALUE = 100
_SHOWN_IDS = 3
_FROM = 3  # that many releases in a row are written as a range

_WAYS: Mapping[ChangeDirection, str] = {
    ChangeDirection.NEW: "new",
    ChangeDirection.OTHER: "in other values",
    ChangeDirection.GONE: "gone",
    ChangeDirection.ALIKE: "both clients alike, but not as under the pinned releases",
}


def matrix_markdown(table: Table, *, most: int = 40, side_by_side: int = 12) -> str:
    """The table, what changed, and what could not be tried.

    Args:
        table: what was found.
        most: changes to list.
        side_by_side: pairs that stand in one table.
    """
    return "\n".join(_lines(table, most, side_by_side)) + "\n"


def _lines(table: Table, most: int, side_by_side: int) -> Iterator[str]:
    whole = grid(table)
    for start in range(0, len(whole.columns), side_by_side):
        columns = slice(start, start + side_by_side)
        litellm, openai = zip(*whole.columns[columns], strict=True)
        yield "| LiteLLM | " + " | ".join(litellm).replace("*", "\\*") + " |"
        yield "|---|" + "---:|" * len(litellm)
        yield "| openai | " + " | ".join(openai) + " |"
        for name, *texts in whole.rows:
            label = f"`{name}`" if "_" in name or " " not in name else name
            yield f"| {label} | " + " | ".join(texts[columns]) + " |"
        yield ""
    yield "\\* pinned. In brackets, against it: + new or in other values, - gone."
    yield ""
    yield from _changes(table, most)
    yield from ("\n" + note.replace("<", "&lt;").replace("|", "\\|") for note in notes(table))
    ran = sum(cell.ran for cell in table.cells)
    untried = f", {len(table.cells) - ran} not tried" if ran < len(table.cells) else ""
    failing = sum(change.fails for change in table.changes)
    worse = f"{count(failing, 'change')} for the worse" if failing else "nothing changes for the worse"
    yield f"\n**{count(ran, 'pair')} of releases against {table.pinned.pair}{untried}, {worse}.**"


def _changes(table: Table, most: int) -> Iterator[str]:
    names, found = short_names(table), table.changes
    order = [names[str(cell.pair)] for cell in (table.pinned, *table.cells) if cell.ran]
    for change in found[:most]:
        severity = [str(change.kind.severity)] if change.kind else []
        remarks = ", ".join([_WAYS[change.way], *severity, *(["accepted"] if change.accepted else [])])
        remarks += ", does not count: not supported" if change.excused else ""
        under = releases([names[pair] for pair in change.scenarios], order)
        ids = first_names(next(iter(change.scenarios.values())), _SHOWN_IDS)
        values = ", ".join(
            f"{name} {code(value_line(value, _LONGEST_VALUE))}" for name, value in _values(change)
        )
        yield f"* `{change.kind or 'outcome'}` at `{change.where}`: {remarks}. {values}."
        yield f"  Under {under}, in up to {scenarios_in(change.size)}: {ids}"
    if rest := and_more(found, most):
        yield f"\n{rest.capitalize()}; `--json FILE` lists them all."
    if not found:
        yield "Nothing changes."


def _values(change: ReleaseChange) -> Iterator[tuple[str, Any]]:
    one, other = change.example
    if change.way is ChangeDirection.ALIKE:
        yield from (("pinned", one), ("here", other))
    else:
        yield from (("both", one),) if one == other else (("reference", one), ("candidate", other))
    if change.way is ChangeDirection.OTHER:
        yield "pinned", change.before


def releases(some: Sequence[str], order: Sequence[str]) -> str:
    """Releases in words: neighbours among those that were tried become a range."""
    runs: list[list[str]] = []
    previous = -2
    for place in sorted(order.index(name) for name in some):
        if place != previous + 1:
            runs.append([])
        runs[-1].append(order[place])
        previous = place
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) >= _FROM else ", ".join(run) for run in runs)


def bisection_markdown(goal: Target, found: Bracket, package: str) -> str:
    """Which release made the difference, and how that is known."""
    way = "brought" if goal.appears else "removed"
    lines = [
        f"**{package} {found.after} {way} `{goal.kind}`**\n",
        f"* {package} {found.before} is the last release without that change.",
        f"* in {scenarios_in(len(goal.scenarios))}: {first_names(goal.scenarios, _SHOWN_IDS)}",
        f"* tried on the way: {', '.join(found.tried) or 'nothing, they are neighbours'}",
    ]
    if found.untried:
        lines.append(f"* could not be tried, so it may be one of these: {', '.join(found.untried)}")
    return "\n".join(lines)
