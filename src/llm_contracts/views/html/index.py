"""The first page of a report: verdicts, groups of differences, the matrix, and a line for each recording."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from llm_contracts.parity.compare import ABSENT
from llm_contracts.parity.divergence import Divergence, Severity
from llm_contracts.parity.result import Answer, Item, Result
from llm_contracts.views.corpus_page import MEANINGS
from llm_contracts.views.groups import place
from llm_contracts.views.html.embed import visible

_LONGEST_VALUE = 240
_SEVERITIES = tuple(Severity)
_MOST_ROWS = 150  # scenarios in a matrix; a corpus has thousands, and no two alike

MARKS = {
    "breaking": "✗",
    "visible": "◆",
    "cosmetic": "○",
    "noise": "≈",
    "unreadable": "!",
    "accepted": "~",
    "agree": "✓",
    "missing": "–",  # noqa: RUF001 - as on the terminal
}
"""A sign for each state, so that colour is never the only way to see it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupRow:
    """Differences of one kind at one place, either open or accepted for one reason."""

    number: int
    severity: str
    kind: str
    where: str
    meaning: str
    reference: str
    candidate: str
    variants: int
    count: int
    providers: tuple[str, ...]
    reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Matrix:
    """States by scenario and provider; `cells` in the order of `providers`, None where there is nothing."""

    providers: tuple[str, ...]
    rows: tuple[tuple[str, tuple[dict[str, Any] | None, ...]], ...]


def state(item: Item) -> str:
    """What became of a recording, in a word: the worst that nobody has accepted."""
    if item.problem:
        return "unreadable"
    found = {str(divergence.severity) for divergence in item.unwaived}
    worst = next((str(severity) for severity in _SEVERITIES if severity in found), None)
    if worst in {"breaking", "visible"}:
        return str(worst)
    if item.noise:
        return "noise"
    return worst or ("accepted" if item.waived else "agree")


def shown(value: object) -> str:
    """A value in a line."""
    if value == ABSENT:
        return "absent"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"


Key = tuple[str, str, str | None]


def _key(item: Item, divergence: Divergence) -> Key:
    return (str(divergence.kind), place(divergence.where), item.waived.get(divergence.fingerprint))


def group_rows(items: Iterable[Item]) -> dict[Key, GroupRow]:
    """The groups by what defines them: open ones first, then what breaks, then what is most frequent."""
    members: dict[Key, list[tuple[Item, Divergence]]] = {}
    for item in items:
        for divergence in item.divergences:
            members.setdefault(_key(item, divergence), []).append((item, divergence))
    ordered = sorted(members.items(), key=lambda found: _rank(found[0], found[1]))
    return {key: _group_row(number, key, found) for number, (key, found) in enumerate(ordered)}


def _rank(key: Key, found: Sequence[tuple[Item, Divergence]]) -> tuple[bool, int, int]:
    return (key[2] is not None, _SEVERITIES.index(found[0][1].severity), -len(found))


def _group_row(number: int, key: Key, found: Sequence[tuple[Item, Divergence]]) -> GroupRow:
    values = Counter((shown(d.reference), shown(d.candidate)) for _, d in found)
    (reference, candidate), _ = values.most_common(1)[0]
    example = found[0][1]
    return GroupRow(
        number=number,
        severity=str(example.severity),
        kind=key[0],
        where=key[1],
        meaning=MEANINGS[example.kind].replace("`", ""),  # written for Markdown
        reference=reference,
        candidate=candidate,
        variants=len(values),
        count=len({item.id for item, _ in found}),
        providers=tuple(dict.fromkeys(item.provider for item, _ in found)),
        reason=key[2],
    )


def item_rows(result: Result, groups: dict[Key, GroupRow], detailed: Iterable[str]) -> list[dict[str, Any]]:
    """What the page's program knows of every item; `detail` where the page holds more."""
    held = set(detailed)
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
            "found": [_found(item, divergence, groups) for divergence in item.divergences],
        }
        for item in result.items
    ]


def _found(item: Item, divergence: Divergence, groups: dict[Key, GroupRow]) -> dict[str, Any]:
    return {
        "kind": str(divergence.kind),
        "severity": str(divergence.severity),
        "where": divergence.where,
        "reference": shown(divergence.reference),
        "candidate": shown(divergence.candidate),
        "print": divergence.fingerprint,
        "waived": item.waived.get(divergence.fingerprint),
        "group": groups[_key(item, divergence)].number,
    }


def matrix(result: Result) -> Matrix | None:
    """The matrix; None where scenarios are so many, or so little alike, that it would show nothing."""
    names = [*((item.provider, item.scenario) for item in result.items), *map(_split, result.missing)]
    providers = tuple(dict.fromkeys(provider for provider, _ in names))
    scenarios = tuple(dict.fromkeys(scenario for _, scenario in names))
    if len(scenarios) > _MOST_ROWS or len(scenarios) == len(names) > len(providers) > 1:
        return None
    cells: dict[tuple[str, str], dict[str, Any]] = {
        _split(name): {"id": None, "state": "missing", "title": f"{name}: no recording"}
        for name in result.missing
    }
    cells |= {(item.provider, item.scenario): _cell(n, item) for n, item in enumerate(result.items)}
    rows = tuple(
        (scenario, tuple(cells.get((provider, scenario)) for provider in providers)) for scenario in scenarios
    )
    return Matrix(providers=providers, rows=rows)


def _split(name: str) -> tuple[str, str]:
    provider, _, scenario = name.partition("/")
    return provider, scenario


def _cell(number: int, item: Item) -> dict[str, Any]:
    kinds = Counter(str(divergence.kind) for divergence in item.unwaived)
    found = ", ".join(f"{kind} ({count})" if count > 1 else kind for kind, count in kinds.items())
    what = state(item)
    return {
        "id": item.id,
        "number": number,
        "link": "#rec=" + quote(item.id.encode("utf-8", "replace"), safe="/"),
        "state": what,
        "count": sum(kinds.values()),
        "title": visible(f"{item.id}: {found or what}"),
    }


def headline(result: Result) -> dict[str, Any]:
    """The answer in a few words, and the numbers behind it."""
    counts = Counter(state(item) for item in result.items)
    ready = [name for name, verdict in result.verdicts.items() if verdict.answer is Answer.READY]
    everything = len(result.verdicts)
    if not everything:
        word = "No verdict: only a part was checked"
    elif len(ready) == everything:
        word = "GO"
    else:
        word = "NO-GO" if not ready else f"GO for {len(ready)} of {everything} providers"
    return {
        "word": word,
        "tone": "go" if everything and len(ready) == everything else "stop" if everything else "part",
        "counts": [(name, MARKS[name], counts[name]) for name in MARKS if counts[name]],
        "total": len(result.items),
        "missing": len(result.missing),
    }
