"""`llm-contracts drift`, and what it shares with `record`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llm_contracts.cli.exit_codes import Exit
from llm_contracts.cli.options import (
    json_lines,
    json_option,
    markdown_option,
    project_here,
    provider_option,
    secrets_of,
)
from llm_contracts.project.config import checked_name
from llm_contracts.util.files import write_text
from llm_contracts.wire.scrub.scrubber import refuse_secrets

if TYPE_CHECKING:
    from llm_contracts.drift.report import DriftReport

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
@provider_option()
@markdown_option
@json_option
def drift(
    *, against: str, providers: tuple[str, ...], markdown_file: Path | None, json_file: Path | None
) -> Exit:
    """Compare recordings with those of a git revision, by shape.

    Fields and their types, the order of events, the place of usage, finish reasons, error bodies, status and
    headers count; words, ids, clocks, token counts and pieces do not. Exit code 1 where a client may notice
    (breaking or visible), 3 where a recording cannot be read.
    """
    from llm_contracts.drift.document import drift_document
    from llm_contracts.drift.markdown import render_drift
    from llm_contracts.drift.report import RecordingState
    from llm_contracts.drift.working_tree import compare_with_revision
    from llm_contracts.util.terminal import print_markdown, progress_bar, report_console

    project = project_here()
    for name in providers:
        checked_name("provider", name, {provider.name for provider in project.providers})
    today = datetime.now(UTC).date()
    with progress_bar("drift", None) as done:
        report = compare_with_revision(project, against, today=today, providers=providers, progress=done)
    document = {"format": 1, **drift_document(report)}
    if write_drift(report, document, secrets_of(project), json_file, markdown_file):
        print_markdown(report_console(), render_drift(report))
    if any(one.lasting for one in report.of(RecordingState.UNREADABLE)):
        return Exit.UNREADABLE
    return Exit.DIVERGENCE if report.drifted else Exit.AGREEMENT


def write_drift(
    report: DriftReport,
    document: Mapping[str, Any],
    secrets: Mapping[str, str],
    json_file: Path | None,
    markdown_file: Path | None,
) -> bool:
    """Write the files that were asked for; whether the report for people is still to be shown.

    Raises:
        SecretFound: a key is in the report; nothing was written, and nothing must be shown.
    """
    from llm_contracts.drift.markdown import render_drift

    texts = ((json_file, json_lines(document)), (markdown_file, render_drift(report)))
    for _, text in texts:
        refuse_secrets("the report on drift", text.encode(), secrets)
    for file, text in texts:
        if file is not None:
            write_text(file, text)
    return "-" not in {str(json_file), str(markdown_file)}
