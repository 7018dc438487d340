# ruff: noqa: RUF001 - the signs are meant to be what they are
"""Short sentences out of long lists, and what stands for signs where an output cannot show them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Iterable


def and_more(all_of_them: Collection[object], most: int, what: str = "") -> str:
    """What to write after the first `most` of these: `and 3 more`, `and 3 more reasons`, or nothing."""
    left = len(all_of_them) - most
    return f"and {left:,} more{what and ' '}{what}" if left > 0 else ""


def first_names(names: Iterable[str], most: int) -> str:
    """The first `most` names, and how many more there are: `a, b and 3 more`."""
    every = list(names)
    return f"{', '.join(every[:most])} {and_more(every, most)}".rstrip()


def count(number: int, one: str, many: str = "") -> str:
    """`1 recording`, `3 recordings`."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def code_span(text: str) -> str:
    """A text as a code span of Markdown in one line, whatever backticks are in it: nothing in it means
    anything. Not for cells of a table: these end at any `|`.
    """
    line = re.sub(r"[\t-\r]", " ", text)
    fence = "`" * (longest_backticks(line) + 1)
    # One space at both ends is taken off again; without, a backtick at an end would lengthen the fence.
    inner = f" {line} " if line.strip() != line or line[:1] == "`" or line[-1:] == "`" or not line else line
    return f"{fence}{inner}{fence}"


def longest_backticks(text: str) -> int:
    """The number of backticks in the longest run of them."""
    return max(map(len, re.findall("`+", text)), default=0)


_PLAIN = dict(zip("✓✗≈–×·…≠→●○▶─│", "+X%-x.~!>*o>-|", strict=True))


def _plain_signs(error: UnicodeError) -> tuple[str, int]:
    """What stands for signs that an encoding does not have, as a handler of its errors."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(_PLAIN.get(c) or c.encode("ascii", "backslashreplace").decode() for c in lost), error.end


SIGNS = "llm_contracts.signs"
"""The name of a handler of encoding errors: all other characters are written as escapes."""
codecs.register_error(SIGNS, _plain_signs)
