"""Short sentences out of long lists."""

from __future__ import annotations

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
