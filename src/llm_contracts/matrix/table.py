"""What came of each pair of releases, and what it shows against the pinned pair. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from llm_contracts.matrix.plan import ReleasePair, Unsupported
from llm_contracts.parity.divergence import Kind, Severity, place
from llm_contracts.util.dataclass_json import from_json

FORMAT = 1
"""Of a matrix as a JSON document: pages are made from documents, without running anything again."""


class CellState(StrEnum):
    """Whether a pair was tried."""

    RAN = "ran"
    FAILED = "failed"  # cannot be resolved, installed, imported or run
    UNSUPPORTED = "unsupported"  # known not to work, so that nothing was tried


@dataclass(frozen=True, kw_only=True, slots=True)
class CellDifference:
    """A divergence in one scenario. `accepted`: by a waiver that holds under these releases."""

    item: str
    kind: Kind
    where: str
    reference: Any
    candidate: Any
    fingerprint: str
    accepted: bool = False

    @property
    def counts(self) -> bool:
        """Whether it fails a run, as it does in a check."""
        return not self.accepted and self.kind.severity is not Severity.COSMETIC

    @property
    def provider(self) -> str:
        """Whose recording it is about."""
        return self.item.partition("/")[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One pair.

    Attributes:
        pair: what was asked for.
        state, reason: whether it was tried; why not, or why nothing came of it.
        versions: what took part, by package.
        items: the scenarios that were compared, with what either client did in a few values.
        differences: all divergences.
        noise: scenarios in which the reference did not even agree with itself.
        unreadable: sentences about recordings that could not be used.
        complaints: what is wrong with the waivers file.
        known: what is known not to work under these releases, provider by provider.
        moved: other packages whose release differs from the installed one → that release.
        measures: what else was measured, in words for people; a row of the table each.
        inputs: file → digest of all that the check read; it must be the same under all pairs.
        report: the folder with the whole result, for `llm-contracts report --report`.
    """

    pair: ReleasePair
    state: CellState = CellState.RAN
    reason: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    items: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    differences: tuple[CellDifference, ...] = ()
    noise: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    complaints: tuple[str, ...] = ()
    known: tuple[Unsupported, ...] = ()
    moved: Mapping[str, str] = field(default_factory=dict)
    measures: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    report: str | None = None

    @property
    def problems(self) -> tuple[str, ...]:
        """What keeps the result from being whole."""
        return (*self.unreadable, *self.complaints)

    @property
    def ran(self) -> bool:
        """Whether there is anything to compare."""
        return self.state is CellState.RAN

    def scenarios_with(self, kind: Kind, *, accepted: bool = False) -> frozenset[str]:
        """The scenarios in which this kind occurs, unaccepted or accepted."""
        return frozenset(d.item for d in self.differences if d.kind is kind and d.accepted is accepted)

    def excuses(self, difference: CellDifference) -> bool:
        """Whether the provider is known not to work under these releases."""
        return any(row.provider == difference.provider for row in self.known)


def cell_of(
    pair: ReleasePair, document: Mapping[str, Any], *, known: Iterable[Unsupported] = (), **values: Any
) -> Cell:
    """The cell of a check's document (`results/document`). `values` are further fields of the cell.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: the document is not a check's.
    """
    rows = document["items"]
    return Cell(
        pair=pair,
        versions=dict(document["versions"]),
        items={row["id"]: row["outcome"] for row in rows if not row["problem"]},
        differences=tuple(
            CellDifference(
                item=row["id"],
                kind=Kind(found["kind"]),
                accepted=found["waived"] is not None,
                **{name: found[name] for name in ("where", "reference", "candidate", "fingerprint")},
            )
            for row in rows
            for found in row["divergences"]
        ),
        noise=tuple(row["id"] for row in rows if row["noise"]),
        unreadable=tuple(row["problem"] for row in rows if row["problem"]),
        complaints=tuple(document["complaints"]),
        known=tuple(row for row in known if row.provider is not None),
        inputs=document.get("inputs", {}),
        **values,
    )


def cell_document(cell: Cell) -> dict[str, Any]:
    """Everything in a cell, as plain JSON values."""
    kinds = {kind: len(cell.scenarios_with(kind)) for kind in Kind}
    values = asdict(cell)
    del values["inputs"]  # has been looked at, and is long
    return {
        **values,
        "kinds": {str(kind): count for kind, count in kinds.items() if count},
        "scenarios": len(cell.items),
    }


def cell_from(row: Mapping[str, Any]) -> Cell:
    """The cell again. Counts are left aside: they follow from the rest.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: the row does not come from `cell_document`.
    """
    counts = {"kinds", "scenarios"}
    return from_json(Cell, {name: value for name, value in row.items() if name not in counts})


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
    accepted: bool = False
    excused: bool = False
    scenarios: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
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
        first: dict[tuple[object, ...], ReleaseChange] = {}
        found: dict[tuple[object, ...], dict[str, dict[str, None]]] = {}
        for cell in self.cells:
            for item, change in _of_cell(self.pinned, cell) if cell.ran else ():
                key = (change.way, change.kind, change.where, change.accepted, change.excused)
                first.setdefault(key, change)
                found.setdefault(key, {}).setdefault(str(cell.pair), {})[item] = None
        scenarios = {key: {name: tuple(items) for name, items in found[key].items()} for key in first}
        changes = (replace(change, scenarios=scenarios[key]) for key, change in first.items())
        return tuple(sorted(changes, key=_weight))

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


def _of_cell(pinned: Cell, cell: Cell) -> Iterator[tuple[str, ReleaseChange]]:
    """Each change in one scenario, with the scenario."""
    found = against(pinned, cell)
    before = {_place(d): d.candidate for d in pinned.differences}
    for way, differences in found.items():
        for d in differences:
            yield (
                d.item,
                ReleaseChange(
                    way=way,
                    kind=d.kind,
                    where=place(d.where),
                    accepted=d.accepted,
                    excused=cell.excuses(d),
                    example=(d.reference, d.candidate),
                    before=before.get(_place(d)) if way is ChangeDirection.OTHER else None,
                ),
            )
    # Where parity is what it was, the application may still see something else.
    touched = {d.item for differences in found.values() for d in differences}
    for item in cell.items:
        if item in touched or item not in pinned.items:
            continue
        old, new = (each.items[item].get("reference") or {} for each in (pinned, cell))
        for name in new if old else ():
            if old.get(name) != new[name]:
                example = old.get(name), new[name]
                yield item, ReleaseChange(way=ChangeDirection.ALIKE, kind=None, where=name, example=example)


def _weight(change: ReleaseChange) -> tuple[bool, int, int, int]:
    severity = len(Severity) if change.kind is None else change.kind.severity.rank
    return (not change.fails, list(ChangeDirection).index(change.way), severity, -change.size)
