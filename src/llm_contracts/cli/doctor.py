"""`llm-contracts doctor`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from llm_contracts.cli.exit_codes import Exit
from llm_contracts.cli.options import hand_over, json_option, project_here
from llm_contracts.doctor.finding import AREAS, FindingLevel

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
    from llm_contracts.doctor.run import diagnose, work
    from llm_contracts.doctor.terminal import diagnosis_document, print_diagnosis
    from llm_contracts.util.terminal import progress_bar

    project = project_here()
    wanted = areas or AREAS
    with progress_bar("doctor", work(project, wanted)) as done:
        diagnosis = diagnose(project, os.environ, areas=wanted, progress=done)
    document = diagnosis_document(diagnosis, project.settings.distributions)
    hand_over(json_file, document, lambda console: print_diagnosis(console, diagnosis))
    return _EXITS[diagnosis.worst]
