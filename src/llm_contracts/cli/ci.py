"""The part of `llm-contracts report` that CI services read: its options."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llm_contracts.cli.options import file_option, joined

if TYPE_CHECKING:
    from llm_contracts.reporting.ci.files import RequestedViews


def _address(_context: click.Context, _option: click.Parameter, given: str | None) -> str | None:
    if given is None or re.fullmatch(r"https?://[^\s<>#]+", given):
        return given
    raise click.BadParameter(f"{given!r} is not the address of a page: https://…, without #part.")


def _views(
    *,
    junit: Path | None,
    markdown: Path | None,
    comment: Path | None,
    annotations: bool,
    report_url: str | None,
    fetch: str | None,
) -> RequestedViews:
    from llm_contracts.reporting.ci.files import RequestedViews

    views = RequestedViews(
        junit=junit,
        markdown=markdown,
        comment=comment,
        annotations=annotations,
        report_url=report_url,
        fetch=fetch,
    )
    if [str(file) for file in views.files].count("-") > 1:
        raise click.UsageError("Only one view can go to standard output; --annotations is one, too.")
    if (report_url or fetch) and not (markdown or comment):
        raise click.UsageError("--report-url and --fetch are for --markdown and --comment.")
    return views


ci_options = joined(
    "views",
    _views,
    file_option("--junit", text="Write JUnit XML: a test case for each scenario."),
    file_option("--markdown", text="Write the summary of a job, for $GITHUB_STEP_SUMMARY; at most 1 MiB."),
    file_option("--comment", text="Write the body of one pull-request comment; at most 65,536 characters."),
    click.option("--annotations", is_flag=True, help="Print GitHub's commands that mark files, ten a level."),
    click.option(
        "--report-url",
        metavar="URL",
        callback=_address,
        help="Where the HTML report can be read: links lead there.",
    ),
    click.option(
        "--fetch",
        metavar="COMMAND",
        help="What brings this run's files to the reader's machine; shown as it is.",
    ),
)
"""Which views to write: the command's `views`, of type `RequestedViews`."""
