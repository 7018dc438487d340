"""What a screen draws with, and how it keeps what it shows from steering the terminal."""

from __future__ import annotations

import json
from dataclasses import dataclass

NARROW = 76
"""Columns below which two lanes stand one above the other."""

STYLES = {"breaking": "bold red", "visible": "yellow", "cosmetic": "cyan"}
"""Severity → style. The word always stands beside it: colour alone says nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GlyphSet:
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


UNICODE = GlyphSet(
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
ASCII = GlyphSet(
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
