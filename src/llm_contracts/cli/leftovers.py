"""`llm-contracts leftovers`."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import click

from llm_contracts.cli.exit_codes import Exit
from llm_contracts.cli.options import hand_over, json_option
from llm_contracts.project.config import Retiring, load_settings

_SHOWN = 12  # lines of one area; the rest is a number, and --all or --json has them
_EXAMPLES = """\b
Examples:
  llm-contracts leftovers
  llm-contracts leftovers --all
  llm-contracts leftovers --json - | jq -r '.found[].file' | sort | uniq -c
"""


@click.command(epilog=_EXAMPLES)
@click.option("--all", "everything", is_flag=True, help="Every line, however many there are.")
@click.option("--module", "modules", multiple=True, help="A module that is to go, by its dotted name.")
@click.option("--requirement", "requirements", multiple=True, help="A package that is to go.")
@click.option("--variable", "variables", multiple=True, help="A variable that is to go; * for any end.")
@click.option("--word", "words", multiple=True, help="Any other word that is to go.")
@click.option("--keep", "keep", multiple=True, help="Files that may keep these names; a pattern.")
@json_option
def leftovers(*, everything: bool, json_file: Path | None, **named: tuple[str, ...]) -> Exit:
    """List what still refers to the old clients.

    What to look for stands in [tool.llm_contracts.retire]: modules, requirements, variables and words that
    are to go, and files that may keep their names; or in the options, which need no pyproject.toml. Nothing
    is changed. Exit code 0 when nothing is left.
    """
    from llm_contracts.doctor.leftovers import find_leftovers
    from llm_contracts.doctor.terminal import print_leftovers

    settings = load_settings(Path.cwd(), needed=not any(named.values()))
    if any(named.values()):
        settings = replace(settings, root=Path.cwd(), retire=Retiring(**named))
    report = find_leftovers(settings)
    most = None if everything else _SHOWN
    document = {"format": 1, "found": [asdict(one) for one in report.found], "kept": dict(report.kept)}
    hand_over(json_file, document, lambda console: print_leftovers(console, report, most=most))
    return Exit.DIVERGENCE if report.found else Exit.AGREEMENT
