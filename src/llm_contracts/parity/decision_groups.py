"""The queue of decisions. Not of files: the same change in forty recordings is one thing to think about."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from llm_contracts.parity.divergence import Divergence, Kind, Severity, place, severity_of
from llm_contracts.parity.meanings import plain_meaning
from llm_contracts.parity.result import Item
from llm_contracts.parity.value_class import change_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One difference in one recording.

    `noisy`: the control, the reference against itself, differed at the same place of this recording.
    """

    item: str
    provider: str
    scenario: str
    divergence: Divergence
    noisy: bool = False

    @property
    def fingerprint(self) -> str:
        """The name of the difference across runs."""
        return self.divergence.fingerprint


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionGroup:
    """Differences of one kind, at one place, that change one class of value into one other.

    Attributes:
        where: the place with its numbers replaced (`delta[*]`).
        was, now: the classes of the values (`number`, `absent`).
        members: at least one, in the order of the result.
    """

    kind: Kind
    where: str
    was: str
    now: str
    members: tuple[Member, ...]

    @property
    def id(self) -> str:
        """Eight hex digits that name the group across runs."""
        named = f"{self.kind}|{self.where}|{self.was}|{self.now}|"
        return hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()[:8]

    @property
    def title(self) -> str:
        """Kind, place and change in a line, in ASCII."""
        return f"{self.kind} at {self.where}: {self.change('->')}"

    def change(self, arrow: str) -> str:
        """What became of the value; what both clients agree on, where the bytes say otherwise."""
        agreed = all(m.divergence.reference == m.divergence.candidate for m in self.members)
        return f"both {self.was}" if agreed else f"{self.was} {arrow} {self.now}"

    @property
    def severity(self) -> Severity:
        """How much it means: the same for all members, as it follows from kind and place."""
        return severity_of(self.kind, self.where)

    @property
    def example(self) -> Divergence:
        """The first of the differences."""
        return self.members[0].divergence

    @property
    def meaning(self) -> str:
        """What the first of them means to an application."""
        return plain_meaning(self.example)

    @property
    def ids(self) -> tuple[str, ...]:
        """The recordings concerned, each once."""
        return tuple(dict.fromkeys(member.item for member in self.members))

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Those of all members."""
        return tuple(member.fingerprint for member in self.members)

    @property
    def providers(self) -> dict[str, int]:
        """Provider → number of members, most frequent first."""
        return dict(Counter(member.provider for member in self.members).most_common())


@dataclass(frozen=True, kw_only=True, slots=True)
class SameMeaning:
    """Groups of one kind and severity that mean the same to an application; at least one."""

    groups: tuple[DecisionGroup, ...]

    @property
    def first(self) -> DecisionGroup:
        """The most frequent of them."""
        return self.groups[0]

    @property
    def where(self) -> str:
        """The place that they share, or how many there are."""
        places = {group.where for group in self.groups}
        return self.first.where if len(places) == 1 else f"{len(places)} places"

    @property
    def ids(self) -> tuple[str, ...]:
        """The recordings concerned, each once."""
        return tuple(dict.fromkeys(name for group in self.groups for name in group.ids))


def by_meaning(groups: Iterable[DecisionGroup]) -> tuple[SameMeaning, ...]:
    """Groups that mean the same put together, in the order of the first of each."""
    found: dict[tuple[str, str, str], list[DecisionGroup]] = {}
    for group in groups:
        key = (group.severity, group.kind, group.meaning)
        found.setdefault(key, []).append(group)
    return tuple(SameMeaning(groups=tuple(same)) for same in found.values())


def members_of(item: Item, found: Iterable[Divergence] | None = None) -> tuple[Member, ...]:
    """These differences of one item; all of them, waived ones included, where none are given."""
    control = {(d.kind, place(d.where)) for d in item.noise}
    return tuple(
        Member(
            item=item.id,
            provider=item.provider,
            scenario=item.scenario,
            divergence=divergence,
            noisy=(divergence.kind, place(divergence.where)) in control,
        )
        for divergence in (item.divergences if found is None else found)
    )


def queue(members: Iterable[Member]) -> tuple[DecisionGroup, ...]:
    """Group differences, in the order of the result: what breaks first, then what is most frequent."""
    found: dict[tuple[str, ...], list[Member]] = {}
    for member in members:
        kind, where = member.divergence.kind, place(member.divergence.where)
        found.setdefault((kind, where, *change_of(member.divergence)), []).append(member)
    groups = (
        DecisionGroup(kind=Kind(kind), where=where, was=was, now=now, members=tuple(held))
        for (kind, where, was, now), held in found.items()
    )
    return tuple(sorted(groups, key=lambda each: (each.severity.rank, -len(each.members), each.title)))


def groups_of(
    items: Iterable[Item], pick: Callable[[Item], Iterable[Divergence]]
) -> tuple[DecisionGroup, ...]:
    """`queue` of what `pick` finds in each item."""
    return queue(member for item in items for member in members_of(item, pick(item)))


def narrowed(groups: Sequence[DecisionGroup], words: str) -> tuple[DecisionGroup, ...]:
    """The groups in which every word occurs: in severity, kind, place, change or the name of a recording.

    Groups keep all their members: a filter is for finding, and must not change what is decided.
    """
    searched = (" ".join((each.severity, each.title, each.id, *each.ids)).lower() for each in groups)
    wanted = words.lower().split()
    found = zip(groups, searched, strict=True)
    return tuple(group for group, text in found if all(word in text for word in wanted))


def without(group: DecisionGroup, gone: Callable[[Member], bool]) -> DecisionGroup | None:
    """The group without some of its members; None if nothing is left."""
    left = tuple(member for member in group.members if not gone(member))
    return replace(group, members=left) if left else None


def look_up(groups: Sequence[DecisionGroup], name: str) -> tuple[DecisionGroup, ...]:
    """What a name means: a group by the beginning of its id, one difference by that of its fingerprint, which
    then stands alone, or all differences of a recording.

    Empty where it means nothing, and several groups where it is not clear which.
    """
    by_id = tuple(group for group in groups if group.id.startswith(name))
    if by_id:
        return by_id
    single = ((g, m) for g in groups for m in g.members if m.fingerprint.startswith(name))
    alone = tuple(replace(group, members=(m,)) for group, m in single)
    if alone:
        return alone
    held = (without(group, lambda m: m.item != name) for group in groups)
    return tuple(group for group in held if group is not None)
