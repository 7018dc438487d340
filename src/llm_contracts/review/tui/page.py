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
        """The lane that alone has something here; empty where both have, or neither."""
        if self.whole or not self.fold or (self.left is None) == (self.right is None):
            return ""
        return "right" if self.left is None else "left"


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Rows to scroll through. `focus` is the row to show first."""

    rows: tuple[Row, ...]
    focus: int = 0

    def next_difference(self, after: int) -> int | None:
        """The first row of the next run of differing rows below a row; from the top again after the last."""
        before = (False, *(row.differs for row in self.rows))
        starts = [i for i, row in enumerate(self.rows) if row.differs and not before[i]]
        return next((i for i in starts if i > after), starts[0] if starts else None)


def whole(text: str, *, label: str = "", differs: bool = False, fold: str = "", skip: int = 0) -> Row:
    """A row that goes over both lanes."""
    return Row(left=text, label=label, whole=True, differs=differs, fold=fold, skip=skip)


def pairs(
    left: Sequence[str],
    right: Sequence[str],
    fold: str,
    *,
    label: str | None = None,
    aligned: Iterable[tuple[int | None, int | None, bool]] | None = None,
) -> Iterator[Row]:
    """Two lanes, what belongs together side by side; labelled alike, or by the left lane's numbers. `aligned`
    says what belongs together, if that is known.
    """
    for one, other, equal in paired(left, right) if aligned is None else aligned:
        number = "" if one is None else str(one + 1)
        ours, theirs = None if one is None else left[one], None if other is None else right[other]
        if ours is not None and theirs is not None:
            ours, theirs = distinct(ours, theirs)
        yield Row(
            left=ours,
            right=theirs,
            label=number if label is None else label,
            differs=not equal,
            fold=fold,
        )


def folded(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows with long runs put into a line: of equal ones (`= 14 equal chunks`), and of those that one lane
    has alone.
    """
    for (fold, side), run in groupby(_equal_folded(tuple(rows)), lambda row: (row.fold, row.alone)):
        held = list(run)
        if side and len(held) > _ALONE:
            hidden = len(held) - _HEAD - _TAIL
            held[_HEAD:-_TAIL] = [whole(f"{hidden:,} more {fold} on the {side} alone", differs=True)]
        yield from held


def _equal_folded(rows: Sequence[Row]) -> Iterator[Row]:
    """Some rows stay visible where a difference is next to them."""
    at = 0
    for (fold, differs), run in groupby(rows, lambda row: (row.fold, row.differs)):
        held = list(run)
        head = _CONTEXT * (at > 0 and rows[at - 1].differs)
        at += len(held)
        tail = _CONTEXT * (at < len(rows) and rows[at].differs)
        hidden = len(held) - head - tail
        if fold and not differs and hidden > 1:
            held[head : len(held) - tail] = [whole(f"= {hidden:,} equal {fold}")]
        yield from held
