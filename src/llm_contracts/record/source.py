"""Whom a recording run asks, and how. Imported by a command line that only completes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


class Source(StrEnum):
    """Who answers."""

    LIVE = "live"
    SIMULATOR = "simulator"


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordOptions:
    """How to record.

    Attributes:
        source: the real providers, or the simulator.
        environ: where keys and base URLs are looked up: the process's variables and those of `.env`.
        client: the one that makes the calls, by name; None is the project's reference.
        missing: leave alone what has a recording that is good enough: live when recording live, else any.
        stale_days: leave alone only what is good enough and not yet so many days old: verdicts count so, too.
        overwrite_live: let the simulator take the place of what a real provider said, recorded live or
            imported, which it never does otherwise.
        timeout: seconds for one call.
        verify: compare what comes with what was recorded, and write nothing.
        now: the clock.
    """

    source: Source
    environ: Mapping[str, str] = field(repr=False)
    client: str | None = None
    missing: bool = False
    stale_days: int | None = None
    overwrite_live: bool = False
    timeout: float = 120.0
    verify: bool = False
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
