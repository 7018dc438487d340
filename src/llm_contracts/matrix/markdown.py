"""A matrix in Markdown: for the page in the documentation, and for what a scheduled run reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llm_contracts.matrix.grid import grid, notes, scenarios_in, short_names
from llm_contracts.matrix.table import ChangeDirection, ReleaseChange, Table
from llm_contracts.parity.compare import ABSENT
from llm_contracts.results.document import json_text
from llm_contracts.util.text import and_more

_LONGEST_VALUE = 60
_FROM = 3  # that many releases in a row are written as a range

WAYS: Mapping[ChangeDirection, str] = {
    ChangeDirection.NEW: "new",
    ChangeDirection.OTHER: "other values",
    ChangeDirection.GONE: "gone",
    ChangeDirection.ALIKE: "both alike",
}


def matrix_markdown(table: Table, *, most: int = 40) -> str:
    """The table, what changed, and what could not be tried. `most`: changes to list."""
    return "\n".join(_lines(table, most)) + "\n"


def _lines(table: Table, most: int) -> Iterator[str]:
    whole = grid(table)
    yield "| LiteLLM | " + " | ".join(litellm.replace("*", "\\*") for litellm, _ in whole.columns) + " |"
    yield "|---|" + "---:|" * len(whole.columns)
    yield "| openai | " + " | ".join(openai for _, openai in whole.columns) + " |"
    for name, *texts in whole.rows:
        label = f"`{name}`" if "_" in name or " " not in name else name
        yield f"| {label} | " + " | ".join(texts) + " |"
    yield ""
    yield "\\* pinned. In brackets, against it: + new or in other values, - gone."
    found = table.changes
    yield ""
    if found:
        yield from _changes(table, found[:most])
    else:
        yield "Nothing changes."
    if rest := and_more(found, most):
        yield ""
        yield f"{rest.capitalize()}."
    yield from ("\n" + note.replace("<", "&lt;").replace("|", "\\|") for note in notes(table))


def _changes(table: Table, found: Sequence[ReleaseChange]) -> Iterator[str]:
    names = short_names(table)
    order = [names[str(cell.pair)] for cell in (table.pinned, *table.cells) if cell.ran]
    yield "| | kind | where | under | in up to | reference | candidate | for instance in |"
    yield "|---|---|---|---|---|---|---|---|"
    for change in found:
        under = releases([names[pair] for pair in change.scenarios], order)
        remarks = f"{WAYS[change.way]}{', accepted' if change.accepted else ''}"
        remarks += ", not supported" if change.excused else ""
        example = next(iter(change.scenarios.values()))[0]
        kind = f"`{change.kind}`" if change.kind else "outcome"
        values = " | ".join(map(_value, change.example))
        values += f", pinned: {_value(change.before)}" if change.way is ChangeDirection.OTHER else ""
        size = scenarios_in(change.size)
        yield f"| {remarks} | {kind} | `{change.where}` | {under} | {size} | {values} | {example} |"


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


def _value(value: Any) -> str:
    if value == ABSENT:
        return "absent"
    text = json_text(value)
    text = text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"
    # A bar would end the cell, a backtick the code.
    return "`" + text.replace("|", "\\|").replace("`", "'").replace("\n", " ") + "`"
