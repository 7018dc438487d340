"""What a comparison of recordings has found, as a value: for `record --verify`, for recording again, and for
what a branch changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from llm_contracts.drift.compare import Drift, compare_recordings
from llm_contracts.parity.divergence import Severity
from llm_contracts.wire.cassette.model import Cassette, Provenance
from llm_contracts.wire.protocols import BUILT_IN, Protocols
from llm_contracts.wire.request_diff import differences


class RecordingState(StrEnum):
    """What is known about one recording."""

    SAME = "same"
    DRIFTED = "drifted"
    NEW = "new"  # there was none before
    GONE = "gone"  # there is none any more
    UNREADABLE = "unreadable"
    UNVERIFIED = "unverified"  # called, and nothing was learned


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparedRecording:
    """One recording against what came after it.

    Attributes:
        scenario: `provider/id`.
        drifts: the differences, the worst first.
        detail: why it is unreadable or unverified.
        lasting: whether the reason will not pass by itself: a refused key, say, and no busy provider.
        recorded_on: the day of the older recording, if it is known.
        before, after: where either side comes from; None where that is not known.
        asked: in which fields the requests differ. Then some of the drift may be our own doing.
    """

    scenario: str
    state: RecordingState
    drifts: tuple[Drift, ...] = ()
    detail: str = ""
    lasting: bool = False
    recorded_on: date | None = None
    before: Provenance | None = None
    after: Provenance | None = None
    asked: tuple[str, ...] = ()

    @property
    def provider(self) -> str:
        """Whose recording it is."""
        return self.scenario.partition("/")[0]

    @property
    def severity(self) -> Severity | None:
        """The worst that was found."""
        return min((d.severity for d in self.drifts), key=lambda severity: severity.rank, default=None)

    @property
    def counts(self) -> bool:
        """Whether a client may notice."""
        return self.severity not in {None, Severity.COSMETIC}


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftReport:
    """A whole run.

    Attributes:
        what: what was held against what, for the heading.
        compared: in the order of the scenarios.
        today: the day from which ages are counted.
        stale_after_days: a live recording of this age or older is stale.
        nothing: what it means that nothing was compared.
    """

    what: str
    compared: tuple[ComparedRecording, ...]
    today: date
    stale_after_days: int = 90
    nothing: str = "nothing has changed."

    def of(self, state: RecordingState) -> tuple[ComparedRecording, ...]:
        """The recordings of which this is known."""
        return tuple(one for one in self.compared if one.state is state)

    @property
    def drifted(self) -> bool:
        """Whether a client may notice anything of what has changed."""
        return any(one.counts for one in self.compared)

    @property
    def stale(self) -> tuple[ComparedRecording, ...]:
        """Live recordings that count for nothing any more, whatever was found."""
        return tuple(
            one
            for one in self.compared
            if one.before is Provenance.LIVE
            and one.recorded_on
            and (self.today - one.recorded_on).days >= self.stale_after_days
        )

    @property
    def document(self) -> dict[str, Any]:
        """The whole report as plain JSON values. `totals` counts differences of each severity, over all
        recordings.
        """
        counts = Counter(drift.severity for one in self.compared for drift in one.drifts)
        return {
            "what": self.what,
            "drifted": self.drifted,
            "totals": {str(severity): counts[severity] for severity in Severity},
            "stale": [one.scenario for one in self.stale],
            "compared": [
                {
                    "scenario": one.scenario,
                    "state": one.state,
                    "severity": one.severity,
                    "detail": one.detail,
                    "recorded_on": one.recorded_on.isoformat() if one.recorded_on else None,
                    "age_days": (self.today - one.recorded_on).days if one.recorded_on else None,
                    "before": one.before,
                    "after": one.after,
                    "asked": list(one.asked),
                    "drifts": [asdict(drift) for drift in one.drifts],
                }
                for one in self.compared
            ],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftGroup:
    """The same difference in all recordings of a provider that have it: one thing to think about."""

    provider: str
    drift: Drift
    scenarios: tuple[str, ...]


def decisions(compared: Iterable[ComparedRecording]) -> tuple[DriftGroup, ...]:
    """Equal differences put together: the worst first, then what is most frequent."""
    scenarios: dict[tuple[str, Drift], list[str]] = {}
    for one in compared:
        for drift in one.drifts:
            scenarios.setdefault((one.provider, drift), []).append(one.scenario)
    found = (
        DriftGroup(provider=provider, drift=drift, scenarios=tuple(dict.fromkeys(names)))
        for (provider, drift), names in scenarios.items()
    )
    return tuple(sorted(found, key=lambda d: (d.drift.severity.rank, -len(d.scenarios))))


def compare_cassettes(
    scenario: str,
    recorded: Cassette | None,
    now: Cassette | None,
    protocols: Protocols = BUILT_IN,
    *,
    state: RecordingState | None = None,
    detail: str = "",
    lasting: bool = False,
) -> ComparedRecording:
    """One recording against its successor, as far as there are both. A `state` that is given is the answer,
    and nothing is compared; `detail` and `lasting`: see `ComparedRecording`.
    """
    old, new = (cassette and cassette.recording for cassette in (recorded, now))
    drifts: tuple[Drift, ...] = ()
    asked: dict[str, None] = {}
    if state is None and recorded and now:
        drifts = compare_recordings(recorded.interactions, now.interactions, protocols)
        state = RecordingState.DRIFTED if drifts else RecordingState.SAME
        for before, after in zip(recorded.interactions, now.interactions, strict=False):
            asked |= dict.fromkeys(found.where for found in differences(after.request, before.request))
    return ComparedRecording(
        scenario=scenario,
        state=state or (RecordingState.GONE if recorded else RecordingState.NEW),
        drifts=drifts,
        detail=detail,
        lasting=lasting,
        recorded_on=old.recorded_at.date() if old else None,
        before=old.provenance if old else None,
        after=new.provenance if new else None,
        asked=tuple(asked),
    )
