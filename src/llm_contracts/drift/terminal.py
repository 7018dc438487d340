"""Drift on a terminal: one paragraph for each difference, whatever the number of recordings that show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from llm_contracts.drift.report import ComparedRecording, DriftReport, RecordingState, decisions
from llm_contracts.parity.divergence import Severity
from llm_contracts.util.text import first_names

if TYPE_CHECKING:
    from llm_contracts.drift.report import DriftGroup

_COLOURS = {Severity.BREAKING: "red", Severity.VISIBLE: "yellow", Severity.COSMETIC: "dim"}
SHOWN = 5
_AGE = "Verifying makes no recording younger: what is replayed is what was recorded then"

TITLES = {
    RecordingState.UNREADABLE: "Unreadable",
    RecordingState.UNVERIFIED: "Not verified",
    RecordingState.NEW: "New",
    RecordingState.GONE: "Gone",
}
"""The headings of lists, in the order in which they are shown."""


def print_drift(console: Console, report: DriftReport) -> None:
    """Print what has changed, what is not known, and how old the recordings are."""
    for line in _lines(report):
        console.print(line, soft_wrap=True)


def _lines(report: DriftReport) -> Iterator[Text]:
    for decision in decisions(report.compared):
        yield from _paragraph(decision)
    for state, title in TITLES.items():
        yield from _listed(title, report.of(state))
    yield Text(f"{report.what}: {summary(report)}", style="bold")
    yield from (Text(line, style="yellow") for line in (*asked_otherwise(report), *ages(report)))


def _paragraph(decision: DriftGroup) -> Iterator[Text]:
    drift = decision.drift
    head = Text.assemble((f"{drift.severity:<9}", _COLOURS[drift.severity]), f" {decision.provider}  ")
    yield head.append(drift.where, style="bold").append(f"  ({drift.change})", style="dim")
    yield Text(f"          recorded: {drift.recorded}")
    yield Text(f"          now:      {drift.now}")
    yield Text(f"          in {first_names(decision.scenarios, SHOWN)}", style="dim")


def _listed(title: str, found: Sequence[ComparedRecording]) -> Iterator[Text]:
    if found:
        yield Text(f"{title} ({len(found)})", style="bold")
        yield from (
            Text(f"  {provider}: {', '.join(ids)}" + (f": {detail}" if detail else ""))
            for provider, ids, detail in alike(found)
        )


def alike(found: Iterable[ComparedRecording]) -> Iterator[tuple[str, list[str], str]]:
    """Provider, ids and reason, for those of a provider that have the same one."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in found:
        groups.setdefault((one.provider, one.detail), []).append(one.scenario.partition("/")[2])
    yield from ((provider, ids, detail) for (provider, detail), ids in groups.items())


def summary(report: DriftReport) -> str:
    """One sentence with all counts."""
    counts = Counter(one.state for one in report.compared)
    if not counts:
        return "nothing has changed."
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


def asked_otherwise(report: DriftReport) -> Iterator[str]:
    """Where the requests differ, too: then a difference may be our own doing."""
    found = [one for one in report.compared if one.asked]
    if found:
        fields = dict.fromkeys(field for one in found for field in one.asked)
        yield (
            f"Asked otherwise than recorded ({first_names(fields, SHOWN)}) in "
            f"{first_names((one.scenario for one in found), SHOWN)}: "
            "what differs in the answers may come of that."
        )


def ages(report: DriftReport) -> Iterator[str]:
    """How old the recordings are, where that says anything."""
    if report.stale:
        days = report.stale_after_days
        yield (
            f"{len(report.stale)} live and {days} days old or older, and so no evidence any more: "
            f"{first_names((one.scenario for one in report.stale), SHOWN)}. {_AGE}. "
            f"llm-contracts record --stale {days} renews them."
        )
