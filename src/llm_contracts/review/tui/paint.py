"""Rows of a page as lines of a screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from rich.text import Text

from llm_contracts.review.tui.drawing import NARROW, fitted
from llm_contracts.review.tui.page import Page, Row
from llm_contracts.util.terminal import one_line

_WRAPPED = 40  # lines that one row may take where everything is shown
_LONGEST = 20_000  # characters of a row that are looked at
_LABEL = 22


@dataclass(frozen=True, kw_only=True, slots=True)
class PageLayout:
    """A page at a width. `starts` has the first line of each row."""

    page: Page
    lines: tuple[Text, ...]
    starts: tuple[int, ...]


def laid_out(page: Page, width: int, *, entire: bool) -> PageLayout:
    """The page at a width: lanes side by side, or one above the other where there is no room. With `entire`
    long rows take as many lines as they need, else each is cut to one.
    """
    room = min(max((len(row.label) for row in page.rows), default=0), _LABEL)
    drawn = []
    starts = [0]
    for number, row in enumerate(page.rows):
        lines = list(_drawn(row, room, width, _WRAPPED if entire else 1))
        if number == page.focus and row.differs:  # this is what the difference is about
            lines = [Text.assemble(("▶", "bold"), line[1:]) for line in lines]
        drawn.append(lines)
        starts.append(starts[-1] + len(lines))
    return PageLayout(page=page, lines=tuple(chain.from_iterable(drawn)), starts=tuple(starts[:-1]))


def _drawn(row: Row, labels: int, width: int, most: int) -> Iterator[Text]:
    """The lines of one row. One above the other, `<` is the reference, `>` the candidate, `=` both."""
    label = f"  {row.label[:labels]:>{labels}} "
    left, right = (None if side is None else one_line(side[:_LONGEST]) for side in (row.left, row.right))
    if row.whole:
        style = "bold" if row.differs else "dim" if (left or "").startswith("= ") else ""
        head = (
            Text.assemble((label, "dim"), ("≠ " if row.differs else "  ", "bold"))
            if row.label
            else Text("  ")
        )
        room = width - len(head) - (1 if row.label else 0)
        yield from _beside(head, fitted(left or "", None, room, style=style, most=most, skip=row.skip))
    elif width < NARROW:
        both = ((left, right, "<", "red"), (right, left, ">", "green"))
        for value, other, mark, style in both if row.differs else ((left, left, "=", "dim"),):
            if value is not None:
                head = Text(f"{label}{mark} ", style="dim")
                yield from _beside(head, fitted(value, other, width - labels - 5, style=style, most=most))
                label = " " * len(label)
    else:
        room = (width - labels - 8) // 2
        sides = ((left, right, "red"), (right, left, "green"))
        lanes = [
            fitted(one, other, room, style=colour * row.differs, most=most) for one, other, colour in sides
        ]
        sign = Text(" ≠ ", style="bold") if row.differs else Text(" = ", style="dim")
        for pair in zip_longest(*lanes, fillvalue=Text("")):
            line = Text.assemble((f"{label} ", "dim"), pair[0])
            line.align("left", labels + 4 + room)
            yield Text.assemble(line, sign, pair[1])
            label, sign = " " * len(label), Text("   ")


def _beside(head: Text, lines: Sequence[Text]) -> Iterator[Text]:
    """Lines with a head before the first."""
    for number, line in enumerate(lines):
        yield Text.assemble(head if number == 0 else " " * len(head), line)
