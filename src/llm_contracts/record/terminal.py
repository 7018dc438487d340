"""What recording did, or would do, on a terminal and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table

from llm_contracts.record.plan import PlannedRecording
from llm_contracts.record.run import RecordOutcome, RecordReport
from llm_contracts.util.text import count, first_names

if TYPE_CHECKING:
    from rich.console import Console


def plan_document(steps: Sequence[PlannedRecording]) -> dict[str, Any]:
    """What would be called, as plain JSON values."""
    rows = [
        {"scenario": s.scenario.name, "call": not s.skip, "tokens": s.tokens, "skip": s.skip} for s in steps
    ]
    return {"format": 1, "steps": rows, "tokens": _tokens(steps)}


def print_plan(console: Console, steps: Sequence[PlannedRecording]) -> None:
    """Print what would be called, and why the others would not."""
    calls = sum(not step.skip for step in steps)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for title in ("scenario", "tokens, roughly"):
        table.add_column(title, justify="right" if "tokens" in title else "left")
    for step in steps:
        if not step.skip:
            table.add_row(step.scenario.name, f"{step.tokens:,}")
    if calls:
        console.print(table)
    _print_skipped(console, ((step.skip, step.scenario.name) for step in steps if step.skip))
    console.print(f"\n{count(calls, 'call')}, roughly {_tokens(steps):,} tokens. Nobody was called.")


def _tokens(steps: Sequence[PlannedRecording]) -> int:
    return sum(step.tokens for step in steps if not step.skip)


def record_document(report: RecordReport) -> dict[str, Any]:
    """What became of each scenario, as plain JSON values."""
    takes = [{"scenario": t.scenario, "outcome": str(t.outcome), "detail": t.detail} for t in report.takes]
    return {"format": 1, "takes": takes, "interrupted": report.interrupted, "remaining": report.remaining}


def print_takes(console: Console, report: RecordReport) -> None:
    """Print what was skipped and what failed."""
    skipped = report.skipped_providers
    for name, reason in skipped.items():
        console.print(f"skipped  {name}: {reason}", style="yellow")
    others = (take for take in report.takes if take.scenario.partition("/")[0] not in skipped)
    _print_skipped(console, ((t.detail, t.scenario) for t in others if t.outcome is RecordOutcome.SKIPPED))
    for take in report.with_outcome(RecordOutcome.FAILED):
        console.print(f"failed   {take.scenario}: {take.detail}", style="red")


def _print_skipped(console: Console, reasons: Iterable[tuple[str, str]]) -> None:
    """A line for each reason, with its scenarios."""
    found: dict[str, list[str]] = {}
    for reason, name in reasons:
        found.setdefault(reason, []).append(name)
    for reason, names in found.items():
        number = f" ({len(names)})" if len(names) > 1 else ""
        console.print(f"skipped{number}  {first_names(names, 3)}: {reason}", style="dim")


def print_end(console: Console, report: RecordReport, *, verify: bool) -> None:
    """Print the counts, and how to go on after an interruption."""
    counts = Counter(take.outcome for take in report.takes)
    if not verify:
        console.print(
            ", ".join(f"{counts[outcome]} {outcome}" for outcome in RecordOutcome if counts[outcome]) + "."
        )
    if report.interrupted and verify:
        console.print(f"{len(report.remaining)} left, from {report.remaining[0]} on.", style="bold")
    elif report.advice:
        console.print(report.advice, style="bold")
