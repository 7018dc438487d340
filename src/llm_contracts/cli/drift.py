"""`llm-contracts drift`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from llm_contracts.cli import frame, option
from llm_contracts.cli.exit_codes import Exit
from llm_contracts.project.config import checked_name

_EXAMPLES = """\b
Examples:
  llm-contracts drift                          what is recorded anew and not yet committed
  llm-contracts drift --against main           what this branch changes
  llm-contracts drift --markdown drift.md      the same, for the body of a pull request
"""


@click.command(epilog=_EXAMPLES)
@click.option(
    "--against",
    metavar="REVISION",
    default="HEAD",
    show_default=True,
    help="The commit, branch or tag to compare with; what counts is where the working tree parted from it.",
)
@option.provider()
@option.markdown_file
@option.json_file
def drift(*, against: str, providers: tuple[str, ...]) -> Exit:
    """Compare recordings with those of a git revision, by shape.

    Fields and their types, the order of events, the place of usage, finish reasons, error bodies, status and
    headers count; words, ids, clocks, token counts and pieces do not. Exit code 1 where a client may notice
    (breaking or visible), 3 where a recording cannot be read or nothing is recorded.
    """
    from llm_contracts.drift.markdown import render_drift
    from llm_contracts.drift.report import RecordingState
    from llm_contracts.drift.working_tree import compare_with_revision
    from llm_contracts.run.check import nothing_recorded
    from llm_contracts.util.terminal import echo, print_markdown, progress_bar

    project = frame.project_here()
    for name in providers:
        checked_name("provider", name, {provider.name for provider in project.providers})
    rows = project.select(providers, ())
    if rows and not any(map(project.is_recorded, rows)):
        echo(nothing_recorded(project, rows), err=True)
        return Exit.UNREADABLE
    today = datetime.now(UTC).date()
    with progress_bar("drift", None) as done:
        report = compare_with_revision(project, against, today=today, providers=providers, progress=done)
    document, page = {"format": 1, **report.document}, render_drift(report)
    frame.hand_over(
        document, lambda console: print_markdown(console, page), frame.secrets_of(project), page=page
    )
    if any(one.lasting for one in report.of(RecordingState.UNREADABLE)):
        return Exit.UNREADABLE
    return Exit.DIVERGENCE if report.drifted else Exit.AGREEMENT
