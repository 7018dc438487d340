"""What an acceptance would cover, worked out before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from llm_contracts.parity.decision_groups import DecisionGroup, Member, queue
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.divergence import place as place_of
from llm_contracts.parity.value_class import change_of
from llm_contracts.parity.variant_names import split
from llm_contracts.parity.waiver import Waiver
from llm_contracts.review.decisions import Scope

SCOPES: dict[Scope, str] = {
    Scope.RECORDING: "this recording",
    Scope.GROUP: "this group",
    Scope.PROVIDER: "this provider",
    Scope.FIELD: "this field everywhere",
}
"""Each scope as a person reads it, from narrow to wide."""

_Names = tuple[str, str]
"""Provider and scenario of a row: `*`, or one or several names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """Why something is accepted, by whom, and until which day."""

    reason: str
    by: str
    until: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """What rows of the waivers file would accept in this run.

    Attributes:
        rows: the waivers that would be written.
        meant: the differences that were chosen; all of them are covered.
        others: what the rows cover besides, and nobody has accepted yet.
    """

    rows: tuple[Waiver, ...]
    meant: tuple[Member, ...]
    others: tuple[Member, ...]

    @property
    def other_groups(self) -> tuple[DecisionGroup, ...]:
        """The others as decisions."""
        return queue(self.others)

    @property
    def fingerprints(self) -> frozenset[str]:
        """Everything that would be accepted."""
        return frozenset(member.fingerprint for member in (*self.meant, *self.others))

    @property
    def open_ended(self) -> bool:
        """Whether a row has a pattern for names, and so covers what is recorded later, too."""
        return any("*" in row.provider + row.scenario for row in self.rows)


def chosen(group: DecisionGroup, member: Member, scope: Scope) -> tuple[Member, ...]:
    """The members of a group that a scope is about, seen from one of them."""
    if scope is Scope.RECORDING:
        return tuple(m for m in group.members if m.item == member.item)
    if scope is Scope.PROVIDER:
        return tuple(m for m in group.members if m.provider == member.provider)
    return group.members


def cover(meant: Sequence[Member], scope: Scope, everything: Sequence[Member], terms: Terms) -> Coverage:
    """The rows that accept these differences in this scope, and what else these cover.

    Args:
        meant: the differences that are to be accepted.
        scope: how far the rows reach beyond them.
        everything: all differences of the run that nobody has accepted.
        terms: what the rows are to say.
    """
    rows = tuple(dict.fromkeys(_rows(meant, scope, terms)))
    mine = {member.fingerprint for member in meant}
    others = (
        m
        for m in everything
        if m.fingerprint not in mine
        and any(row.accepts(m.divergence) and row.covers(m.provider, m.scenario) for row in rows)
    )
    return Coverage(rows=rows, meant=tuple(meant), others=tuple(others))


def row_text(row: Waiver) -> str:
    """What a row covers, as a person reads it."""
    provider, scenario = (
        "all" if names == "*" else names.replace("|", ", ") for names in (row.provider, row.scenario)
    )
    return f"{row.kind} at {row.where} in {provider} / {scenario}"


def _rows(meant: Sequence[Member], scope: Scope, terms: Terms) -> Iterator[Waiver]:
    if scope is Scope.RECORDING:
        yield from (_row(m, (m.provider, m.scenario), m.divergence.where, terms) for m in meant)
        return
    by_place: dict[tuple[object, ...], list[Member]] = {}
    for m in meant:
        change = change_of(m.divergence) if m.divergence.kind is Kind.ERROR else ()
        by_place.setdefault((m.divergence.kind, place_of(m.divergence.where), change), []).append(m)
    for members in by_place.values():
        where = place_of(members[0].divergence.where)
        for names in _names(members, scope):
            yield _row(members[0], names, where, terms)


def _names(members: Sequence[Member], scope: Scope) -> Iterator[_Names]:
    """The names of providers and scenarios that the rows of one place need."""
    if scope is Scope.FIELD:
        yield from dict.fromkeys(("*", _any_like(m)) for m in members)
    elif scope is Scope.PROVIDER:
        yield from dict.fromkeys((m.provider, _any_like(m)) for m in members)
    else:
        yield from _exactly(members)


def _any_like(member: Member) -> str:
    """A pattern for all scenarios; for variants of recordings it is another one than for recordings."""
    return "*~*" if split(member.scenario)[1] else "*"


def _exactly(members: Sequence[Member]) -> Iterator[_Names]:
    """Names that fit these recordings and no others: a row for all providers with the same scenarios, or one
    for all scenarios with the same providers, whichever is shorter to read.
    """
    by_provider = _put_together((m.provider, m.scenario) for m in members)
    by_scenario = [(many, one) for one, many in _put_together((m.scenario, m.provider) for m in members)]
    for providers, scenarios in min(
        by_provider, by_scenario, key=lambda rows: sum(len(ones) + len(others) for ones, others in rows)
    ):
        yield "|".join(providers), "|".join(scenarios)


_Row = tuple[tuple[str, ...], tuple[str, ...]]


def _put_together(pairs: Iterable[tuple[str, str]]) -> list[_Row]:
    """The first halves that go with the same second halves, with these."""
    partners: dict[str, set[str]] = {}
    for one, other in pairs:
        partners.setdefault(one, set()).add(other)
    rows: dict[tuple[str, ...], list[str]] = {}
    for one, others in partners.items():
        rows.setdefault(tuple(sorted(others)), []).append(one)
    return [(tuple(ones), others) for others, ones in rows.items()]


def _row(member: Member, names: _Names, where: str, terms: Terms) -> Waiver:
    both = change_of(member.divergence) if member.divergence.kind is Kind.ERROR else (None, None)
    return Waiver(
        kind=member.divergence.kind,
        reference=both[0],
        candidate=both[1],
        provider=names[0],
        scenario=names[1],
        where=where,
        reason=terms.reason,
        by=terms.by,
        until=terms.until,
    )
