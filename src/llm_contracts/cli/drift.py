"""`llm-contracts drift`, and what it shares with `record`."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from llm_contracts.cli.exit_codes import Exit
from llm_contracts.cli.options import complete_provider, json_option, project_here
from llm_contracts.cli.stored import secrets_of
from llm_contracts.drift.document import drift_document
from llm_contracts.drift.markdown import render_drift
from llm_contracts.drift.report import DriftReport, RecordingState
from llm_contracts.drift.terminal import print_drift
from llm_contracts.drift.working_tree import compare_with_revision
from llm_contracts.project.config import checked_name
from llm_contracts.util.files import write_text
from llm_contracts.util.terminal import progress_bar, report_console
from llm_contracts.wire.scrub.scrubber import refuse_secrets

if TYPE_CHECKING:
    from llm_contracts.project.config import Project

Function = TypeVar("Function", bound=Callable[..., Any])

_EXAMPLES = """\b
Examples:
  llm-contracts drift                          what is recorded anew and not yet committed
  llm-contracts drift --against main           what this branch changes
  llm-contracts drift --markdown drift.md      the same, for the body of a pull request
"""


def markdown_option(command: Function) -> Function:
    """`--markdown FILE`."""
    return click.option(
        "--markdown",
        "markdown_file",
        type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
        metavar="FILE",
        help="Write what has changed as Markdown, too; with - to standard output, in place of the report for "
        "people.",
    )(command)


@click.command(epilog=_EXAMPLES)
@click.option(
    "--against",
    metavar="REVISION",
    default="HEAD",
    show_default=True,
    help="The commit, branch or tag to compare with; what counts is where the working tree parted from it.",
)
@click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_provider,
    help="Only this provider; may be given several times.",
)
@markdown_option
@json_option
def drift(**given: Any) -> Exit:
    """Compare recordings with those of a git revision, by shape.

    Fields and their types, the order of events, the place of usage, finish reasons, error bodies, status and
    headers count; words, ids, clocks, token counts and pieces do not. Exit code 1 where a client may notice
    (breaking or visible), 3 where a recording cannot be read.
    """
    project = project_here()
    for name in given["providers"]:
        checked_name("provider", name, {provider.name for provider in project.providers})
    with progress_bar("drift", None) as done:
        report = compare_with_revision(
            project,
            given["against"],
            today=datetime.now(UTC).date(),
            providers=given["providers"],
            progress=done,
        )
    write_drift(report, project, given, {"format": 1, **drift_document(report)})
    if not to_standard_output(given):
        print_drift(report_console(), report)
    if any(one.lasting for one in report.of(RecordingState.UNREADABLE)):
        return Exit.UNREADABLE
    return Exit.DIVERGENCE if report.drifted else Exit.AGREEMENT


def write_drift(
    report: DriftReport, project: Project, given: dict[str, Any], document: dict[str, Any]
) -> None:
    """Write the files that were asked for.

    Raises:
        SecretFound: a key is in the report; nothing was written, and nothing must be shown.
    """
    texts = {
        "json_file": json.dumps(document, ensure_ascii=False, indent=2) + "\n",
        "markdown_file": render_drift(report),
    }
    secrets = secrets_of(project)
    for text in texts.values():
        refuse_secrets("the report on drift", text.encode(), secrets)
    for name, text in texts.items():
        if given[name] is not None:
            write_text(given[name], text)


def to_standard_output(given: dict[str, Any]) -> bool:
    """Whether a file took the place of the report for people."""
    return "-" in {str(given["json_file"]), str(given["markdown_file"])}
