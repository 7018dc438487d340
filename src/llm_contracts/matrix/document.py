"""A matrix as a JSON document and back: pages are made from documents, without running anything again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from llm_contracts.matrix.bisect import BisectTarget, Bracket
from llm_contracts.matrix.cell import Cell, CellDifference, CellState
from llm_contracts.matrix.pair import ReleasePair, Unsupported
from llm_contracts.matrix.table import Table
from llm_contracts.parity.divergence import Kind

FORMAT = 1


def matrix_document(table: Table, **extra: Any) -> dict[str, Any]:
    """Everything that was found, as plain JSON values. `extra` adds top-level fields of the caller's own."""
    return {
        "format": FORMAT,
        **extra,
        "fails": table.fails,
        "pinned": _cell(table.pinned),
        "cells": [_cell(cell) for cell in table.cells],
        "changes": [{**asdict(change), "fails": change.fails} for change in table.changes],
    }


def table_from(document: Mapping[str, Any]) -> Table:
    """The table again.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: the document does not come from `matrix_document`.
    """
    if document["format"] != FORMAT:
        raise ValueError(f"format {document['format']}")
    return Table(
        pinned=_cell_from(document["pinned"]), cells=tuple(_cell_from(row) for row in document["cells"])
    )


def bisect_document(goal: BisectTarget, found: Bracket, package: str, **extra: Any) -> dict[str, Any]:
    """What a bisection found, as plain JSON values. `extra`: see `matrix_document`."""
    return {
        "kind": str(goal.kind),
        "package": package,
        "way": "appears" if goal.appears else "vanishes",
        "release": found.after,
        **asdict(found),
        "scenarios": list(goal.scenarios),
        **extra,
    }


def _cell(cell: Cell) -> dict[str, Any]:
    kinds = {kind: len(cell.scenarios_with(kind)) for kind in Kind}
    values = asdict(cell)
    del values["inputs"]  # has been looked at, and is long
    return {
        **values,
        "kinds": {str(kind): count for kind, count in kinds.items() if count},
        "scenarios": len(cell.items),
    }


def _cell_from(row: Mapping[str, Any]) -> Cell:
    """Counts are left aside: they follow from the rest."""
    plain = {key: row[key] for key in ("reason", "versions", "items", "moved", "measures", "report")}
    return Cell(
        pair=ReleasePair(**row["pair"]),
        state=CellState(row["state"]),
        differences=tuple(CellDifference(**{**d, "kind": Kind(d["kind"])}) for d in row["differences"]),
        noise=tuple(row["noise"]),
        unreadable=tuple(row["unreadable"]),
        complaints=tuple(row["complaints"]),
        known=tuple(Unsupported(**known) for known in row["known"]),
        **plain,
    )
