"""What the page and the views for CI say about a run beside its result."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from llm_contracts.cost.model import Cost
from llm_contracts.parity.result import Result
from llm_contracts.results.changes import Changes


@dataclass(frozen=True, kw_only=True, slots=True)
class RunContext:
    """Where a result comes from, and how a reader gets at the whole of it.

    Attributes:
        run: names what was found.
        checked_at: when, in ISO 8601.
        outdated: what has changed since.
        report_url: where the HTML report can be read, or None.
        fetch: the command that brings the run's files to the reader's own machine, or None.
        folder: where they are then.
        again: the commands that find the same once more, and lead to a decision.
        everyone: the project's providers, if known; see `answer`.
        cost: if it was measured.
        changes: since the run before, if there was one.
        terms: reason of an acceptance → by whom it is, and until when.
    """

    run: str
    checked_at: str
    outdated: Sequence[str] = ()
    report_url: str | None = None
    fetch: str | None = None
    folder: str = "report"
    again: Sequence[str] = ("llm-contracts check", "llm-contracts review")
    everyone: Collection[str] = ()
    cost: Cost | None = None
    changes: Changes | None = None
    terms: Mapping[str, str] = field(default_factory=dict)

    def again_with(self, result: Result) -> str | None:
        """The command that compares the recordings of a project again; None for a corpus."""
        if not self.everyone:
            return None
        clients = f"--reference {shlex.quote(result.reference)} --candidate {shlex.quote(result.candidate)}"
        return f"llm-contracts check {clients}"

    @property
    def moment(self) -> str:
        """When it was checked, as people write it."""
        return datetime.fromisoformat(self.checked_at).strftime("%d %B %Y, %H:%M %Z").lstrip("0").rstrip()

    def link(self, item: str, fingerprint: str = "") -> str | None:
        """The address of a recording, or of one difference in it, in the HTML report; None without that."""
        if self.report_url is None:
            return None
        rest = f"&d={quote(fingerprint)}" if fingerprint else ""
        return f"{self.report_url}{fragment(item)}{rest}"


def fragment(item: str) -> str:
    """What leads to a recording within the HTML report."""
    return f"#rec={quote(item.encode('utf-8', 'replace'), safe='/')}"
