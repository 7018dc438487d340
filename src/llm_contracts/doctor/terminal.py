"""A diagnosis, and what is left of the old clients, on a terminal and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from llm_contracts.doctor.finding import Diagnosis, Finding, FindingLevel
from llm_contracts.doctor.leftovers import Leftovers
from llm_contracts.util.terminal import one_line
from llm_contracts.util.text import and_more
from llm_contracts.util.versions import versions

_MARKS = {
    FindingLevel.OK: ("✓", "green"),
    FindingLevel.NOTE: ("·", "dim"),
    FindingLevel.WARNING: ("!", "yellow"),
    FindingLevel.FAULT: ("✗", "red"),
    FindingLevel.UNREADABLE: ("✗", "red"),
    FindingLevel.SECRET: ("✗", "bold red"),
}


def diagnosis_document(diagnosis: Diagnosis, distributions: Sequence[str]) -> dict[str, Any]:
    """All findings as plain JSON values; `distributions`: the project's own, whose versions are named."""
    return {"format": 1, "worst": diagnosis.worst, "versions": versions(distributions), **asdict(diagnosis)}


def print_diagnosis(console: Console, diagnosis: Diagnosis) -> None:
    """Print the findings of each area, and their sum."""
    for area, findings in groupby(diagnosis.findings, key=lambda finding: finding.area):
        console.print(area, style="bold")
        console.print(Padding(_table(tuple(findings)), (0, 0, 1, 2)))
    console.print(_summary(diagnosis))


def _table(findings: Sequence[Finding]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        mark, style = _MARKS[finding.level]
        text = Text(one_line(finding.what), style="dim" if finding.level is FindingLevel.NOTE else "")
        if finding.way_out:
            text.append(f"\n→ {one_line(finding.way_out)}", style="cyan")
        table.add_row(Text(mark, style=style), text)
    return table


def _summary(diagnosis: Diagnosis) -> str:
    counts = Counter(finding.level for finding in diagnosis.findings)
    wrong = [
        level
        for level in reversed(FindingLevel)
        if counts[level] and level not in {FindingLevel.OK, FindingLevel.NOTE}
    ]
    if not wrong:
        return "All is well."
    words = {
        FindingLevel.SECRET: "to take out at once",
        FindingLevel.WARNING: "to be seen to",
        FindingLevel.UNREADABLE: "unreadable",
    }
    return ", ".join(f"{counts[level]} {words.get(level, 'to put right')}" for level in wrong) + "."


def print_leftovers(console: Console, report: Leftovers, *, most: int | None) -> None:
    """Print what still refers to the old clients, at most so many lines of each area."""
    for area, lines in report.areas().items():
        console.print(f"{area} {len(lines)}", style="bold")
        shown = lines[:most]
        width = max(len(one.place) for one in shown)
        for one in shown:
            console.print(f"  {one.place:<{width}}  {one.text}", no_wrap=True, overflow="ellipsis", crop=True)
        if most is not None and (rest := and_more(lines, most)):
            console.print(f"  {rest} (--all shows them)", style="dim")
        console.print()
    kept = ", ".join(f"{count} in {pattern}" for pattern, count in report.kept.items() if count)
    if kept:
        console.print(f"Kept on purpose: {kept}.", style="dim", soft_wrap=True)
    files = {one.file for one in report.found}
    end = f"{len(report.found)} places in {len(files)} files still name what is to go."
    console.print(end if report.found else "Nothing is left of the old clients.")
