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
    UNREADABLE = 3  # recordings that cannot be read, or that were asked for and are not there; they are named
    SECRET = 4  # a secret where none may be
    INTERRUPTED = 130  # Ctrl-C


def failures() -> dict[type[Exception], Exit]:
    """What ends a command with a message instead of a traceback, and with which code.

    A function, because a command line that only helps or completes must not import half the harness.
    """
    from llm_contracts.clients.resolve import ClientError
    from llm_contracts.matrix.environments import UnavailableError
    from llm_contracts.parity.waivers import WaiverError
    from llm_contracts.project.config import ConfigError
    from llm_contracts.results.items import StoredResultError
    from llm_contracts.review.decisions import DecisionsError
    from llm_contracts.review.session import ReviewError
    from llm_contracts.run.workers.processes import WorkerError
    from llm_contracts.wire.cassette import CassetteError
    from llm_contracts.wire.proxy.network import EdgeError
    from llm_contracts.wire.scrub import SecretFound

    usage = (ConfigError, ClientError, WaiverError, EdgeError, ReviewError, UnavailableError)
    return {
        SecretFound: Exit.SECRET,
        **dict.fromkeys(usage, Exit.USAGE),
        **dict.fromkeys((DecisionsError, CassetteError, StoredResultError), Exit.UNREADABLE),
        # OSError: a full disk, a folder that may not be written
        **dict.fromkeys((WorkerError, OSError), Exit.USAGE),
    }


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
