"""Lines to look at, before anybody knows how wide the screen is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from llm_contracts.reporting.align import paired
from llm_contracts.reporting.lines import distinct

_CONTEXT = 2  # equal rows shown on either side of a difference
_ALONE = 10  # rows that one lane may have alone before they are put into a line
_HEAD, _TAIL = 4, 2  # how many of them stay


class View(StrEnum):
    """A side from which a difference can be looked at."""

    LANES = "lanes"
    WIRE = "wire"
    REQUEST = "request"
    TIME = "time line"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One line of two lanes. None is a gap: this lane has nothing here.

    Attributes:
        label: which chunk or field it is.
        differs: whether the lanes differ here.
        whole: the text is in `left` and goes over both lanes.
        fold: what rows are called when many of them are put into a line, as nothing differs there (`chunks`);
            empty for rows that are always shown.
        skip: characters at the start that say nothing new; they go first where the row must be cut.
    """

    left: str | None
    right: str | None = None
    label: str = ""
    differs: bool = False
    whole: bool = False
    fold: str = ""
    skip: int = 0

    @property
    def alone(self) -> str:
        """The lane that differs by having something here alone; empty where both have, or neither."""
        if self.whole or not self.differs or (self.left is None) == (self.right is None):
            return ""
        return "right" if self.left is None else "left"


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Rows to scroll through. `focus` is the row to show first."""

    rows: tuple[Row, ...]
    focus: int = 0


def whole(text: str, *, label: str = "", differs: bool = False, fold: str = "", skip: int = 0) -> Row:
    """A row that goes over both lanes."""
    return Row(left=text, label=label, whole=True, differs=differs, fold=fold, skip=skip)


def pairs(
    left: Sequence[str],
    right: Sequence[str],
    fold: str,
    *,
    numbered: bool = True,
    aligned: Iterable[tuple[int | None, int | None, bool]] | None = None,
) -> Iterator[Row]:
    """Two lanes, what belongs together (`aligned`, if known) side by side, with the left one's numbers."""
    for one, other, equal in paired(left, right) if aligned is None else aligned:
        ours, theirs = None if one is None else left[one], None if other is None else right[other]
        if ours is not None and theirs is not None:
            ours, theirs = distinct(ours, theirs)
        number = "" if one is None else str(one + 1)
        label = number if numbered else ""
        yield Row(left=ours, right=theirs, label=label, differs=not equal, fold=fold)


def folded(rows: Sequence[Row]) -> Iterator[Row]:
    """Rows with long runs put into a line: of equal ones (`= 14 equal chunks`), but for some next to a
    difference, and of those that one lane has alone.
    """
    at = 0
    for (fold, differs, side), run in groupby(rows, lambda row: (row.fold, row.differs, row.alone)):
        held = list(run)
        head = _CONTEXT * (at > 0 and rows[at - 1].differs)
        at += len(held)
        tail = _CONTEXT * (at < len(rows) and rows[at].differs)
        if side:
            head, tail = _HEAD, _TAIL
        hidden = len(held) - head - tail
        text = f"{hidden:,} more {fold} on the {side} alone" if differs else f"= {hidden:,} equal {fold}"
        if fold and (hidden > 1 if not differs else side and len(held) > _ALONE):
            held[head : len(held) - tail] = [whole(text, differs=differs)]
        yield from held
