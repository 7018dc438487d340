"""Verdicts of a stored result, with what they rest on, on a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from llm_contracts.parity.result import Readiness, Verdict
from llm_contracts.reporting.evidence import Evidence, evidence_line
from llm_contracts.reporting.terminal import print_verdicts
from llm_contracts.results.document import verdict_row
from llm_contracts.util.terminal import listed

if TYPE_CHECKING:
    from rich.console import Console

    from llm_contracts.results.store import Stored

_FIELDS = ("format", "reference", "candidate", "engine", "run", "versions", "checked_at")


def verdict_document(
    stored: Stored, asked: Mapping[str, Verdict], seen: Mapping[str, Evidence]
) -> dict[str, Any]:
    """The verdicts asked for as plain JSON values; `seen`: provider → what its verdict rests on."""
    return {
        **{key: stored.document.get(key) for key in _FIELDS},
        "go": all(verdict.answer is Readiness.READY for verdict in asked.values()),
        "verdicts": {
            name: {**verdict_row(verdict), "evidence": asdict(seen[name])} for name, verdict in asked.items()
        },
        "complaints": list(stored.result.complaints),
        "warnings": list(stored.result.warnings),
    }


def print_stored_verdicts(
    console: Console,
    stored: Stored,
    asked: Mapping[str, Verdict],
    seen: Mapping[str, Evidence],
    everyone: Collection[str],
) -> None:
    """Print them, with what is wrong about the run as a whole; `everyone`: the project's providers."""
    result, now = stored.result, datetime.now(UTC)
    age = _age(datetime.fromisoformat(stored.document["checked_at"]), now)
    console.print(f"{result.reference} against {result.candidate}, checked {age} ago", style="dim")
    for title, lines in (
        ("The waivers file", stored.result.complaints),
        ("Warnings", stored.result.warnings),
    ):
        for section in listed(title, lines, "yellow"):
            console.print(section)
    today = now.astimezone().date()
    notes = {name: evidence_line(each, today) for name, each in seen.items()}
    items = tuple(item for item in result.items if item.provider in asked)
    print_verdicts(console, replace(result, items=items, verdicts=asked), everyone, notes)


def _age(since: datetime, now: datetime) -> str:
    minutes = int((now - since).total_seconds() // 60)
    if minutes < 1:
        return "less than a minute"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
