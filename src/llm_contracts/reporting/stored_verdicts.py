"""Verdicts of a stored result, with what they rest on, on a terminal and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from rich.console import Console

from llm_contracts.parity.result import Readiness, Result, Verdict
from llm_contracts.reporting.terminal import print_verdicts
from llm_contracts.results.document import verdict_row
from llm_contracts.results.store import Stored
from llm_contracts.util.terminal import listed
from llm_contracts.util.text import count

_FIELDS = ("format", "reference", "candidate", "engine", "run", "versions", "checked_at")
_HOUR = 60  # minutes


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """The recordings of one provider, or of some.

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


def evidence(result: Result, *providers: str) -> Evidence:
    """What a result has of these providers."""
    mine = [item for item in result.items if item.provider in providers]
    dated = [(item.recorded_on, item.provenance) for item in mine if item.recorded_on is not None]
    return Evidence(
        recordings=dict(Counter(item.provenance or "unknown" for item in mine).most_common()),
        oldest=min((day for day, _ in dated), default=None),
        oldest_live=min((day for day, provenance in dated if provenance == "live"), default=None),
        missing=sum(name.partition("/")[0] in providers for name in result.missing),
    )


def evidence_line(found: Evidence, today: date) -> str:
    """The same in a line for people."""
    parts = [f"{number} {name}" for name, number in found.recordings.items()]
    parts += [f"{found.missing} missing"] if found.missing else []
    line = f"recordings: {', '.join(parts) or 'none'}"
    if found.oldest is None:
        return line

    def dated(day: date) -> str:
        days = (today - day).days
        return f"of {day}, {count(days, 'day')} old" if days > 0 else f"of {day}, today"

    line += f"; oldest {dated(found.oldest)}"
    if found.oldest_live is not None and found.oldest_live != found.oldest:
        line += f"; oldest live {dated(found.oldest_live)}"
    return line


def verdict_document(stored: Stored, asked: Mapping[str, Verdict]) -> dict[str, Any]:
    """The verdicts asked for as plain JSON values, each with what it rests on."""
    return {
        **{key: stored.document.get(key) for key in _FIELDS},
        "go": all(verdict.answer is Readiness.READY for verdict in asked.values()),
        "verdicts": {
            name: {**verdict_row(verdict), "evidence": asdict(evidence(stored.result, name))}
            for name, verdict in asked.items()
        },
        "complaints": list(stored.result.complaints),
        "warnings": list(stored.result.warnings),
    }


def print_stored_verdicts(
    console: Console,
    stored: Stored,
    asked: Mapping[str, Verdict],
    everyone: Collection[str],
) -> None:
    """Print them, with what is wrong about the run as a whole; `everyone`: the project's providers."""
    result, now = stored.result, datetime.now(UTC)
    minutes = int((now - datetime.fromisoformat(stored.document["checked_at"])).total_seconds() // 60)
    age = "less than a minute" if minutes < 1 else f"{minutes} min"
    if minutes >= _HOUR:
        age = f"{minutes // _HOUR} h {minutes % _HOUR} min"
    console.print(f"{result.reference} against {result.candidate}, checked {age} ago", style="dim")
    for section in (
        *listed("The waivers file", result.complaints, "yellow"),
        *listed("Warnings", result.warnings, "yellow"),
    ):
        console.print(section)
    today = now.astimezone().date()
    items = tuple(item for item in result.items if item.provider in asked)
    print_verdicts(
        console,
        replace(result, items=items, verdicts=asked),
        everyone,
        lambda providers: evidence_line(evidence(result, *providers), today),
    )
