"""`llm-contracts leftovers`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from llm_contracts.cli.exit_codes import Exit
from llm_contracts.cli.options import hand_over, json_option
from llm_contracts.project.config import load_settings

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
    from llm_contracts.doctor.leftovers import find_leftovers
    from llm_contracts.doctor.terminal import print_leftovers

    report = find_leftovers(load_settings(Path.cwd(), needed=True))
    most = None if everything else _SHOWN
    document = {"format": 1, "found": [asdict(one) for one in report.found], "kept": dict(report.kept)}
    hand_over(json_file, document, lambda console: print_leftovers(console, report, most=most))
    return Exit.DIVERGENCE if report.found else Exit.AGREEMENT
