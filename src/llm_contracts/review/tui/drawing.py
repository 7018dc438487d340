"""What every screen of a review is drawn with, rows of a page among it, and how what it shows is kept from
steering the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, zip_longest

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.text import Text

from llm_contracts.reporting.align import by_ends
from llm_contracts.review.tui.page import Page, Row
from llm_contracts.util.terminal import one_line

NARROW = 76
"""Columns below which two lanes stand one above the other."""

STYLES = {"breaking": "bold red", "visible": "yellow", "cosmetic": "cyan"}
"""Severity → style. The word always stands beside it: colour alone says nothing."""

_BEFORE = 12  # characters kept before the first difference of a text that is cut
_WRAPPED = 40  # lines that one row may take where everything is shown
_LONGEST = 20_000  # characters of a row that are looked at
_LABEL = 18


def safe(line: Text) -> Text:
    """A line that cannot steer the screen, wherever its words come from."""
    return line if line.plain.isprintable() else Text(one_line(line.plain), style=line.style)


def rule(width: int, title: str = "") -> Text:
    """A line over the whole width, with a title in it."""
    head = f"── {title} " if title else ""
    line = Text(head + "─" * max(width - cell_len(head), 0), style="dim")
    line.stylize("not dim bold", 3, max(len(head) - 1, 3))
    return line


def spread(left: Text, right: Text, width: int) -> Iterator[Text]:
    """One text at the left edge and one at the right; below each other if both do not fit."""
    gap = width - left.cell_len - right.cell_len - 1
    yield from (Text.assemble(left, " " * gap, right),) if gap > 1 else (left, Text.assemble(" ", right))


def wrapped(text: str, width: int, style: str = "", most: int = 99) -> list[Text]:
    """A sentence in lines of at most this width; what does not fit in `most` lines is left out."""
    lines = Text(text, style=style).wrap(Console(), max(width - 2, 1))
    return [Text.assemble(" ", line) for line in lines[:most]]


def keys(names: tuple[str, ...], width: int) -> Iterator[Text]:
    """Keys with what they do, in as few lines as they need."""
    line = Text(" ")
    for name in names:
        key, _, does = name.partition(" ")
        if len(line) > 1 and len(line) + len(name) + 2 > width:
            yield line
            line = Text(" ")
        line.append(key, style="bold").append(f" {does}  ")
    yield line


def fitted(
    value: str | None, other: str | None, room: int, *, style: str = "", most: int = 1, skip: int = 0
) -> list[Text]:
    """A value in at most so many lines, with the part marked that the other one does not have. Where it must
    be cut, what is kept begins a little before that part, or before character `skip`. None is a gap.
    """
    if value is None:
        return [Text("·", style=style)]
    text = Text(value, style=style)
    pieces = [] if other is None or value == other else by_ends(value, other)[0]
    start, end = (len("".join(pieces[:n])) for n in (1, 2))
    if 0 < end - start < len(value):  # else the colour and the sign are enough
        text.stylize("bold underline", start, end)
    begin = max(start, skip) - _BEFORE
    if begin > 0 and cell_len(value) > room * most and max(start, skip) > room - _BEFORE:
        text = Text.assemble("…", text[begin:])
    parts = chop_cells(text.plain[: room * most + 1], max(room, 2))[:-1]
    lines = text.divide([*accumulate(map(len, parts))][: most - 1])
    lines[-1].truncate(room, overflow="ellipsis")
    return list(lines)


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
