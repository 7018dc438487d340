"""Drift for people: on a terminal, as the body of a pull request, as a job's summary.

Its texts come from providers: each stands in a code span, where neither HTML nor links nor mentions work.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from llm_contracts.drift.report import ComparedRecording, DriftGroup, DriftReport, RecordingState, decisions
from llm_contracts.parity.divergence import Severity
from llm_contracts.util.text import first_names
from llm_contracts.wire.cassette.model import Provenance

_LONGEST = 60_000  # a pull request's body ends at 65,536 characters
_SHOWN = 5
_AGE = "Verifying makes no recording younger: what is replayed is what was recorded then"
_TITLES = {
    RecordingState.UNREADABLE: "Unreadable",
    RecordingState.UNVERIFIED: "Not verified",
    RecordingState.NEW: "New",
    RecordingState.GONE: "Gone",
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
    yield from _replaced_rehearsals(report)
    found = decisions(report.compared)
    for severity, heading in _HEADINGS.items():
        yield from _list(heading, [one for one in found if one.drift.severity is severity])
    for state, title in _TITLES.items():
        yield from _listed(title, report.of(state))
    for line in (*_asked_otherwise(report), *_ages(report)):
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
            f"{len(found)} compared with what was not a live recording ({first_names(found, _SHOWN)}): there "
            "the earlier file may have been wrong, and the provider have changed nothing."
        )


def _list(heading: str, found: Sequence[DriftGroup]) -> Iterator[str]:
    if found:
        yield from ("", f"### {heading}", "")
    for one in found:
        d = one.drift
        where, change, recorded, now = map(code, (d.where, str(d.change), d.recorded, d.now))
        ids = first_names((name.partition("/")[2] for name in one.scenarios), _SHOWN)
        yield f"* {one.provider}: {where} ({change}): recorded {recorded}, now {now}; in {ids}"


def _listed(title: str, found: Sequence[ComparedRecording]) -> Iterator[str]:
    if found:
        yield from ("", f"### {title} ({len(found)})", "")
        yield from (
            f"* {provider}: {', '.join(ids)}" + (f": {code(detail)}" if detail else "")
            for provider, ids, detail in _alike(found)
        )


def _alike(found: Iterable[ComparedRecording]) -> Iterator[tuple[str, list[str], str]]:
    """Provider, ids and reason, for those of a provider that have the same one."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in found:
        groups.setdefault((one.provider, one.detail), []).append(one.scenario.partition("/")[2])
    yield from ((provider, ids, detail) for (provider, detail), ids in groups.items())


def _summary(report: DriftReport) -> str:
    counts = Counter(one.state for one in report.compared)
    if not counts:
        return report.nothing
    states = [f"{counts[state]} {word}" for state, word in _WORDS.items() if counts[state]]
    severities = Counter(decision.drift.severity for decision in decisions(report.compared))
    weights = ", ".join(f"{severities[each]} {each}" for each in Severity if severities[each])
    differences = "difference" if severities.total() == 1 else "differences"
    return ", ".join(states) + (f"; {weights} {differences}." if weights else ".")


_WORDS = {
    RecordingState.SAME: "of the same shape",
    RecordingState.DRIFTED: "changed",
    RecordingState.NEW: "new",
    RecordingState.GONE: "gone",
    RecordingState.UNREADABLE: "unreadable",
    RecordingState.UNVERIFIED: "not verified",
}


def _asked_otherwise(report: DriftReport) -> Iterator[str]:
    """Where the requests differ, too: then a difference may be our own doing."""
    found = [one for one in report.compared if one.asked]
    if found:
        fields = dict.fromkeys(field for one in found for field in one.asked)
        yield (
            f"Asked otherwise than recorded ({first_names(fields, _SHOWN)}) in "
            f"{first_names((one.scenario for one in found), _SHOWN)}: "
            "what differs in the answers may come of that."
        )


def _ages(report: DriftReport) -> Iterator[str]:
    if report.stale:
        days = report.stale_after_days
        yield (
            f"{len(report.stale)} live and {days} days old or older, and so no evidence any more: "
            f"{first_names((one.scenario for one in report.stale), _SHOWN)}. {_AGE}. "
            f"llm-contracts record --stale {days} renews them."
        )


def code(text: str) -> str:
    """A code span in one line, whatever the text is."""
    plain = re.sub(r"\s+", " ", text).strip() or " "
    ticks = "`" * (max((len(run) for run in re.findall("`+", plain)), default=0) + 1)
    inner = f" {plain} " if plain.startswith("`") or plain.endswith("`") else plain
    return f"{ticks}{inner}{ticks}"
