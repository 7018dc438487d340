"""`llm-contracts doctor`, `cassettes` and `leftovers`: what has to be seen to."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path

import click

from llm_contracts.cli import frame, option
from llm_contracts.cli.exit_codes import Exit
from llm_contracts.doctor.finding import AREAS, FindingLevel
from llm_contracts.project.config import Retiring, load_settings

_DOCTOR = """\b
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


@click.command(epilog=_DOCTOR)
@click.option(
    "--area", "areas", multiple=True, type=click.Choice(AREAS), help="Only this; may be given several times."
)
@option.json_file
def doctor(areas: tuple[str, ...]) -> Exit:
    """Is everything fit for use?

    Looks at the environment, keys (names, never values), recordings, accepted differences and the stored
    result, and searches every file that git tracks for secrets. Calls nobody and changes nothing.

    Exit code 1 for what should be seen to, 2 for what does not work, 3 for what cannot be read, 4 for a
    secret.
    """
    from llm_contracts.doctor.run import diagnose, work
    from llm_contracts.doctor.terminal import diagnosis_document, print_diagnosis
    from llm_contracts.util.terminal import progress_bar

    project = frame.project_here()
    wanted = areas or AREAS
    with progress_bar("doctor", work(project, wanted)) as done:
        diagnosis = diagnose(project, os.environ, areas=wanted, progress=done)
    document = diagnosis_document(diagnosis, project.settings.distributions)
    frame.hand_over(document, lambda console: print_diagnosis(console, diagnosis))
    return _EXITS[diagnosis.worst]


_CASSETTES = """\b
Examples:
  llm-contracts cassettes
  llm-contracts cassettes || exit 1     as a commit hook
"""


@click.command(
    epilog=_CASSETTES, short_help="Are the recordings whole, free of secrets, each with a scenario?"
)
def cassettes() -> Exit:
    """Look at every recording: is it whole, free of secrets, and does a scenario own it?

    Scrubbing it again must change nothing, and nothing in it, or in a snapshot, may look like a key. Nothing
    is replayed, so it takes seconds and suits a commit hook.
    """
    from llm_contracts.doctor.cassettes import check_cassettes, recording_files
    from llm_contracts.doctor.finding import FindingLevel
    from llm_contracts.util.terminal import echo, one_line, progress_bar
    from llm_contracts.util.text import count

    project = frame.project_here()
    number = len(recording_files(project))
    with progress_bar("cassettes", number) as done:
        _, problems = check_cassettes(project, frame.secrets_of(project), progress=done)
    for problem in problems:
        echo(one_line(problem.what), err=True)
    if not problems:
        echo(f"{count(number, 'recording')}: whole, free of secrets, each with a scenario.")
        return Exit.AGREEMENT
    worst = {FindingLevel.SECRET: Exit.SECRET, FindingLevel.UNREADABLE: Exit.UNREADABLE}
    return worst.get(problems[0].level, Exit.USAGE)


_SHOWN = 12  # lines of one area; the rest is a number, and --all or --json has them
_LEFTOVERS = """\b
Examples:
  llm-contracts leftovers
  llm-contracts leftovers --all
  llm-contracts leftovers --json - | jq -r '.found[].file' | sort | uniq -c
"""


@click.command(epilog=_LEFTOVERS)
@click.option("--all", "everything", is_flag=True, help="Every line, however many there are.")
@click.option("--module", "modules", multiple=True, help="A module that is to go, by its dotted name.")
@click.option("--requirement", "requirements", multiple=True, help="A package that is to go.")
@click.option("--variable", "variables", multiple=True, help="A variable that is to go; * for any end.")
@click.option("--word", "words", multiple=True, help="Any other word that is to go.")
@click.option("--keep", "keep", multiple=True, help="Files that may keep these names; a pattern.")
@option.json_file
def leftovers(*, everything: bool, **named: tuple[str, ...]) -> Exit:
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
    frame.hand_over(document, lambda console: print_leftovers(console, report, most=most))
    return Exit.DIVERGENCE if report.found else Exit.AGREEMENT
