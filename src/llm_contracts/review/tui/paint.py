"""Rows of a page as lines of a screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from rich.text import Text

from llm_contracts.review.tui.drawing import NARROW, fitted
from llm_contracts.review.tui.page import Page, Row
from llm_contracts.util.terminal import one_line

_WRAPPED = 40  # lines that one row may take where everything is shown
_LONGEST = 20_000  # characters of a row that are looked at
_LABEL = 18


@dataclass(frozen=True, kw_only=True, slots=True)
class PageLayout:
    """A page at a width: its lines, the first one of the row to show first, and those at which the runs of
    differing rows begin.
    """

    lines: tuple[Text, ...]
    focus: int
    stops: tuple[int, ...]

    def next_difference(self, after: int) -> int | None:
        """The line of the next run of differing rows below a line; from the top again after the last."""
        return next((stop for stop in self.stops if stop > after), self.stops[0] if self.stops else None)


def laid_out(page: Page, width: int, *, entire: bool) -> PageLayout:
    """The page at a width: lanes side by side, or one above the other where there is no room. With `entire`
    long rows take as many lines as they need, else each is cut to one.
    """
    room = min(max((len(row.label) for row in page.rows), default=0), _LABEL)
    lines: list[Text] = []
    focus, stops, before = 0, [], False
    for number, row in enumerate(page.rows):
        stops += [len(lines)] if row.differs and not before else []
        before, focus = row.differs, len(lines) if number == page.focus else focus
        drawn = _drawn(row, room, width, _WRAPPED if entire else 1)
        about = number == page.focus and row.differs
        lines += (Text.assemble(("▶", "bold"), line[1:]) if about else line for line in drawn)
    return PageLayout(lines=tuple(lines), focus=focus, stops=tuple(stops))


def _drawn(row: Row, labels: int, width: int, most: int) -> Iterator[Text]:
    """The lines of one row. One above the other, `<` is the reference, `>` the candidate, `=` both."""
    name = row.label if len(row.label) <= labels else f"…{row.label[1 - labels :]}"
    label = f"  {name:>{labels}} "
    left, right = (None if side is None else one_line(side[:_LONGEST]) for side in (row.left, row.right))
    if row.whole or width < NARROW:
        parts = [(left, right, "< ", "red"), (right, left, "> ", "green")]
        if row.whole:
            style = "bold" if row.differs else "dim" if (left or "").startswith("= ") else ""
            parts = [(left, None, "≠ " if row.differs else "  ", style)]
        elif not row.differs:
            parts = [(left, left, "= ", "dim")]
        for value, other, sign, style in parts:
            if value is not None:
                label = label if row.label or not row.whole else ""
                head = Text.assemble((label, "dim"), (sign, "bold" if row.whole else "dim"))
                room = width - len(head) - (1 if label else 0)
                for line in fitted(value, other, room, style=style, most=most, skip=row.skip):
                    yield Text.assemble(head, line)
                    head = Text(" " * len(head))
                label = " " * len(label)
        return
    room = (width - labels - 8) // 2
    sides = ((left, right, "red"), (right, left, "green"))
    lanes = [fitted(one, other, room, style=colour * row.differs, most=most) for one, other, colour in sides]
    between = Text(" ≠ ", style="bold") if row.differs else Text(" = ", style="dim")
    for pair in zip_longest(*lanes, fillvalue=Text("")):
        line = Text.assemble((f"{label} ", "dim"), pair[0])
        line.align("left", labels + 4 + room)
        yield Text.assemble(line, between, pair[1])
        label, between = " " * len(label), Text("   ")
