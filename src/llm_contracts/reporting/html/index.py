"""The first page of a report: verdicts, groups of differences, the matrix, and a line for each recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from llm_contracts.parity.decision_groups import (
    DecisionGroup,
    Member,
    SameMeaning,
    by_meaning,
    members_of,
    queue,
)
from llm_contracts.parity.divergence import Divergence
from llm_contracts.parity.result import Item, Result
from llm_contracts.reporting.answer import state
from llm_contracts.reporting.ci.run_context import fragment
from llm_contracts.reporting.lines import value_pair

_LONGEST_VALUE = 240
_MOST_ROWS = 150  # scenarios in a matrix; a corpus has thousands, and no two alike


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupRow:
    """One of `review`'s groups, as the page shows it: open, or accepted for one reason. `values` are the most
    frequent pair of `variants` many.
    """

    number: int
    group: DecisionGroup
    reason: str | None
    values: tuple[str, str]
    variants: int

    def fresh(self, new: frozenset[str]) -> int:
        """How many of its differences are among these, which the run before did not have."""
        return len(new.intersection(self.group.fingerprints))


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupBlock:
    """Rows that stand together: open ones that mean the same, or those accepted for one reason."""

    same: SameMeaning
    rows: tuple[GroupRow, ...]

    @property
    def reason(self) -> str | None:
        """Why they are accepted; None where they are open."""
        return self.rows[0].reason


@dataclass(frozen=True, kw_only=True, slots=True)
class ScenarioMatrix:
    """States by scenario and provider; `cells` in the order of `providers`, None where there is nothing."""

    providers: tuple[str, ...]
    rows: tuple[tuple[str, tuple[dict[str, Any] | None, ...]], ...]


def group_rows(items: Iterable[Item]) -> tuple[GroupRow, ...]:
    """The groups as `review` has them: open ones first, then the accepted ones, apart by reason."""
    members: dict[str | None, list[Member]] = {None: []}
    for item in items:
        for member in members_of(item):
            members.setdefault(item.waived.get(member.fingerprint), []).append(member)
    groups = ((group, reason) for reason, found in members.items() for group in queue(found))
    rows = []
    for number, (group, reason) in enumerate(groups):
        pairs = Counter(values_of(member.divergence) for member in group.members)
        values = pairs.most_common(1)[0][0]
        rows.append(GroupRow(number=number, group=group, reason=reason, values=values, variants=len(pairs)))
    return tuple(rows)


def group_blocks(rows: Iterable[GroupRow]) -> tuple[GroupBlock, ...]:
    """These rows by what they mean, the accepted ones by their reason."""
    found: dict[str | None, dict[str, GroupRow]] = {}
    for row in rows:
        found.setdefault(row.reason, {})[row.group.id] = row
    return tuple(
        GroupBlock(same=same, rows=tuple(named[group.id] for group in same.groups))
        for reason, named in found.items()
        for groups in [tuple(row.group for row in named.values())]
        for same in (by_meaning(groups) if reason is None else (SameMeaning(groups=groups),))
    )


def item_rows(result: Result, groups: Iterable[GroupRow], detailed: Iterable[str]) -> list[dict[str, Any]]:
    """What the page's program knows of every item; `detail` where the page holds more."""
    held = set(detailed)
    numbers = {each: row.number for row in groups for each in row.group.fingerprints}
    return [
        {
            "id": item.id,
            "provider": item.provider,
            "scenario": item.scenario,
            "state": state(item),
            "from": item.provenance,
            "on": item.recorded_on.isoformat() if item.recorded_on else None,
            "problem": item.problem,
            "noise": len(item.noise),
            "detail": item.id in held,
            "found": [
                _found(item, each, numbers)
                for each in sorted(item.divergences, key=lambda d: d.severity.rank)
            ],
        }
        for item in result.items
    ]


def _found(item: Item, divergence: Divergence, numbers: Mapping[str, int]) -> dict[str, Any]:
    return {
        "kind": str(divergence.kind),
        "severity": str(divergence.severity),
        "where": divergence.where,
        **dict(zip(("reference", "candidate"), values_of(divergence), strict=True)),
        "print": divergence.fingerprint,
        "waived": item.waived.get(divergence.fingerprint),
        "group": numbers[divergence.fingerprint],
    }


def values_of(divergence: Divergence) -> tuple[str, str]:
    """Both values of a difference, cut to what a cell of a table takes."""
    return value_pair(divergence.reference, divergence.candidate, _LONGEST_VALUE)


def provider_rows(result: Result) -> list[tuple[str, Counter[str]]]:
    """Providers with the number of their recordings in each state; `missing` where there is none."""
    found: dict[str, Counter[str]] = {}
    for item in result.items:
        found.setdefault(item.provider, Counter())[state(item)] += 1
    for name in result.missing:
        found.setdefault(name.partition("/")[0], Counter())["missing"] += 1
    return list(found.items())


def matrix(result: Result) -> ScenarioMatrix | None:
    """The matrix; None where scenarios are so many, or so little alike, that it would show nothing."""
    missing = {(one, two): f"{one}/{two}" for one, _, two in (name.partition("/") for name in result.missing)}
    names = [*((item.provider, item.scenario) for item in result.items), *missing]
    providers = tuple(dict.fromkeys(provider for provider, _ in names))
    scenarios = tuple(dict.fromkeys(scenario for _, scenario in names))
    if len(scenarios) > _MOST_ROWS or len(scenarios) == len(names) > len(providers) > 1:
        return None
    cells: dict[tuple[str, str], dict[str, Any]] = {
        key: {"id": None, "state": "missing", "title": f"{name}: no recording"}
        for key, name in missing.items()
    }
    cells |= {(item.provider, item.scenario): _cell(n, item) for n, item in enumerate(result.items)}
    rows = tuple(
        (scenario, tuple(cells.get((provider, scenario)) for provider in providers)) for scenario in scenarios
    )
    return ScenarioMatrix(providers=providers, rows=rows)


def _cell(number: int, item: Item) -> dict[str, Any]:
    kinds = Counter(str(divergence.kind) for divergence in item.unwaived)
    found = ", ".join(f"{kind} ({count})" if count > 1 else kind for kind, count in kinds.items())
    what = state(item)
    return {
        "id": item.id,
        "number": number,
        "link": fragment(item.id),
        "state": what,
        "count": sum(kinds.values()),
        "title": f"{item.id}: {found or what}",
    }
