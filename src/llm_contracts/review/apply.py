"""A file of decisions, as the report's page exports it: what it would do, all of it or nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from llm_contracts.parity.decision_groups import Member
from llm_contracts.parity.waiver import Waiver
from llm_contracts.review.coverage import Coverage, cover
from llm_contracts.review.decisions import Choice, Decision, Decisions
from llm_contracts.review.session import ReviewError, ReviewSession, checked_terms

_OF_ROW = ("kind", "provider", "scenario", "where", "until")


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplyPlan:
    """What applying a file of decisions would do.

    Attributes:
        acceptances: for each acceptance, what it covers.
        notes: the other decisions.
        settled: fingerprints that are accepted already, and are left alone.
    """

    acceptances: tuple[Coverage, ...]
    notes: tuple[Decision, ...]
    settled: tuple[str, ...]

    @property
    def rows(self) -> tuple[Waiver, ...]:
        """The waivers that would be written, each once."""
        by_identity = {row.identity: row for coverage in self.acceptances for row in coverage.rows}
        return tuple(by_identity.values())

    @property
    def meant(self) -> frozenset[str]:
        """The differences that the file names and that would be accepted."""
        return frozenset(member.fingerprint for each in self.acceptances for member in each.meant)

    @property
    def others(self) -> tuple[Member, ...]:
        """What the waivers would cover besides, whatever decision covers it."""
        found = {m.fingerprint: m for each in self.acceptances for m in each.others}
        return tuple(member for name, member in found.items() if name not in self.meant)

    def document(self) -> dict[str, Any]:
        """The plan as JSON, for scripts."""
        return {
            "format": 1,
            "accepts": sorted(self.meant),
            "also_covers": [
                {"fingerprint": m.fingerprint, "item": m.item, "kind": str(m.divergence.kind)}
                for m in self.others
            ],
            "rows": [{name: str(getattr(row, name)) for name in _OF_ROW} for row in self.rows],
            "marks": [{"decision": str(d.choice), "fingerprints": list(d.fingerprints)} for d in self.notes],
            "accepted_already": list(self.settled),
        }


def plan(session: ReviewSession, found: Decisions, name: str) -> ApplyPlan:
    """Work out what a file of decisions would do, and refuse it whole if part of it cannot be done.

    Raises:
        ReviewError: it is about another run, names a difference that this run does not have, or decides
            twice about one; or an acceptance lacks what it must say.
    """
    if found.run != session.stored.run:
        raise ReviewError(
            f"{name}: is about run {found.run}, but the stored result is run {session.stored.run}. "
            "What differs has changed. Make the report again and decide on that."
        )
    known = {member.fingerprint for member in session.members}
    seen: set[str] = set()
    acceptances: list[Coverage] = []
    notes: list[Decision] = []
    for number, decision in enumerate(found.decisions, 1):
        for each in decision.fingerprints:
            if each not in known:
                raise ReviewError(f"{name}: decision {number}: this run has no difference {each}.")
            if each in seen:
                raise ReviewError(f"{name}: decision {number}: {each} is decided about twice.")
            seen.add(each)
        left = tuple(each for each in decision.fingerprints if each not in session.accepted)
        if decision.choice is not Choice.ACCEPT:
            notes.append(replace(decision, fingerprints=left))
        elif left:
            acceptances.append(_coverage(session, decision, left, f"{name}: decision {number}"))
    settled = (each for d in found.decisions for each in d.fingerprints if each in session.accepted)
    return ApplyPlan(
        acceptances=tuple(acceptances),
        notes=tuple(each for each in notes if each.fingerprints),
        settled=tuple(settled),
    )


def _coverage(session: ReviewSession, decision: Decision, prints: tuple[str, ...], place: str) -> Coverage:
    if decision.until is None or decision.scope is None:
        missing = "until" if decision.until is None else "scope"
        raise ReviewError(f"{place}: an acceptance needs {missing!r}.")
    try:
        terms = checked_terms(decision.reason, decision.by, decision.until, session.today)
    except ReviewError as error:
        raise ReviewError(f"{place}: {error}") from None
    meant = [member for member in session.members if member.fingerprint in prints]
    return cover(meant, decision.scope, session.open, terms)
