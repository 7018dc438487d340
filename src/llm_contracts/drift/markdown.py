"""Drift for people: on a terminal, as the body of a pull request, as a job's summary.

Its texts come from providers: each stands in a code span, where neither HTML nor links nor mentions work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from llm_contracts.drift.report import ComparedRecording, DriftReport, RecordingState, decisions
from llm_contracts.parity.divergence import Severity
from llm_contracts.util.text import code_span, first_names
from llm_contracts.wire.cassette.model import Provenance

_LONGEST = 60_000  # a pull request's body ends at 65,536 characters
_SHOWN = 5
_LISTED = (RecordingState.UNREADABLE, RecordingState.UNVERIFIED, RecordingState.NEW, RecordingState.GONE)
_WORDS = {
    RecordingState.SAME: "of the same shape",
    RecordingState.DRIFTED: "changed",
    RecordingState.NEW: "new",
    RecordingState.GONE: "gone",
    RecordingState.UNREADABLE: "unreadable",
    RecordingState.UNVERIFIED: "not verified",
}
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
    yield _summary(report).capitalize()
    rehearsed = [
        one.scenario
        for one in report.of(RecordingState.DRIFTED)
        if one.after is Provenance.LIVE and one.before is not Provenance.LIVE
    ]
    if rehearsed:  # a rehearsal was only ever a guess
        yield ""
        yield (
            f"{len(rehearsed)} compared with what was not a live recording "
            f"({first_names(rehearsed, _SHOWN)}): there the earlier file may have been wrong, and the "
            "provider have changed nothing."
        )
    found = decisions(report.compared)
    for severity, heading in _HEADINGS.items():
        groups = [one for one in found if one.drift.severity is severity]
        yield from ("", f"### {heading}", "") if groups else ()
        for one in groups:
            d = one.drift
            where, change, recorded, now = map(
                code_span, (d.where, str(d.change), d.recorded or "(none)", d.now or "(none)")
            )
            ids = first_names((name.partition("/")[2] for name in one.scenarios), _SHOWN)
            yield f"* {one.provider}: {where} ({change}): recorded {recorded}, now {now}; in {ids}"
    for state in _LISTED:
        yield from _listed(_WORDS[state].capitalize(), report.of(state))
    yield from _notes(report)
    yield from ("", "Words, ids, clocks, token counts and the number and size of pieces take no part.")


def _listed(title: str, found: Sequence[ComparedRecording]) -> Iterator[str]:
    """A list, those of a provider with the same reason in one line."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in found:
        groups.setdefault((one.provider, one.detail), []).append(one.scenario.partition("/")[2])
    yield from ("", f"### {title} ({len(found)})", "") if found else ()
    for (provider, detail), ids in groups.items():
        yield f"* {provider}: {', '.join(ids)}" + (f": {code_span(detail)}" if detail else "")


def _summary(report: DriftReport) -> str:
    counts = Counter(one.state for one in report.compared)
    if not counts:
        return report.nothing
    states = [f"{counts[state]} {word}" for state, word in _WORDS.items() if counts[state]]
    severities = Counter(decision.drift.severity for decision in decisions(report.compared))
    weights = ", ".join(f"{severities[each]} {each}" for each in Severity if severities[each])
    differences = "difference" if severities.total() == 1 else "differences"
    return ", ".join(states) + (f"; {weights} {differences}." if weights else ".")


def _notes(report: DriftReport) -> Iterator[str]:
    """Where the requests differ, too, so that a difference may be our own doing; and what is stale."""
    found = [one for one in report.compared if one.asked]
    if found:
        fields = dict.fromkeys(field for one in found for field in one.asked)
        yield ""
        yield (
            f"Asked otherwise than recorded ({first_names(fields, _SHOWN)}) in "
            f"{first_names((one.scenario for one in found), _SHOWN)}: "
            "what differs in the answers may come of that."
        )
    if report.stale:
        days = report.stale_after_days
        yield ""
        yield (
            f"{len(report.stale)} live and {days} days old or older, and so no evidence any more: "
            f"{first_names((one.scenario for one in report.stale), _SHOWN)}. Verifying makes no recording "
            "younger: what is replayed is what was recorded then. "
            f"llm-contracts record --stale {days} renews them."
        )
