"""How variants are named: `plain-stream~cut@3` is the recording `plain-stream`, cut after its third event."""

from __future__ import annotations

import re

MARK = "~"
"""Stands between a scenario's name and a variant's. No scenario has it in its name."""


def varied(name: str, variant: str) -> str:
    """The name of a variant of what has this name."""
    return f"{name}{MARK}{variant}"


def split(name: str) -> tuple[str, str]:
    """A scenario's name and the variant's; the latter is empty for the recording itself."""
    scenario, _, variant = name.partition(MARK)
    return scenario, variant


def general(variant: str) -> str:
    """A variant's name without its place: `cut@3` is `cut@*`."""
    return re.sub(r"@\d+$", "@*", variant)
