"""Delta debugging: what can be left out of a list while something still holds.

Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input (2002); parts are not tried
alone.
The published packages for it work on the lines of files and call a program for each attempt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def ddmin(items: Sequence[T], holds: Callable[[Sequence[T]], bool]) -> list[T]:
    """The items that are left when no run of them, however short, can be left out.

    Args:
        items: for which `holds` is true.
        holds: asked about parts of them, in their order.
    """
    kept = list(items)
    size = len(kept)
    while kept and size:
        start = 0
        while start < len(kept):
            rest = kept[:start] + kept[start + size :]
            if holds(rest):
                kept = rest
            else:
                start += size
        size //= 2
    return kept
