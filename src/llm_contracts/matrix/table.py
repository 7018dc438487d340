"""Pure comparison: what each pair of releases shows, held against the pinned pair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from llm_contracts.matrix.cell import Cell, CellDifference, cell_document, cell_from
from llm_contracts.parity.divergence import Kind, Severity, place

FORMAT = 1
"""Of a matrix as a JSON document: pages are made from documents, without running anything again."""


class ChangeDirection(StrEnum):
    """How something compares with the pinned pair."""

    NEW = "new"  # differs here only
    OTHER = "other"  # differs under both, in other values
    GONE = "gone"  # differs under the pinned pair only
    ALIKE = "alike"  # both clients do the same here, but not what both do under the pinned pair


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseChange:
    """One change against the pinned pair, in all scenarios and under all pairs that have it.

    Attributes:
        way: how it compares with the pinned pair.
        kind: what differs; None where both clients moved alike.
        where: the place, without its numbers.
        accepted: whether waivers accept it.
        excused: whether it is about a provider that is known not to work under these releases.
        scenarios: the pair's name → the scenarios.
        example: the values in the first scenario: of reference and candidate, or, where both moved alike,
            under the pinned pair and under this one.
        before: what the candidate's value is under the pinned pair, where both differ in other values.
    """

    way: ChangeDirection
    kind: Kind | None
    where: str
    accepted: bool
    excused: bool
    scenarios: Mapping[str, tuple[str, ...]]
    example: tuple[Any, Any]
    before: Any = None

    @property
    def fails(self) -> bool:
        """Whether it is a reason to stay with the pinned pair."""
        if self.accepted or self.excused or self.way not in {ChangeDirection.NEW, ChangeDirection.OTHER}:
            return False
        return self.kind is not None and self.kind.severity is not Severity.COSMETIC

    @property
    def size(self) -> int:
        """In how many scenarios it occurs, where it occurs in most."""
        return max(map(len, self.scenarios.values()))


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """What was found: the pinned pair, and the others in the order in which they were asked for."""

    pinned: Cell
    cells: tuple[Cell, ...]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds that occur anywhere."""
        occurring = {d.kind for cell in (self.pinned, *self.cells) for d in cell.differences}
        return tuple(kind for kind in Kind if kind in occurring)

    @property
    def changes(self) -> tuple[ReleaseChange, ...]:
        """All changes against the pinned pair: what fails first, then by severity and frequency."""
        merged: dict[tuple[object, ...], ReleaseChange] = {}
        for cell in self.cells:
            for change in _of_cell(self.pinned, cell) if cell.ran else ():
                key = (change.way, change.kind, change.where, change.accepted, change.excused)
                before = merged.get(key, change)
                merged[key] = replace(before, scenarios={**before.scenarios, **change.scenarios})
        return tuple(sorted(merged.values(), key=_weight))

    @property
    def fails(self) -> bool:
        """Whether under any pair something unaccepted differs that does not under the pinned one."""
        return any(change.fails for change in self.changes)

    def document(self, **extra: Any) -> dict[str, Any]:
        """Everything that was found, as plain JSON values. `extra`: further fields, of the caller's own."""
        return {
            "format": FORMAT,
            **extra,
            "fails": self.fails,
            "pinned": cell_document(self.pinned),
            "cells": [cell_document(cell) for cell in self.cells],
            "changes": [{**asdict(change), "fails": change.fails} for change in self.changes],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Table:
        """The table again.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: the document does not come from `document`.
        """
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']}")
        cells = tuple(map(cell_from, document["cells"]))
        return cls(pinned=cell_from(document["pinned"]), cells=cells)


def against(pinned: Cell, cell: Cell) -> Mapping[ChangeDirection, tuple[CellDifference, ...]]:
    """What is new, gone or of other values under one pair.

    A difference that is accepted under one of the two pairs only has changed as well: the waiver is for
    certain releases.
    """
    before, now = ({(d.fingerprint, d.accepted): d for d in each.differences} for each in (pinned, cell))
    came = [d for key, d in now.items() if key not in before]
    went = [d for key, d in before.items() if key not in now and d.item in cell.items]
    places, old_places = (Counter(map(_place, found)) for found in (came, went))
    return {
        ChangeDirection.NEW: tuple(d for d in came if _place(d) not in old_places),
        ChangeDirection.OTHER: tuple(d for d in came if _place(d) in old_places),
        ChangeDirection.GONE: tuple(d for d in went if _place(d) not in places),
    }


def _place(difference: CellDifference) -> tuple[object, ...]:
    return difference.item, difference.kind, place(difference.where), difference.accepted


def _of_cell(pinned: Cell, cell: Cell) -> Iterator[ReleaseChange]:
    found = against(pinned, cell)
    before = {_place(d): d.candidate for d in pinned.differences}
    for way, differences in found.items():
        groups: dict[tuple[object, ...], list[CellDifference]] = {}
        for d in differences:
            groups.setdefault((d.kind, place(d.where), d.accepted, cell.excuses(d)), []).append(d)
        for members in groups.values():
            first = members[0]
            yield ReleaseChange(
                way=way,
                kind=first.kind,
                where=place(first.where),
                accepted=first.accepted,
                excused=cell.excuses(first),
                scenarios={str(cell.pair): tuple(dict.fromkeys(d.item for d in members))},
                example=(first.reference, first.candidate),
                before=before.get(_place(first)) if way is ChangeDirection.OTHER else None,
            )
    touched = {d.item for differences in found.values() for d in differences}
    yield from _moved_alike(pinned, cell, touched)


def _moved_alike(pinned: Cell, cell: Cell, touched: set[str]) -> Iterator[ReleaseChange]:
    """Scenarios in which parity is what it was, and yet the application would see something else."""
    groups: dict[str, list[str]] = {}
    for item in cell.items:
        if item in touched or item not in pinned.items:
            continue
        before, now = (each.items[item].get("reference") or {} for each in (pinned, cell))
        for name in now if before else ():
            if before.get(name) != now[name]:
                groups.setdefault(name, []).append(item)
    for name, items in groups.items():
        yield ReleaseChange(
            way=ChangeDirection.ALIKE,
            kind=None,
            where=name,
            accepted=False,
            excused=False,
            scenarios={str(cell.pair): tuple(items)},
            example=(
                pinned.items[items[0]]["reference"].get(name),
                cell.items[items[0]]["reference"].get(name),
            ),
        )


def _weight(change: ReleaseChange) -> tuple[bool, int, int, int]:
    severity = len(Severity) if change.kind is None else list(Severity).index(change.kind.severity)
    return (not change.fails, list(ChangeDirection).index(change.way), severity, -change.size)
