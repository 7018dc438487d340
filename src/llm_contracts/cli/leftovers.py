"""`llm-contracts leftovers`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

from llm_contracts.cli.exit_codes import Exit
from llm_contracts.cli.options import json_option
from llm_contracts.doctor.leftovers import Leftover, Leftovers, find_leftovers
from llm_contracts.project.config import load_settings
from llm_contracts.util.files import write_text
from llm_contracts.util.terminal import report_console
from llm_contracts.util.text import and_more

_SHOWN = 12  # lines of one area; the rest is a number, and --all or --json has them
_EXAMPLES = """\b
Examples:
  llm-contracts leftovers
  llm-contracts leftovers --all
  llm-contracts leftovers --json - | jq -r '.found[].file' | sort | uniq -c
"""


@click.command(epilog=_EXAMPLES)
@click.option("--all", "everything", is_flag=True, help="Every line, however many there are.")
@json_option
def leftovers(*, everything: bool, json_file: Path | None) -> Exit:
    """List what still refers to the old clients.

    What to look for stands in [tool.llm_contracts.retire]: modules, requirements, variables and words that
    are to go, and files that may keep their names. Nothing is changed. Exit code 0 when nothing is left.
    """
    settings = load_settings(Path.cwd(), needed=True)
    report = find_leftovers(settings)
    if json_file is not None:
        document = {"format": 1, "found": [asdict(one) for one in report.found], "kept": dict(report.kept)}
        write_text(json_file, json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    if str(json_file) != "-":
        _print(report_console(), report, shown=None if everything else _SHOWN)
    return Exit.DIVERGENCE if report.found else Exit.AGREEMENT


def _print(console: Console, report: Leftovers, *, shown: int | None) -> None:
    for area, lines in report.areas().items():
        console.print(f"{area} {len(lines)}", style="bold", markup=False)
        _print_lines(console, lines[:shown])
        if shown is not None and (rest := and_more(lines, shown)):
            console.print(f"  {rest} (--all shows them)", style="dim", markup=False)
        console.print()
    kept = ", ".join(f"{count} in {pattern}" for pattern, count in report.kept.items() if count)
    if kept:
        console.print(f"Kept on purpose: {kept}.", style="dim", markup=False, soft_wrap=True)
    files = {one.file for one in report.found}
    end = f"{len(report.found)} places in {len(files)} files still name what is to go."
    console.print(end if report.found else "Nothing is left of the old clients.", markup=False)


def _print_lines(console: Console, lines: tuple[Leftover, ...]) -> None:
    width = max(len(one.place) for one in lines)
    for one in lines:
        console.print(
            f"  {one.place:<{width}}  {one.text}", markup=False, no_wrap=True, overflow="ellipsis", crop=True
        )
