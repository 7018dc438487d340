"""Where a result comes from, and how a reader gets at the whole of it."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from urllib.parse import quote as quote_url

from llm_contracts.cost.model import Cost
from llm_contracts.cost.views import stored_cost
from llm_contracts.parity.result import Result
from llm_contracts.parity.waivers import WaiverError, load_waivers
from llm_contracts.project.config import Project
from llm_contracts.reporting.answer import fragment
from llm_contracts.results.changes import Changes
from llm_contracts.results.store import Stored


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
        rest = f"&d={quote_url(fingerprint)}" if fingerprint else ""
        return f"{self.report_url}{fragment(item)}{rest}"


def run_context(
    project: Project,
    stored: Stored,
    *,
    outdated: Sequence[str],
    today: date,
    report_url: str | None = None,
    fetch: str | None = None,
) -> RunContext:
    """That of a project's stored result; `today` tells which waivers hold, the others are `RunContext`'s."""
    return RunContext(
        run=stored.run,
        checked_at=stored.document["checked_at"],
        outdated=outdated,
        report_url=report_url,
        fetch=fetch,
        folder=project.settings.shown(stored.folder),
        again=_again(project, stored),
        everyone={row.provider for row in project.scenarios},
        cost=stored_cost(stored),
        changes=Changes.from_json(stored.document),
        terms=_terms(project, today),
    )


def _again(project: Project, stored: Stored) -> tuple[str, ...]:
    """The commands that find the same once more, and lead to a decision. A corpus is not run again: only who
    has it knows where it is.
    """
    settings, result = project.settings, stored.result
    own = (result.reference, result.candidate) == (settings.reference, settings.candidate)
    pair = [] if own else ["--reference", result.reference, "--candidate", result.candidate]
    usual = stored.folder.resolve() == settings.report.resolve()
    folder = [] if usual else ["--report", settings.shown(stored.folder)]
    check = [shlex.join(["llm-contracts", "check", *pair, *folder])] if "inputs" in stored.document else []
    return (*check, shlex.join(["llm-contracts", "review", *folder]))


def _terms(project: Project, today: date) -> dict[str, str]:
    """Reason → by whom it was accepted, and until when. A file that cannot be read says nothing: `check` has
    reported that already.
    """
    try:
        entries = load_waivers(project.settings.waivers, today).entries
    except WaiverError:
        return {}
    found: dict[str, dict[str, None]] = {}
    for waiver in entries:
        found.setdefault(waiver.reason, {})[f"{waiver.by}, until {waiver.until}"] = None
    return {reason: "; ".join(terms) for reason, terms in found.items()}
