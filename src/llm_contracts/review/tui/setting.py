"""What every screen of a review is drawn with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from llm_contracts.review.tui.signs import GlyphSet


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """Columns and lines of the screen."""

    width: int
    height: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What is the same for the whole review: names of the paths, releases, the waivers file, how to draw."""

    reference: str
    candidate: str
    versions: Mapping[str, str]
    waivers: str
    signs: GlyphSet


def safe(line: Text, signs: GlyphSet) -> Text:
    """A line that the screen can show and that cannot steer it, wherever its words come from."""
    plain = line.plain
    if plain.isprintable() and (plain.isascii() or not signs.ascii_only):
        return line
    return Text(signs.readable(plain), style=line.style)


def spread(left: Text, right: Text, width: int) -> Text:
    """One text at the left edge and one at the right, if both fit; else the left one alone."""
    gap = width - cell_len(left.plain) - cell_len(right.plain) - 1
    return left + Text(" " * gap) + right if gap > 1 else left


def rule(setting: Setting, width: int, title: str = "") -> Text:
    """A line over the whole width, with a title in it."""
    sign = setting.signs.rule
    if not title:
        return Text(sign * width, style="dim")
    rest = max(width - cell_len(title) - 4, 0)
    return Text.assemble((sign * 2, "dim"), (f" {title} ", "bold"), (sign * rest, "dim"))


def wrapped(text: str, width: int, indent: str = " ", style: str = "", most: int = 99) -> list[Text]:
    """A sentence in lines of at most this width; what does not fit in `most` lines is left out."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and cell_len(lines[-1]) + cell_len(word) + 1 <= width - len(indent):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [Text(indent + line, style=style) for line in lines[:most]]


def count(number: int, one: str, many: str = "") -> str:
    """`1 difference`, `2 differences`."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
