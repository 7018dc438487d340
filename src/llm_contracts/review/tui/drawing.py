"""What every screen of a review is drawn with, and how what it shows is kept from steering the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.text import Text

from llm_contracts.reporting.align import by_ends
from llm_contracts.util.terminal import one_line

NARROW = 76
"""Columns below which two lanes stand one above the other."""

STYLES = {"breaking": "bold red", "visible": "yellow", "cosmetic": "cyan"}
"""Severity → style. The word always stands beside it: colour alone says nothing."""

_BEFORE = 12  # characters kept before the first difference of a text that is cut


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
