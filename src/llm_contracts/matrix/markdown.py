"""A matrix in Markdown: for a terminal, the page in the documentation, and what a scheduled run reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llm_contracts.matrix.bisect import BisectTarget, Bracket
from llm_contracts.matrix.table import Cell, CellState, ChangeDirection, ReleaseChange, Table, against
from llm_contracts.parity.divergence import Kind
from llm_contracts.reporting.lines import value_line
from llm_contracts.util.text import and_more, code_span, count, first_names

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
    """The table, what changed, and what could not be tried: at most so many changes, and pairs side by side
    in one table.
    """
    return "\n".join(_lines(table, most, side_by_side)) + "\n"


def _lines(table: Table, most: int, side_by_side: int) -> Iterator[str]:
    heads, rows = grid(table)
    for start in range(0, len(heads), side_by_side):
        columns = slice(start, start + side_by_side)
        litellm, openai = zip(*heads[columns], strict=True)
        yield "| LiteLLM | " + " | ".join(litellm).replace("*", "\\*") + " |"
        yield "|---|" + "---:|" * len(litellm)
        yield "| openai | " + " | ".join(openai) + " |"
        for name, *texts in rows:
            label = f"`{name}`" if "_" in name or " " not in name else name
            yield f"| {label} | " + " | ".join(texts[columns]) + " |"
        yield ""
    yield "\\* pinned. In brackets, against it: + new or in other values, - gone."
    yield ""
    yield from _changes(table, most)
    yield from ("\n" + note.replace("<", "&lt;").replace("|", "\\|") for note in _notes(table))
    ran = sum(cell.ran for cell in table.cells)
    untried = f", {len(table.cells) - ran} not tried" if ran < len(table.cells) else ""
    failing = sum(change.fails for change in table.changes)
    worse = f"{count(failing, 'change')} for the worse" if failing else "nothing changes for the worse"
    yield f"\n**{count(ran, 'pair')} of releases against {table.pinned.pair}{untried}, {worse}.**"


def grid(table: Table) -> tuple[list[tuple[str, str]], list[tuple[str, ...]]]:
    """A column for each pair that was tried: its two releases, with a star those of the pinned pair. And rows
    of texts, by kind, then what else is counted or measured: a name, then a text for each column.
    """
    cells = [table.pinned, *(cell for cell in table.cells if cell.ran)]
    heads = [(f"{c.pair.litellm}{'*' if c is table.pinned else ''}", c.pair.openai) for c in cells]
    return heads, list(_rows(table, cells))


def _rows(table: Table, cells: Sequence[Cell]) -> Iterator[tuple[str, ...]]:
    yield ("agree", *(str(len(cell.items.keys() - {d.item for d in cell.differences})) for cell in cells))
    for kind in table.kinds:
        counts = [_of_kind(kind, cell, table.pinned) for cell in cells]
        if any(counts):
            yield (str(kind), *counts)
    differing = [
        [{d.item for d in c.differences if d.accepted is way} for way in (True, False)] for c in cells
    ]
    alike = [change.scenarios for change in table.changes if change.way is ChangeDirection.ALIKE]
    others: dict[str, list[str]] = {
        "differ as accepted": [_count_of(accepted - others) for accepted, others in differing],
        "not repeatable": [_count_of(cell.noise) for cell in cells],
        "alike, but not as pinned": [
            _count_of({item for scenarios in alike for item in scenarios.get(str(cell.pair), ())})
            for cell in cells
        ],
    }
    yield from ((name, *texts) for name, texts in others.items() if any(texts))
    for name in dict.fromkeys(name for cell in cells for name in cell.measures):
        yield (name, *(cell.measures.get(name, "") for cell in cells))


def _of_kind(kind: Kind, cell: Cell, pinned: Cell) -> str:
    """In how many scenarios the kind occurs; in brackets, what of that is new and what is gone."""
    found = against(pinned, cell)
    came = {
        d.item
        for way in (ChangeDirection.NEW, ChangeDirection.OTHER)
        for d in found[way]
        if d.kind is kind and not d.accepted
    }
    went = {d.item for d in found[ChangeDirection.GONE] if d.kind is kind and not d.accepted}
    change = [f"{sign}{len(items)}" for sign, items in (("+", came), ("-", went)) if items]
    number = _count_of(cell.scenarios_with(kind)) or ("0" if change else "")
    return f"{number} ({' '.join(change)})" if change else number


def _count_of(items: Sequence[str] | set[str] | frozenset[str]) -> str:
    return str(len(items)) if items else ""


def _notes(table: Table) -> Iterator[str]:
    """A sentence for everything that the table's numbers do not say by themselves."""
    for cell in table.cells:
        if cell.state is CellState.UNSUPPORTED:
            yield f"{cell.pair}: not tried. {cell.reason}"
        elif cell.state is CellState.FAILED:
            yield f"{cell.pair}: could not be tried. {cell.reason}"
    for cell in (table.pinned, *table.cells):
        present = {name.partition("/")[0] for name in cell.items}
        for row in cell.known:
            if row.provider in present:
                differing = len({d.item for d in cell.differences if d.provider == row.provider and d.counts})
                said = f"{row.provider} differs in {count(differing, 'scenario')}, which does not count here"
                yield f"{cell.pair}: {said}. {row.reason}"
    known = set(table.pinned.problems)
    yield from (f"{table.pinned.pair}: {problem}" for problem in table.pinned.problems)
    for cell in table.cells:
        yield from (f"{cell.pair}: {problem}" for problem in cell.problems if problem not in known)


def _changes(table: Table, most: int) -> Iterator[str]:
    cells, found = (table.pinned, *table.cells), table.changes
    # As short as they stay unambiguous: by LiteLLM alone, if openai never changes.
    alone = len({cell.pair.openai for cell in cells}) == 1
    names = {str(c.pair): c.pair.litellm if alone else f"{c.pair.litellm} + {c.pair.openai}" for c in cells}
    order = [names[str(cell.pair)] for cell in cells if cell.ran]
    for change in found[:most]:
        severity = [str(change.kind.severity)] if change.kind else []
        remarks = ", ".join([_WAYS[change.way], *severity, *(["accepted"] if change.accepted else [])])
        remarks += ", does not count: not supported" if change.excused else ""
        under = releases([names[pair] for pair in change.scenarios], order)
        ids = first_names(next(iter(change.scenarios.values())), _SHOWN_IDS)
        values = ", ".join(
            f"{name} {code_span(value_line(value, _LONGEST_VALUE))}" for name, value in _values(change)
        )
        yield f"* `{change.kind or 'outcome'}` at `{change.where}`: {remarks}. {values}."
        yield f"  Under {under}, in up to {count(change.size, 'scenario')}: {ids}"
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


def bisection_markdown(goal: BisectTarget, found: Bracket, package: str) -> str:
    """Which release made the difference, and how that is known."""
    way = "brought" if goal.appears else "removed"
    lines = [
        f"**{package} {found.after} {way} `{goal.kind}`**\n",
        f"* {package} {found.before} is the last release without that change.",
        f"* in {count(len(goal.scenarios), 'scenario')}: {first_names(goal.scenarios, _SHOWN_IDS)}",
        f"* tried on the way: {', '.join(found.tried) or 'nothing, they are neighbours'}",
    ]
    if found.untried:
        lines.append(f"* could not be tried, so it may be one of these: {', '.join(found.untried)}")
    return "\n".join(lines)
