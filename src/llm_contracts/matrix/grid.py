"""The table itself, in words: what terminal and Markdown have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from llm_contracts.matrix.cell import Cell, CellState
from llm_contracts.matrix.table import ChangeDirection, Table, against
from llm_contracts.parity.divergence import Kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """A column for each pair that was tried, and rows of texts: name, then a text for each column.

    Attributes:
        columns: the pair's two releases; with a star, the pinned pair.
        rows: by kind, then what else is counted or measured.
    """

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...], ...]


def grid(table: Table) -> Grid:
    """The table of what was tried."""
    cells = [table.pinned, *(cell for cell in table.cells if cell.ran)]
    columns = ((f"{c.pair.litellm}{'*' if c is table.pinned else ''}", c.pair.openai) for c in cells)
    return Grid(columns=tuple(columns), rows=tuple(_rows(table, cells)))


def short_names(table: Table) -> Mapping[str, str]:
    """A name for each pair, as short as it stays unambiguous: by LiteLLM alone, if openai never changes."""
    cells = (table.pinned, *table.cells)
    alone = len({cell.pair.openai for cell in cells}) == 1
    return {str(c.pair): c.pair.litellm if alone else f"{c.pair.litellm} + {c.pair.openai}" for c in cells}


def scenarios_in(number: int) -> str:
    """`1 scenario`, `1,200 scenarios`."""
    return f"{number:,} scenario{'' if number == 1 else 's'}"


def notes(table: Table) -> Iterator[str]:
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
                count = len({d.item for d in cell.differences if d.provider == row.provider and d.counts})
                differs = f"{row.provider} differs in {scenarios_in(count)}, which does not count here"
                yield f"{cell.pair}: {differs}. {row.reason}"
    known = set(table.pinned.problems)
    yield from (f"{table.pinned.pair}: {problem}" for problem in table.pinned.problems)
    for cell in table.cells:
        yield from (f"{cell.pair}: {problem}" for problem in cell.problems if problem not in known)


def _rows(table: Table, cells: Sequence[Cell]) -> Iterator[tuple[str, ...]]:
    yield ("agree", *(str(len(cell.items.keys() - {d.item for d in cell.differences})) for cell in cells))
    for kind in table.kinds:
        counts = [_count(kind, cell, table.pinned) for cell in cells]
        if any(counts):
            yield (str(kind), *counts)
    differing = [
        [{d.item for d in c.differences if d.accepted is way} for way in (True, False)] for c in cells
    ]
    alike = [change.scenarios for change in table.changes if change.way is ChangeDirection.ALIKE]
    others: dict[str, list[str]] = {
        "differ as accepted": [_number(accepted - others) for accepted, others in differing],
        "not repeatable": [_number(cell.noise) for cell in cells],
        "alike, but not as pinned": [
            _number({item for scenarios in alike for item in scenarios.get(str(cell.pair), ())})
            for cell in cells
        ],
    }
    yield from ((name, *texts) for name, texts in others.items() if any(texts))
    for name in dict.fromkeys(name for cell in cells for name in cell.measures):
        yield (name, *(cell.measures.get(name, "") for cell in cells))


def _count(kind: Kind, cell: Cell, pinned: Cell) -> str:
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
    count = _number(cell.scenarios_with(kind)) or ("0" if change else "")
    return f"{count} ({' '.join(change)})" if change else count


def _number(items: Sequence[str] | set[str] | frozenset[str]) -> str:
    return str(len(items)) if items else ""
