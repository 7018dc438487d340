"""Rows of a page as lines of a screen. Only those on the screen are drawn: a page may have thousands."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from rich.cells import cell_len, chop_cells
from rich.text import Text

from llm_contracts.parity.compare.finding import first_difference
from llm_contracts.review.tui.drawing import NARROW, GlyphSet
from llm_contracts.review.tui.page import Page, Row

_WRAPPED = 40  # lines that one row may take where everything is shown
_LONGEST = 20_000  # characters of a row that are looked at
_BEFORE = 12  # characters kept before the first difference of a long line
_LABEL = 22

_Cell = tuple[str, int, int]
"""A piece of a lane, and from where to where in it stands what the other lane does not have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PageLayout:
    """A page at a width. `starts` has the first line of each row, `total` the number of lines."""

    page: Page
    pen: PaintOptions
    starts: tuple[int, ...]
    total: int

    def lines(self, first: int, most: int) -> list[Text]:
        """Up to `most` lines from line `first` on."""
        number = max(bisect_right(self.starts, first) - 1, 0)
        skipped = first - self.starts[number] if self.starts else 0
        drawn: list[Text] = []
        while number < len(self.page.rows) and len(drawn) < most + skipped:
            row = self.page.rows[number]
            here = number == self.page.focus and row.differs
            mark = (self.pen.signs.here, "bold")  # this is what the difference is about
            drawn += [Text.assemble(mark, line[1:]) if here else line for line in self.pen.draw(row)]
            number += 1
        return drawn[skipped : skipped + most]


def laid_out(page: Page, width: int, signs: GlyphSet, *, entire: bool) -> PageLayout:
    """The page at a width: lanes side by side, or one above the other where there is no room."""
    label = min(max((len(row.label) for row in page.rows), default=0), _LABEL)
    pen = PaintOptions(width=width, label=label, signs=signs, entire=entire)
    ends = list(accumulate((pen.height(row) for row in page.rows), initial=0))
    return PageLayout(page=page, pen=pen, starts=tuple(ends[:-1]), total=ends[-1])


@dataclass(frozen=True, kw_only=True, slots=True)
class PaintOptions:
    """How rows are drawn. `entire`: long ones in as many lines as they need, else each cut to one.

    `label` is the width of the column of labels.
    """

    width: int
    label: int
    signs: GlyphSet
    entire: bool

    @property
    def lane(self) -> int:
        """Columns for each of two lanes."""
        return self.width - self.label - 5 if self.width < NARROW else (self.width - self.label - 8) // 2

    def height(self, row: Row) -> int:
        """The number of lines that `draw` gives, without drawing where that is plain to see."""
        stacked = self.width < NARROW and row.differs and not row.whole
        if not self.entire:
            return (row.left is not None) + (row.right is not None) if stacked else 1
        sides = [text for text in (row.left, row.right) if text is not None]
        if not all(text.isascii() and text.isprintable() for text in sides):
            return sum(1 for _ in self.draw(row))
        heights = [min(max(-(-len(text) // self._room(row)), 1), _WRAPPED) for text in sides]
        return sum(heights) if stacked else max(heights)

    def _room(self, row: Row) -> int:
        """Columns for the text of a row, or of one of its lanes."""
        if row.whole:
            return self.width - self.label - 6 if row.label else self.width - 2
        return self.lane

    def draw(self, row: Row) -> Iterator[Text]:
        """The lines of one row."""
        if row.whole:
            return self._whole(row)
        return self._stacked(row) if self.width < NARROW else self._beside(row)

    def _whole(self, row: Row) -> Iterator[Text]:
        text = self.signs.readable((row.left or "")[:_LONGEST])
        room = self._room(row)
        if not self.entire and cell_len(text) > room and row.skip > _BEFORE:
            text = self.signs.more + text[row.skip - _BEFORE :]
        style = "bold" if row.differs else "dim" if text.startswith("= ") else ""
        mark = self.signs.differs if row.differs else " "
        label = self._label(row, 0)
        start = Text.assemble((f"{label} ", "dim"), (f"{mark} ", "bold")) if row.label else Text("  ")
        for number, part in enumerate(self._parts(text, room)):
            yield Text.assemble(start if number == 0 else " " * cell_len(start.plain), (part, style))

    def _label(self, row: Row, number: int) -> str:
        return f"  {row.label[: self.label] if number == 0 else '':>{self.label}}"

    def _beside(self, row: Row) -> Iterator[Text]:
        left, right = (self._cells(value, other) for value, other in self._both(row))
        mark, styles = "=", ("", "dim", "")
        if row.differs:
            mark, styles = self.signs.differs, ("red", "bold", "green")
        for number in range(max(len(left), len(right))):
            yield Text.assemble(
                (f"{self._label(row, number)}  ", "dim"),
                self._lane_text(left, number, styles[0]),
                (f" {mark if number == 0 else ' '} ", styles[1]),
                self._lane_text(right, number, styles[2]),
            )

    def _stacked(self, row: Row) -> Iterator[Text]:
        """`<` is the reference, `>` the candidate, `=` both."""
        sides = tuple(zip(self._both(row), "<>", ("red", "green"), strict=True))
        for (value, other), mark, style in sides if row.differs else (((row.left, row.left), "=", "dim"),):
            for number, cell in enumerate(self._cells(value, other) if value is not None else []):
                label = self._label(row, number if mark != ">" else 1)
                yield Text.assemble((f"{label} {mark} ", "dim"), _marked(cell, style))

    def _both(self, row: Row) -> tuple[tuple[str | None, str | None], ...]:
        left, right = (
            None if side is None else self.signs.readable(side[:_LONGEST]) for side in (row.left, row.right)
        )
        return (left, right), (right, left)

    def _cells(self, value: str | None, other: str | None) -> list[_Cell]:
        """A value in pieces that fit the lane; where it must be cut, the piece with the difference."""
        if value is None:
            return [(self.signs.gap, 0, 0)]
        start, end = differing_part(value, other)
        if not self.entire and cell_len(value) > self.lane and start > self.lane - _BEFORE:
            skipped = start - _BEFORE
            value, start, end = self.signs.more + value[skipped:], start - skipped + 1, end - skipped + 1
        found: list[_Cell] = []
        at = 0
        for part in self._parts(value, self.lane):
            found.append((part, max(start - at, 0), max(min(end - at, len(part)), 0)))
            at += len(part)
        return found

    def _parts(self, text: str, room: int) -> list[str]:
        if cell_len(text) <= room:
            return [text]
        if self.entire:
            return chop_cells(text, max(room, 2))[:_WRAPPED]
        return [chop_cells(text[: room + 1], max(room - 1, 2))[0] + self.signs.more]

    def _lane_text(self, cells: Sequence[_Cell], number: int, style: str) -> Text:
        if number >= len(cells):
            return Text(" " * self.lane)
        part, start, end = cells[number]
        return _marked((part + " " * max(self.lane - cell_len(part), 0), start, end), style)


def differing_part(value: str, other: str | None) -> tuple[int, int]:
    """Where in a value is what the other does not have: from the first character that differs to the last."""
    if other is None or value == other:
        return 0, 0
    head = first_difference(value, other)
    room = min(len(value), len(other)) - head
    tail = first_difference(value[::-1][:room], other[::-1][:room])
    return head, len(value) - tail


def _marked(cell: _Cell, style: str) -> Text:
    part, start, end = cell
    text = Text(part, style=style)
    whole = start <= 0 and end >= len(part.rstrip())  # then the colour and the sign are enough
    if end > start and not whole:
        text.stylize("bold underline", start, end)
    return text
