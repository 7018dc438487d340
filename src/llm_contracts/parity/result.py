"""The one value that every view renders: what was compared, what differed, what it means per provider."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from llm_contracts.capture.coverage import CaptureCoverage
from llm_contracts.clients.observation import Observation
from llm_contracts.corpus.entries import CorpusProblem
from llm_contracts.parity.divergence import Divergence
from llm_contracts.wire.interaction import Interaction


class Readiness(StrEnum):
    """The answer for one provider. Only `READY` is a GO."""

    READY = "ready"
    REHEARSED = "rehearsed"
    BLOCKED = "blocked"
    NO_EVIDENCE = "no-evidence"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """One reason for an answer.

    Attributes:
        answer: which answer it speaks for; `READY` where it only adds something.
        sentence: what is the case, with the number and names of what is concerned.
        what: the same without these, for many (`scenarios are not recorded live`), so that the reasons of
            several providers can be put together; empty where nothing is counted.
        number: how many are concerned; 0 where nothing is counted.
        step: the command that deals with it: its words after the tool's name; empty where none helps.
            `{provider}` stands for the provider's name.
    """

    answer: Readiness
    sentence: str
    what: str = ""
    number: int = 0
    step: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The answer, why, the commands to run next, in their order, and what was seen of the application's own
    calls, where they were captured.
    """

    answer: Readiness
    because: tuple[Reason, ...]
    next: tuple[str, ...] = ()
    coverage: CaptureCoverage | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        """A sentence for each reason."""
        return tuple(reason.sentence for reason in self.because)


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One scenario, run through both clients.

    Attributes:
        id: `provider/scenario`, or the id of a stream in a corpus.
        provenance: where the recording came from (`live`, `simulated`, `scripted`, `imported`), or None.
        recorded_on: the recording's date, if the file says so.
        address: the base URL that was called for it, if the file says so.
        reference: what the one client did; None when `problem` kept it from running.
        candidate: what the other did, likewise.
        exchanges: what was on the wire when it was recorded, which both were played.
        divergences: every difference, waived or not.
        waived: fingerprint → the waiver's reason, for those that are accepted.
        noise: what differed between two runs of the reference alone.
        normalised: name of a normalisation → how often it was applied.
        problem: why the recording could not be used (names file and place), or None.
        outcomes: of an item whose observations were let go: in a few words, what each client did; see
            `views.document.light`.
    """

    id: str
    provider: str
    scenario: str
    provenance: str | None = None
    recorded_on: date | None = None
    address: str = ""
    reference: Observation | None = None
    candidate: Observation | None = None
    exchanges: tuple[Interaction, ...] = ()
    divergences: tuple[Divergence, ...] = ()
    waived: Mapping[str, str] = field(default_factory=dict)
    noise: tuple[Divergence, ...] = ()
    normalised: Mapping[str, int] = field(default_factory=dict)
    problem: str | None = None
    outcomes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ran(self) -> bool:
        """Whether both clients did something with it."""
        return self.candidate is not None or self.outcomes.get("candidate") is not None

    @property
    def held_against(self) -> str | None:
        """The name of the client that was its reference; None if it did not run."""
        if self.reference is not None:
            return self.reference.client
        outcome = self.outcomes.get("reference") or {}
        return outcome.get("client", outcome.get("path"))  # older results call it a path

    @property
    def unwaived(self) -> tuple[Divergence, ...]:
        """The differences nobody has accepted."""
        return tuple(d for d in self.divergences if d.fingerprint not in self.waived)


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One run over all items. `missing` names the scenarios without a recording; `complaints` are faults of
    the waivers file; `warnings` do not fail a run; `left_out` is what of a corpus, or of captured
    calls, could not be used: no business of ours, or damaged, and then an item with a `problem`, too.
    """

    reference: str
    candidate: str
    engine: str
    versions: Mapping[str, str]
    items: tuple[Item, ...]
    missing: tuple[str, ...] = ()
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    complaints: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    left_out: tuple[CorpusProblem, ...] = ()

    @property
    def totals(self) -> Mapping[str, int]:
        """Kind → number of divergences, waived ones included, most frequent first."""
        counts = Counter(str(d.kind) for item in self.items for d in item.divergences)
        return dict(counts.most_common())
