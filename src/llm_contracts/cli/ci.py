"""The part of `llm-contracts report` that CI services read: its options."""

from __future__ import annotations

import re

import click

from llm_contracts.cli.options import file_option, joined
from llm_contracts.reporting.ci.files import RequestedViews


def _address(_context: click.Context, _option: click.Parameter, given: str | None) -> str | None:
    if given is None or re.fullmatch(r"https?://[^\s<>#]+", given):
        return given
    raise click.BadParameter(f"{given!r} is not the address of a page: https://…, without #part.")


ci_options = joined(
    "views",
    RequestedViews,
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
