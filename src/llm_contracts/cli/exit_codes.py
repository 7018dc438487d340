"""Exit codes, and which one wins when a run has earned several."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llm_contracts.parity.result import Result


class Exit(IntEnum):
    """What a script learns. Fixed: people's pipelines depend on these numbers."""

    AGREEMENT = 0
    DIVERGENCE = 1  # unwaived differences, noise, or a fault in the waivers file
    USAGE = 2  # wrong usage or configuration
    UNREADABLE = 3  # recordings that cannot be read, or that were asked for and are not there; they are named
    SECRET = 4  # a secret where none may be
    INTERRUPTED = 130  # Ctrl-C


FAILURES: Mapping[str, Exit] = {
    "SecretFound": Exit.SECRET,
    **dict.fromkeys(("CassetteError", "DecisionsError", "StoredResultError"), Exit.UNREADABLE),
    **dict.fromkeys(("ClientError", "ConfigError", "EdgeError", "ReviewError"), Exit.USAGE),
    **dict.fromkeys(("UnavailableError", "WaiverError", "WorkerError"), Exit.USAGE),
    "OSError": Exit.USAGE,  # a full disk, a folder that may not be written
}
"""By name: to find a code must not import half the harness."""


def exit_of_failure(error: Exception) -> Exit | None:
    """The code of what ends a command with a message; None for what deserves a traceback."""
    ours = [
        k.__name__ for k in type(error).__mro__ if k.__module__.startswith(("builtins", "llm_contracts."))
    ]
    return next((FAILURES[name] for name in ours if name in FAILURES), None)


def exit_of(result: Result) -> Exit:
    """The code of a finished run. Input that cannot be read, or is missing altogether, outweighs differences:
    not all of them are known. Cosmetic differences are shown and count for nothing, here as in verdicts.
    """
    from llm_contracts.parity.divergence import Severity

    if any(item.problem for item in result.items) or (result.missing and not result.items):
        return Exit.UNREADABLE
    found = (d for item in result.items for d in (*item.unwaived, *item.noise))
    differs = any(divergence.severity is not Severity.COSMETIC for divergence in found)
    return Exit.DIVERGENCE if differs or result.complaints else Exit.AGREEMENT
