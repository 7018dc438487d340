"""What an acceptance would cover, worked out before anything is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from llm_contracts.decisions import Scope
from llm_contracts.parity.waiver import Waiver
from llm_contracts.views.groups import place as place_of
from llm_contracts.views.review.queue import Group, Member, queue

SCOPES: dict[Scope, str] = {
    Scope.RECORDING: "this recording",
    Scope.GROUP: "this group",
    Scope.PROVIDER: "this provider",
    Scope.FIELD: "this field everywhere",
}
"""Each scope as a person reads it, from narrow to wide."""

_Names = tuple[str, str]
"""Provider and scenario of a row, either of which may be `*`."""


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
    def other_groups(self) -> tuple[Group, ...]:
        """The others as decisions."""
        return queue(self.others)

    @property
    def fingerprints(self) -> frozenset[str]:
        """Everything that would be accepted."""
        return frozenset(member.fingerprint for member in (*self.meant, *self.others))

    @property
    def open_ended(self) -> bool:
        """Whether a row has a pattern for names, and so covers what is recorded later, too."""
        return any("*" in (row.provider, row.scenario) for row in self.rows)


def chosen(group: Group, member: Member, scope: Scope) -> tuple[Member, ...]:
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
    rows = tuple(dict.fromkeys(_rows(meant, scope, everything, terms)))
    mine = {member.fingerprint for member in meant}
    others = (m for m in everything if m.fingerprint not in mine and any(_accepts(row, m) for row in rows))
    return Coverage(rows=rows, meant=tuple(meant), others=tuple(others))


def _rows(
    meant: Sequence[Member], scope: Scope, everything: Sequence[Member], terms: Terms
) -> Iterator[Waiver]:
    if scope is Scope.RECORDING:
        yield from (_row(m, (m.provider, m.scenario), m.divergence.where, terms) for m in meant)
        return
    for (_, where), members in _by_place(meant).items():
        for names in _names(members, scope, everything):
            yield _row(members[0], names, where, terms)


def _names(members: Sequence[Member], scope: Scope, everything: Sequence[Member]) -> Iterator[_Names]:
    """The names of providers and scenarios that the rows of one place need."""
    if scope is Scope.FIELD:
        yield ("*", "*")
    elif scope is Scope.PROVIDER:
        yield from dict.fromkeys((m.provider, "*") for m in members)
    else:
        place = next(iter(_by_place(members)))
        mine = {m.fingerprint for m in members}
        same = _by_place(everything).get(place, [])
        yield from _fewest(members, [m for m in same if m.fingerprint not in mine])


def _fewest(members: Sequence[Member], strangers: Sequence[Member]) -> Iterator[_Names]:
    """Few names that cover the members, and of the strangers only those in the same recording.

    A pattern stands for several providers or scenarios only where it covers no stranger today. `*` for both
    is never chosen: that is another scope.
    """
    taken = {names for m in strangers for names in _patterns(m)}
    left = {(m.provider, m.scenario): m for m in members}
    while left:
        counts = Counter(names for m in left.values() for names in _patterns(m) if names not in taken)
        best, count = counts.most_common(1)[0] if counts else (("", ""), 0)
        names = best if count > 1 else next(iter(left))
        yield names
        left = {own: m for own, m in left.items() if names not in (own, *_patterns(m))}


def _patterns(member: Member) -> tuple[_Names, _Names]:
    return ("*", member.scenario), (member.provider, "*")


def _by_place(members: Iterable[Member]) -> dict[tuple[str, str], list[Member]]:
    found: dict[tuple[str, str], list[Member]] = {}
    for member in members:
        found.setdefault((member.divergence.kind, place_of(member.divergence.where)), []).append(member)
    return found


def _row(member: Member, names: _Names, where: str, terms: Terms) -> Waiver:
    return Waiver(
        kind=member.divergence.kind,
        provider=names[0],
        scenario=names[1],
        where=where,
        reason=terms.reason,
        by=terms.by,
        until=terms.until,
    )


def _accepts(row: Waiver, member: Member) -> bool:
    return row.kind is member.divergence.kind and (
        row.covers(member.provider, member.scenario) and row.accepts(member.divergence)
    )
