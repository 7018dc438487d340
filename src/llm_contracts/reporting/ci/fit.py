"""A document that has to be short enough: whole lines are left out, from the least important part first, and
counted. What belongs together, such as a table's head, stays together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llm_contracts.util.text import count


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentPart:
    """A part of a document.

    Attributes:
        head: what stands above the rows; it is always there.
        rows: what may be left out, the most important first; each may be of several lines.
        foot: what closes what the head has opened; always there.
        what: what a row is, for the sentence that counts what was left out.
        most: how many rows are enough, however much room there is; None for all.
    """

    head: Sequence[str] = ()
    rows: Sequence[str] = ()
    foot: Sequence[str] = ()
    what: str = "line"
    most: int | None = None

    def text(self, shown: int) -> str:
        """The part with so many of its rows."""
        left = len(self.rows) - shown
        # After an empty line it belongs neither to a table nor to the last entry of a list.
        more = ["", f"… and {count(left, f'more {self.what}')}, left out here."] if left else []
        return "\n".join([*self.head, *self.rows[:shown], *more, *self.foot]) + "\n"


def fitted(parts: Sequence[DocumentPart], limit: int) -> str:
    """The document in at most `limit` bytes of UTF-8: parts that come first get room first.

    Heads and feet stay even if these alone are too long, so they have to be short.
    """
    shown = [0] * len(parts)
    used = sum(_size(part.text(0)) + 1 for part in parts)  # one for the empty line between parts
    for number, part in enumerate(parts):
        most = len(part.rows) if part.most is None else min(part.most, len(part.rows))
        for row in part.rows[:most]:
            size = _size(row) + 1
            if used + size > limit:
                break
            used += size
            shown[number] += 1
    return "\n".join(part.text(rows) for part, rows in zip(parts, shown, strict=True))


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
