"""A result as the summary of a CI job, in Markdown."""

from __future__ import annotations

from llm_contracts.parity.result import Result
from llm_contracts.reporting.ci.about import RunContext
from llm_contracts.reporting.ci.fit import fitted
from llm_contracts.reporting.ci.sections import Amounts, parts

SUMMARY_BYTES = 1024 * 1024
"""What GitHub takes for the summary of a step (docs.github.com, "Workflow commands": 1 MiB); above, it shows
nothing at all.
"""


def summary(result: Result, about: RunContext, *, limit: int = SUMMARY_BYTES) -> str:
    """Verdicts, groups of differences, what was accepted, and how to look closer."""
    return fitted(list(parts(result, about, Amounts())), limit)
