"""Rows of a page as lines of a screen of a given width."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells
from rich.text import Text

from llm_contracts.parity.compare.finding import first_difference
from llm_contracts.views.review.page import Page, Row

NARROW = 76  # columns below which two lanes stand one above the other
_WRAPPED = 40  # lines that one row may take where everything is shown
_LONGEST = 20_000  # characters of a row that are looked at
_BEFORE = 12  # characters kept before the first difference of a long line
_LABEL = 22

STYLES = {"breaking": "bold red", "visible": "yellow", "cosmetic": "cyan"}
"""Severity → style. The word always stands beside it: colour alone says nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Signs:
    """What a screen draws with; `ascii_only` escapes everything else."""

    rule: str
    gap: str
    differs: str
    arrow: str
    more: str
    on: str
    off: str
    cursor: str
    here: str
    dot: str
    ascii_only: bool

    def readable(self, text: str) -> str:
        """A text that the screen can show and that cannot steer it: what is not printable stands escaped."""
        if not text.isprintable():
            text = "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
        if not self.ascii_only:
            return text
        return text.translate(_PLAIN).encode("ascii", "backslashreplace").decode()


UNICODE = Signs(
    rule="─",
    gap="·",
    differs="≠",
    arrow="→",
    more="…",
    on="●",
    off="○",
    cursor="▏",
    here="▶",
    dot="·",
    ascii_only=False,
)
ASCII = Signs(
    rule="-",
    gap=".",
    differs="|",
    arrow="->",
    more="~",
    on="*",
    off="o",
    cursor="_",
    here=">",
    dot="-",
    ascii_only=True,
)
_PLAIN = str.maketrans({"▁": ".", "▃": ":", "▅": "+", "▇": "#", "…": "~", "·": ".", "→": "->"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Laid:
    """A page in lines; `starts` has the first line of each row."""

    lines: tuple[Text, ...]
    starts: tuple[int, ...]


def laid_out(page: Page, width: int, signs: Signs, *, entire: bool) -> Laid:
    """The page at a width: lanes side by side, or one above the other where there is no room."""
    label = min(max((len(row.label) for row in page.rows), default=0), _LABEL)
    lines: list[Text] = []
    starts: list[int] = []
    for number, row in enumerate(page.rows):
        starts.append(len(lines))
        found = _lines(row, width, label, signs, entire=entire)
        here = number == page.focus and row.differs
        lines.extend(Text(signs.here, style="bold") + line[1:] if here else line for line in found)
    return Laid(lines=tuple(lines), starts=tuple(starts))


def _lines(row: Row, width: int, label: int, signs: Signs, *, entire: bool) -> Iterator[Text]:
    if row.whole:
        yield from _whole(row, width, label, signs, entire=entire)
    elif width < NARROW:
        yield from _stacked(row, width, label, signs, entire=entire)
    else:
        yield from _beside(row, width, label, signs, entire=entire)


def _whole(row: Row, width: int, label: int, signs: Signs, *, entire: bool) -> Iterator[Text]:
    text = signs.readable((row.left or "")[:_LONGEST])
    room = width - label - 6 if row.label else width - 2
    if not entire and cell_len(text) > room and row.skip > _BEFORE:
        text = signs.more + text[row.skip - _BEFORE :]
    head = _head(row, label, signs) if row.label else Text("  ")
    style = "bold" if row.differs else "dim" if text.startswith("=") else ""
    yield from _with_head(head, _parts(text, room, signs, entire=entire), style)


def _head(row: Row, label: int, signs: Signs) -> Text:
    mark = signs.differs if row.differs else " "
    return Text.assemble((f"  {row.label[:label]:>{label}} ", "dim"), (f"{mark} ", "bold"))


def _with_head(head: Text, parts: Sequence[str], style: str) -> Iterator[Text]:
    for number, part in enumerate(parts):
        start = head if number == 0 else Text(" " * cell_len(head.plain))
        yield start + Text(part, style=style)


def _beside(row: Row, width: int, label: int, signs: Signs, *, entire: bool) -> Iterator[Text]:
    lane = (width - label - 8) // 2
    left, right = (_cells(value, other, lane, signs, entire=entire) for value, other in _both(row, signs))
    mark = signs.differs if row.differs else "="
    for number in range(max(len(left), len(right))):
        head = f"  {row.label[:label] if number == 0 else '':>{label}}  "
        line = Text(head, style="dim")
        line.append_text(_lane(left, number, lane, row, "red"))
        line.append(f" {mark if number == 0 else ' '} ", style="bold" if row.differs else "dim")
        line.append_text(_lane(right, number, lane, row, "green"))
        yield line


def _stacked(row: Row, width: int, label: int, signs: Signs, *, entire: bool) -> Iterator[Text]:
    """`<` is the reference, `>` the candidate, `=` both."""
    room = width - label - 5
    if not row.differs:
        parts = _cells(row.left, row.right, room, signs, entire=entire)
        yield from _with_head(Text(f"  {row.label[:label]:>{label}} = ", style="dim"), _plain(parts), "dim")
        return
    for (value, other), mark, style in zip(_both(row, signs), "<>", ("red", "green"), strict=True):
        if value is not None:
            parts = _cells(value, other, room, signs, entire=entire)
            for number, part in enumerate(parts):
                name = row.label[:label] if number == 0 and mark == "<" else ""
                yield Text(f"  {name:>{label}} {mark} ", style="dim") + _marked(part, style)


def _both(row: Row, signs: Signs) -> tuple[tuple[str | None, str | None], ...]:
    left, right = (None if side is None else signs.readable(side) for side in (row.left, row.right))
    return (left, right), (right, left)


_Cell = tuple[str, int, int]
"""A piece of a lane, and the part of it that the other lane does not have."""


def _cells(value: str | None, other: str | None, lane: int, signs: Signs, *, entire: bool) -> list[_Cell]:
    """A value in pieces that fit the lane. Of a long one that with the difference, unless all is shown."""
    if value is None:
        return [(signs.gap, 0, 0)]
    start, end = differing_part(value, other)
    if not entire and cell_len(value) > lane and start > lane - _BEFORE:
        skipped = max(start - _BEFORE, 0)
        value, start, end = signs.more + value[skipped:], start - skipped + 1, end - skipped + 1
    parts = _parts(value, lane, signs, entire=entire)
    found: list[_Cell] = []
    at = 0
    for part in parts:
        found.append((part, max(start - at, 0), max(min(end - at, len(part)), 0)))
        at += len(part)
    return found


def differing_part(value: str, other: str | None) -> tuple[int, int]:
    """Where in a value is what the other does not have: from the first character that differs to the last."""
    if other is None or value == other:
        return 0, 0
    head = first_difference(value, other)
    room = min(len(value), len(other)) - head
    tail = first_difference(value[::-1][:room], other[::-1][:room])
    return head, len(value) - tail


def _parts(text: str, width: int, signs: Signs, *, entire: bool) -> list[str]:
    if cell_len(text) <= width:
        return [text]
    pieces = chop_cells(text, max(width, 2))
    if entire:
        return pieces[:_WRAPPED]
    return [chop_cells(text, max(width - 1, 2))[0] + signs.more]


def _plain(parts: Sequence[_Cell]) -> list[str]:
    return [part for part, _, _ in parts]


def _lane(parts: Sequence[_Cell], number: int, width: int, row: Row, style: str) -> Text:
    if number >= len(parts):
        return Text(" " * width)
    part, start, end = parts[number]
    padded = part + " " * max(width - cell_len(part), 0)
    return _marked((padded, start, end), style if row.differs else "")


def _marked(cell: _Cell, style: str) -> Text:
    part, start, end = cell
    text = Text(part, style=style)
    if end > start:
        text.stylize("bold underline", start, end)
    return text
