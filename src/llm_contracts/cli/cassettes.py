"""`llm-contracts cassettes`."""

from __future__ import annotations

import click

from llm_contracts.cli.exit_codes import Exit
from llm_contracts.cli.options import project_here, secrets_of

_EXAMPLES = """\b
Examples:
  llm-contracts cassettes
  llm-contracts cassettes || exit 1     as a commit hook
"""


@click.command(
    epilog=_EXAMPLES, short_help="Are the recordings whole, free of secrets, each with a scenario?"
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

    project = project_here()
    number = len(recording_files(project))
    with progress_bar("cassettes", number) as done:
        problems = check_cassettes(
            project, secrets_of(project), visit=lambda file, _cassette: done(file.name)
        )
    for problem in problems:
        echo(one_line(problem.what), err=True)
    if not problems:
        echo(f"{count(number, 'recording')}: whole, free of secrets, each with a scenario.")
        return Exit.AGREEMENT
    worst = {FindingLevel.SECRET: Exit.SECRET, FindingLevel.UNREADABLE: Exit.UNREADABLE}
    return worst.get(problems[0].level, Exit.USAGE)
