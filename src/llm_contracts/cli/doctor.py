"""`llm-contracts doctor`."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from llm_contracts.cli.exit_codes import Exit
from llm_contracts.cli.options import json_option, project_here
from llm_contracts.doctor import AREAS, Diagnosis, Finding, FindingLevel, diagnose, work
from llm_contracts.project.config import Project
from llm_contracts.util.files import write_text
from llm_contracts.util.terminal import progress_bar, report_console
from llm_contracts.util.versions import versions

_EXAMPLES = """\b
Examples:
  llm-contracts doctor
  llm-contracts doctor --area secrets --area environment     what CI can check before anything ran
  llm-contracts doctor --json - | jq -r '.findings[] | select(.level != "ok") | .what'
"""
_EXITS = {
    FindingLevel.OK: Exit.AGREEMENT,
    FindingLevel.NOTE: Exit.AGREEMENT,
    FindingLevel.WARNING: Exit.DIVERGENCE,
    FindingLevel.FAULT: Exit.USAGE,
    FindingLevel.UNREADABLE: Exit.UNREADABLE,
    FindingLevel.SECRET: Exit.SECRET,
}
_MARKS = {
    FindingLevel.OK: ("✓", "green"),
    FindingLevel.NOTE: ("·", "dim"),
    FindingLevel.WARNING: ("!", "yellow"),
    FindingLevel.FAULT: ("✗", "red"),
    FindingLevel.UNREADABLE: ("✗", "red"),
    FindingLevel.SECRET: ("✗", "bold red"),
}


@click.command(epilog=_EXAMPLES)
@click.option(
    "--area",
    "areas",
    multiple=True,
    type=click.Choice(AREAS),
    help="Only this; may be given several times.",
)
@json_option
def doctor(areas: tuple[str, ...], json_file: Path | None) -> Exit:
    """Is everything fit for use?

    Looks at the environment, keys (names, never values), recordings, accepted differences and the stored
    result, and searches every file that git tracks for secrets. Calls nobody and changes nothing.

    Exit code 1 for what should be seen to, 2 for what does not work, 3 for what cannot be read, 4 for a
    secret.
    """
    project = project_here()
    wanted = areas or AREAS
    with progress_bar("doctor", work(project, wanted)) as done:
        diagnosis = diagnose(project, os.environ, areas=wanted, progress=done)
    if json_file is not None:
        write_text(json_file, _json(diagnosis, project))
    if str(json_file) != "-":
        _print(report_console(), diagnosis)
    return _EXITS[diagnosis.worst]


def _json(diagnosis: Diagnosis, project: Project) -> str:
    used = versions(project.settings.distributions)
    document = {"format": 1, "worst": diagnosis.worst, "versions": used, **asdict(diagnosis)}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _print(console: Console, diagnosis: Diagnosis) -> None:
    for area, findings in groupby(diagnosis.findings, key=lambda finding: finding.area):
        console.print(area, style="bold", markup=False)
        console.print(Padding(_table(tuple(findings)), (0, 0, 1, 2)))
    console.print(_summary(diagnosis), markup=False)


def _table(findings: tuple[Finding, ...]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        mark, style = _MARKS[finding.level]
        said = Text(finding.what, style="dim" if finding.level is FindingLevel.NOTE else "")
        if finding.way_out:
            said.append(f"\n→ {finding.way_out}", style="cyan")
        table.add_row(Text(mark, style=style), said)
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
    told = {
        FindingLevel.SECRET: "to take out at once",
        FindingLevel.WARNING: "to be seen to",
        FindingLevel.UNREADABLE: "unreadable",
    }
    return ", ".join(f"{counts[level]} {told.get(level, 'to put right')}" for level in wrong) + "."
