"""What an import did, on a terminal and as JSON, and what is left to do: scenarios must own recordings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from pprint import pformat
from typing import Any

from rich.console import Console
from rich.text import Text

from llm_contracts.importing.run import Import, ImportOutcome, ImportReport
from llm_contracts.project.config import Settings
from llm_contracts.project.recorded_scenarios import IMPORTED
from llm_contracts.reporting.answer import left_out_lines
from llm_contracts.results.document import problem_document

_STYLES = {ImportOutcome.IMPORTED: "green", ImportOutcome.UNCHANGED: "dim", ImportOutcome.IN_THE_WAY: "red"}
_WIDTH = 100


def import_document(report: ImportReport, settings: Settings, *, dry_run: bool) -> dict[str, Any]:
    """The report as plain JSON values."""
    return {
        "format": 1,
        "dry_run": dry_run,
        "imports": [
            {
                "scenario": one.row.name,
                "outcome": str(one.outcome),
                "stream": one.stream,
                "place": one.place,
                "file": settings.shown(one.file),
            }
            for one in report.imports
        ],
        "left_out": [problem_document(problem) for problem in report.left_out],
        "unowned": [one.row.name for one in report.unowned],
    }


def print_import(console: Console, report: ImportReport, settings: Settings, *, dry_run: bool) -> None:
    """Print a line for each stream, what was left out and why, the sum, and what is left to do."""
    for one in report.imports:
        text = Text(f"{_word(one.outcome, dry_run=dry_run):<10}  ", style=_STYLES[one.outcome])
        text.append(one.row.name, style="default").append(f"   from {one.place}", style="dim")
        console.print(text, soft_wrap=True)
    if report.left_out:
        console.print(Text(f"\nNot used ({len(report.left_out)})", style="bold underline"))
        for line in left_out_lines(report.left_out):
            console.print(Text(line, style="dim" if line.startswith(" ") else ""), soft_wrap=True)
    counts = [(sum(one.outcome is outcome for one in report.imports), outcome) for outcome in ImportOutcome]
    parts = [f"{count} {_word(outcome, dry_run=dry_run)}" for count, outcome in counts if count]
    parts = parts or ["Nothing to import"]
    parts += [f"{len(report.left_out)} left out"] if report.left_out else []
    end = ". Nothing was written." if dry_run else "."
    console.print(Text(f"\n{', '.join(parts)}{end}", style="bold"))
    for line in _advice(report, settings, dry_run=dry_run):
        console.print(Text(line), soft_wrap=True)


def _word(outcome: ImportOutcome, *, dry_run: bool) -> str:
    return "to import" if dry_run and outcome is ImportOutcome.IMPORTED else str(outcome).replace("-", " ")


def _advice(report: ImportReport, settings: Settings, *, dry_run: bool) -> Iterator[str]:
    if any(one.outcome is ImportOutcome.IN_THE_WAY for one in report.imports):
        yield "Another recording has that name. --force replaces it; --scenario gives a name of its own."
    if not report.unowned or dry_run:
        return
    yield ""
    them = "it" if len(report.unowned) == 1 else "them"
    yield f"No scenario owns {them} yet, so check does not replay {them}."
    yield f"In {settings.shown(settings.scenarios)}:"
    yield ""
    if any(one.row.id.startswith(IMPORTED) for one in report.unowned):
        folder = Path(os.path.relpath(settings.cassettes, settings.scenarios.parent)).as_posix()
        yield "    from pathlib import Path"
        yield "    from llm_contracts import imported_scenarios"
        yield ""
        yield f'    SCENARIOS = (*SCENARIOS, *imported_scenarios(Path(__file__).parent / "{folder}"))'
    for one in report.unowned:
        if not one.row.id.startswith(IMPORTED):
            yield from _row(one)


def _row(one: Import) -> Iterator[str]:
    row = one.row
    yield f"    # in SCENARIOS, from {one.place}"
    yield "    Scenario("
    for name in ("id", "provider", "model", "messages", "params", "input"):
        if name == "input" and row.input is None:
            continue
        value = pformat(getattr(row, name), width=_WIDTH, sort_dicts=False)
        yield from f"{name}={value},".replace("\n", "\n    ").join(("        ", "")).split("\n")
    yield f"        function=Function.{row.function.name},"
    yield f"        live=False,\n        expects={row.expects!r},\n        finish={row.finish!r},"
    yield "    ),"
