"""What every screen of a review is drawn with, and how what it shows is kept from steering the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

NARROW = 76
"""Columns below which two lanes stand one above the other."""

STYLES = {"breaking": "bold red", "visible": "yellow", "cosmetic": "cyan"}
"""Severity → style. The word always stands beside it: colour alone says nothing."""

_PLAIN = str.maketrans({"▁": ".", "▃": ":", "▅": "+", "▇": "#", "…": "~", "·": ".", "→": "->"})


@dataclass(frozen=True, kw_only=True, slots=True)
class GlyphSet:
    """What a screen draws with; `ascii_only` escapes everything else."""

    rule: str = "─"
    gap: str = "·"
    differs: str = "≠"
    arrow: str = "→"
    more: str = "…"
    on: str = "●"
    off: str = "○"
    cursor: str = "▏"
    here: str = "▶"
    dot: str = "·"
    ascii_only: bool = False

    def readable(self, text: str) -> str:
        """A text that the screen can show and that cannot steer it: what is not printable stands escaped."""
        if not text.isprintable():
            text = "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
        if not self.ascii_only:
            return text
        return text.translate(_PLAIN).encode("ascii", "backslashreplace").decode()

    def safe(self, line: Text) -> Text:
        """A line that the screen can show and that cannot steer it, wherever its words come from."""
        plain = line.plain
        if plain.isprintable() and (plain.isascii() or not self.ascii_only):
            return line
        return Text(self.readable(plain), style=line.style)


UNICODE = GlyphSet()
ASCII = GlyphSet(
    rule="-", gap=".", differs="|", arrow="->", more="~", on="*", off="o", cursor="_", here=">", dot="-",
    ascii_only=True,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """Columns and lines of the screen."""

    width: int
    height: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawing:
    """What is the same for the whole review: the clients' names, releases, the waivers file, how to draw."""

    reference: str
    candidate: str
    versions: Mapping[str, str]
    waivers: str
    signs: GlyphSet

    def rule(self, width: int, title: str = "") -> Text:
        """A line over the whole width, with a title in it."""
        sign = self.signs.rule
        if not title:
            return Text(sign * width, style="dim")
        rest = sign * max(width - cell_len(title) - 4, 0)
        return Text.assemble((sign * 2, "dim"), (f" {title} ", "bold"), (rest, "dim"))


def spread(left: Text, right: Text, width: int) -> Iterator[Text]:
    """One text at the left edge and one at the right; below each other if both do not fit."""
    gap = width - cell_len(left.plain) - cell_len(right.plain) - 1
    if gap > 1:
        yield Text.assemble(left, " " * gap, right)
    else:
        yield from (left, Text.assemble(" ", right))


def wrapped(text: str, width: int, indent: str = " ", style: str = "", most: int = 99) -> list[Text]:
    """A sentence in lines of at most this width; what does not fit in `most` lines is left out."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and cell_len(lines[-1]) + cell_len(word) + 1 <= width - len(indent):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [Text(indent + line, style=style) for line in lines[:most]]


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
