"""Lines to look at, before anybody knows how wide the screen is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from llm_contracts.reporting.align import align

_CONTEXT = 2  # equal rows shown on either side of a difference
_ALONE = 10  # rows that one lane may have alone before they are put into a line
_HEAD, _TAIL = 4, 2  # how many of them stay


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
    right: str | None
    label: str = ""
    differs: bool = False
    whole: bool = False
    fold: str = ""
    skip: int = 0


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
    return Row(left=text, right=None, label=label, whole=True, differs=differs, fold=fold, skip=skip)


def pairs(left: Sequence[str], right: Sequence[str], fold: str, label: str | None = None) -> Iterator[Row]:
    """Two lanes, what belongs together side by side; labelled alike, or by the left lane's numbers."""
    for block in align(left, right):
        ours, theirs = left[block.left_from : block.left_to], right[block.right_from : block.right_to]
        for n in range(max(len(ours), len(theirs))):
            number = str(block.left_from + n + 1) if n < len(ours) else ""
            yield Row(
                left=ours[n] if n < len(ours) else None,
                right=theirs[n] if n < len(theirs) else None,
                label=number if label is None else label,
                differs=not block.equal,
                fold=fold,
            )


def together(row: Row) -> Row:
    """A row of two equal lanes as one that goes over both."""
    return replace(row, right=None, whole=True)


def folded(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows with long runs put into a line: of equal ones (`= 14 equal chunks`), and of those that one lane
    has alone.
    """
    for (fold, side), run in groupby(_equal_folded(rows), _alone):
        held = list(run)
        hidden = len(held) - _HEAD - _TAIL
        if not side or len(held) <= _ALONE:
            yield from held
            continue
        yield from held[:_HEAD]
        yield whole(f"{hidden:,} more {fold} on the {side} alone", differs=True)
        yield from held[-_TAIL:]


def _alone(row: Row) -> tuple[str, str]:
    """The noun and the lane of a row that only one lane has; both empty for others."""
    if row.whole or not row.fold or (row.left is None) == (row.right is None):
        return "", ""
    return row.fold, "right" if row.left is None else "left"


def _equal_folded(rows: Iterable[Row]) -> Iterator[Row]:
    run: list[Row] = []
    after_difference = False
    for row in rows:
        if row.fold and not row.differs and (not run or run[-1].fold == row.fold):
            run.append(row)
            continue
        yield from _run(run, before=after_difference, after=row.differs)
        run = [row] if row.fold and not row.differs else []
        after_difference = row.differs
        if not run:
            yield row
    yield from _run(run, before=after_difference, after=False)


def _run(run: Sequence[Row], *, before: bool, after: bool) -> Iterator[Row]:
    """Some rows stay visible where a difference is next to them."""
    head, tail = _CONTEXT * before, _CONTEXT * after
    hidden = len(run) - head - tail
    if hidden <= 1:
        yield from run
        return
    yield from run[:head]
    yield whole(f"= {hidden:,} equal {run[0].fold}")
    yield from run[len(run) - tail :]
