"""A result in Markdown: as the summary of a CI job, and as one short comment on a pull request."""

from __future__ import annotations

from llm_contracts.parity.result import Result
from llm_contracts.reporting.ci.about import RunContext
from llm_contracts.reporting.ci.fit import DocumentPart, fitted
from llm_contracts.reporting.ci.sections import Amounts, parts

SUMMARY_BYTES = 1024 * 1024
"""What GitHub takes for the summary of a step (docs.github.com, "Workflow commands": 1 MiB); above, it shows
nothing at all.
"""

COMMENT_BYTES = 65_536
"""GitHub counts 65,536 characters; counted in bytes a comment is short enough for everybody."""

MARKER = "<!-- llm-contracts: one comment, renewed by every run -->"
"""The first line of a comment; nobody sees it, and a job finds its own comment by it."""


def summary(result: Result, about: RunContext, *, limit: int = SUMMARY_BYTES) -> str:
    """Verdicts, groups of differences, what was accepted, and how to look closer."""
    return fitted(list(parts(result, about, Amounts())), limit)


def comment(result: Result, about: RunContext, *, limit: int = COMMENT_BYTES) -> str:
    """The body of a comment, which is read in passing: the summary with the first groups only."""
    short = parts(result, about, Amounts(groups=10, lines=10))
    return fitted([DocumentPart(head=[MARKER]), *short], limit)
