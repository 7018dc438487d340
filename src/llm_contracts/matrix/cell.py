"""What came of one pair of releases, as far as tables need it, and as a JSON document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from llm_contracts.matrix.plan import ReleasePair, Unsupported
from llm_contracts.parity.divergence import Kind, Severity


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
    """The cell of a check's document (`views/document`). `values` are further fields of the cell.

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
                where=found["where"],
                reference=found["reference"],
                candidate=found["candidate"],
                fingerprint=found["fingerprint"],
                accepted=found["waived"] is not None,
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
