"""Exit codes, and which one wins when a run has earned several."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llm_contracts.parity.result import Result


class Exit(IntEnum):
    """What a script learns. Fixed: people's pipelines depend on these numbers."""

    AGREEMENT = 0
    DIVERGENCE = 1  # unwaived differences, noise, or a fault in the waivers file
    USAGE = 2  # wrong usage or configuration
    UNREADABLE = 3  # a recording that cannot be read; it is named
    SECRET = 4  # a secret where none may be
    INTERRUPTED = 130  # Ctrl-C


def exit_of(result: Result) -> Exit:
    """The code of a finished run. Input that could not be read outweighs differences: they are not all known."""
    if any(item.problem for item in result.items):
        return Exit.UNREADABLE
    differs = any(item.unwaived or item.noise for item in result.items)
    return Exit.DIVERGENCE if differs or result.complaints else Exit.AGREEMENT
