"""Drift as the body of a pull request or a job's summary.

Its texts come from providers: each stands in a code span, where neither HTML nor links nor mentions work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from llm_contracts.drift.report import DriftReport, RecordingState, decisions
from llm_contracts.drift.terminal import SHOWN, TITLES, ages, alike, asked_otherwise, summary
from llm_contracts.parity.divergence import Severity
from llm_contracts.util.text import first_names
from llm_contracts.wire.cassette.model import Provenance

if TYPE_CHECKING:
    from llm_contracts.drift.report import ComparedRecording, DriftGroup

_LONGEST = 60_000  # a pull request's body ends at 65,536 characters
_HEADINGS = {
    Severity.BREAKING: "Breaking: what a client reads is gone, moved or of another kind",
    Severity.VISIBLE: "Visible: a client or an application may notice",
    Severity.COSMETIC: "Cosmetic: nobody should notice",
}


def render_drift(report: DriftReport) -> str:
    """The page, the worst first, so that what does not fit is what matters least."""
    page = "\n".join(_lines(report)) + "\n"
    if len(page) <= _LONGEST:
        return page
    whole_lines = page[:_LONGEST].rpartition("\n")[0]
    return f"{whole_lines}\n\n… and more than fits here: `llm-contracts drift --json FILE` has all of it.\n"


def _lines(report: DriftReport) -> Iterator[str]:
    yield f"## {report.what}"
    yield ""
    yield summary(report).capitalize()
    yield from _replaced_rehearsals(report)
    found = decisions(report.compared)
    for severity, heading in _HEADINGS.items():
        yield from _table(heading, [one for one in found if one.drift.severity is severity])
    for state, title in TITLES.items():
        yield from _listed(title, report.of(state))
    for line in (*asked_otherwise(report), *ages(report)):
        yield from ("", line)
    yield from ("", "Words, ids, clocks, token counts and the number and size of pieces take no part.")


def _replaced_rehearsals(report: DriftReport) -> Iterator[str]:
    """A rehearsal was only ever a guess: what differs from it need not have changed at the provider."""
    found = [
        one.scenario
        for one in report.of(RecordingState.DRIFTED)
        if one.after is Provenance.LIVE and one.before is not Provenance.LIVE
    ]
    if found:
        yield ""
        yield (
            f"{len(found)} compared with what was no live recording ({first_names(found, SHOWN)}): there the "
            "earlier file may have been wrong, and the provider have changed nothing."
        )


def _table(heading: str, found: Sequence[DriftGroup]) -> Iterator[str]:
    if not found:
        return
    yield from ("", f"### {heading}", "")
    yield "| provider | where | what | recorded | now | scenarios |"
    yield "|---|---|---|---|---|---|"
    for one in found:
        drift = one.drift
        ids = first_names((name.partition("/")[2] for name in one.scenarios), SHOWN)
        cells = (drift.where, str(drift.change), drift.recorded, drift.now)
        yield f"| {one.provider} | {' | '.join(map(code, cells))} | {ids} |"


def _listed(title: str, found: Sequence[ComparedRecording]) -> Iterator[str]:
    if found:
        yield from ("", f"### {title} ({len(found)})", "")
        yield from (
            f"* {provider}: {', '.join(ids)}" + (f": {code(detail)}" if detail else "")
            for provider, ids, detail in alike(found)
        )


def code(text: str) -> str:
    """A code span that a table can hold, whatever the text is."""
    plain = re.sub(r"\s+", " ", text).replace("|", "¦").strip() or " "
    ticks = "`" * (max((len(run) for run in re.findall("`+", plain)), default=0) + 1)
    inner = f" {plain} " if plain.startswith("`") or plain.endswith("`") else plain
    return f"{ticks}{inner}{ticks}"
