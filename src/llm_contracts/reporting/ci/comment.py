"""A result as one comment on a pull request: short, and known by a mark, so that a run renews it."""

from __future__ import annotations

from llm_contracts.parity.result import Result
from llm_contracts.reporting.ci.about import RunContext
from llm_contracts.reporting.ci.fit import DocumentPart, fitted
from llm_contracts.reporting.ci.sections import Amounts, parts

MARKER = "<!-- llm-contracts: one comment, renewed by every run -->"
"""The first line of the body; nobody sees it, and a job finds its own comment by it."""

COMMENT_BYTES = 65_536
"""GitHub counts 65,536 characters; counted in bytes a comment is short enough for everybody."""

_AMOUNTS = Amounts(groups=10, lines=10)  # a comment is read in passing


def comment(result: Result, about: RunContext, *, limit: int = COMMENT_BYTES) -> str:
    """The body: the summary with the first groups only."""
    return fitted([DocumentPart(head=[MARKER]), *parts(result, about, _AMOUNTS)], limit)
