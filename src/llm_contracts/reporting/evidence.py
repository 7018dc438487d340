"""What a verdict rests on: how many recordings, where they came from, and how old the oldest is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llm_contracts.parity.result import Result


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """The recordings of one provider.

    Attributes:
        recordings: provenance → how many; `unknown` where a file does not say.
        oldest: the earliest date that any of them has, or None.
        oldest_live: the same of the live ones.
        missing: how many scenarios have no recording.
    """

    recordings: Mapping[str, int]
    oldest: date | None
    oldest_live: date | None
    missing: int


def evidence(result: Result, provider: str) -> Evidence:
    """What a result has of one provider."""
    mine = [item for item in result.items if item.provider == provider]
    dated = [(item.recorded_on, item.provenance) for item in mine if item.recorded_on is not None]
    return Evidence(
        recordings=dict(Counter(item.provenance or "unknown" for item in mine).most_common()),
        oldest=min((day for day, _ in dated), default=None),
        oldest_live=min((day for day, provenance in dated if provenance == "live"), default=None),
        missing=sum(name.partition("/")[0] == provider for name in result.missing),
    )


def evidence_line(found: Evidence, today: date) -> str:
    """The same in a line for people."""
    parts = [f"{number} {name}" for name, number in found.recordings.items()]
    parts += [f"{found.missing} missing"] if found.missing else []
    line = f"recordings: {', '.join(parts) or 'none'}"
    if found.oldest is None:
        return line
    line += f"; the oldest is of {found.oldest}, {_days(found.oldest, today)}"
    if found.oldest_live is not None and found.oldest_live != found.oldest:
        line += f", the oldest live one of {found.oldest_live}, {_days(found.oldest_live, today)}"
    return line


def _days(day: date, today: date) -> str:
    days = (today - day).days
    if days <= 0:
        return "today"
    return "1 day old" if days == 1 else f"{days} days old"
