"""One run as one HTML file that needs nothing else: no network, no other file, no server.

Everything in it comes from models, providers and recordings, and is taken for hostile: the template escapes
it, the program builds nodes and never markup, and the policy in the head runs no script but its own, known by
its hash. What an item holds in full is compressed, so that the page opens at once however many there are.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from llm_contracts.cost.views import cost_table
from llm_contracts.parity.decision_groups import (
    DecisionGroup,
    Member,
    SameMeaning,
    by_meaning,
    groups_of,
    members_of,
    queue,
)
from llm_contracts.parity.divergence import Divergence
from llm_contracts.parity.result import Item, Result
from llm_contracts.project.config import Project
from llm_contracts.reporting.answer import MARKS, answer, fragment, state
from llm_contracts.reporting.html.detail import detail
from llm_contracts.reporting.item_view import BEST_VIEW
from llm_contracts.reporting.lines import finite, value_pair, visible
from llm_contracts.reporting.run_context import RunContext
from llm_contracts.results.document import json_text
from llm_contracts.results.store import Stored
from llm_contracts.util.files import write_pieces
from llm_contracts.wire.protocols import BUILT_IN, Protocols
from llm_contracts.wire.scrub.scrubber import refuse_secrets

_SCRIPTS = ("dom.js", "decisions.js", "lanes.js", "tables.js", "timeline.js", "record.js", "app.js")
_UNSAFE = re.compile("[<>&\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_ALL_IN_FULL = 2_000  # items; beyond, only those that differ are held in full
_LONGEST_VALUE = 240
_MOST_ROWS = 150  # scenarios in a matrix; a corpus has thousands, and no two alike

Guard = Callable[[str, Any], None]
"""Given a name and what the page would hold of it; raises if that must not be."""


def in_full(result: Result) -> tuple[str, ...]:
    """The ids of the items that the page holds in full: all, or of many those with something to see."""
    if len(result.items) <= _ALL_IN_FULL:
        return tuple(item.id for item in result.items)
    return tuple(item.id for item in result.items if state(item) != "agree")


def write_page(
    project: Project,
    file: Path,
    stored: Stored,
    about: RunContext,
    secrets: Mapping[str, str],
    *,
    progress: Callable[[str], None],
) -> None:
    """Render a project's stored result into this file.

    Raises:
        SecretFound: one of the secrets is in it; the file is left as it was.
    """

    def guard(name: str, value: Any) -> None:
        if secrets:
            refuse_secrets(name, json_text(value).encode(), secrets)

    pieces = render(
        stored.result, about, stored.item, protocols_of=project.protocols_of, guard=guard, progress=progress
    )
    write_pieces(file, pieces)


def render(
    result: Result,
    about: RunContext,
    whole: Callable[[str], Item],
    *,
    protocols_of: Callable[[str], Protocols] = lambda _provider: BUILT_IN,
    guard: Guard = lambda _name, _value: None,
    progress: Callable[[str], None] = lambda _name: None,
) -> Iterator[str]:
    """The page in pieces, so that no more than one item is held in full at a time.

    Args:
        result: the run; its items need no observations.
        about: see `RunContext`.
        whole: an item in full, by its id.
        protocols_of: how to read what a provider sent.
        guard: see `Guard`.
        progress: called with the name of each item that is done.
    """
    detailed = in_full(result)
    groups = group_rows(result.items)
    rows = item_rows(result, groups, detailed)
    guard("the report's first page", rows)

    def details() -> Iterator[tuple[int, str]]:
        numbers = {item.id: number for number, item in enumerate(result.items)}
        for name in detailed:
            item = whole(name)
            value = detail(item, protocols_of(item.provider))
            guard(f"the report's page about {name}", value)
            yield numbers[name], packed(value)
            progress(name)

    style = _read("style.css")
    # The program's files are one function, so that the page has no globals.
    script = '"use strict";\n(() => {\n' + "\n".join(map(_read, _SCRIPTS)) + "\n})();\n"
    policy = (
        f"default-src 'none'; script-src {csp_hash(script)}; style-src {csp_hash(style)}; "
        "base-uri 'none'; form-action 'none'"
    )
    data = {
        "run": about.run,
        "reference": result.reference,
        "candidate": result.candidate,
        "marks": MARKS,
        "views": BEST_VIEW,
        "again": about.again_with(result),
        "groups": [row.group.title for row in groups],
        "items": rows,
    }
    yield from (
        _template().generate(
            result=result,
            about=about,
            answer=answer(result, about.everyone),
            cost=None if about.cost is None else cost_table(about.cost),
            checked=about.moment,
            blocks=group_blocks(groups),
            new=frozenset(about.changes.new if about.changes else ()),
            noise=groups_of(result.items, lambda item: item.noise),
            values_of=values_of,
            matrix=matrix(result),
            providers=provider_rows(result),
            marks=MARKS,
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            policy=policy,
            data=Markup(script_json(data)),  # noqa: S704 - escaped for where it stands
            details=details(),
            left_out=len(result.items) - len(detailed),
        )
    )


@cache  # to compile it takes longer than to fill it in
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("llm_contracts.reporting.html", "static"),
        autoescape=True,
        undefined=StrictUndefined,
        # Every text that gets into the page shows what it hides; markup of our own passes as it is.
        finalize=lambda value: visible(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")


def _read(name: str) -> str:
    return (files("llm_contracts.reporting.html") / "static" / name).read_text(encoding="utf-8")


def script_json(value: Any) -> str:
    """JSON that can stand between `<script>` tags: nothing in it ends the element, begins a comment or
    turns the direction of the source.
    """
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", json_text(finite(value)))


def packed(value: Any) -> str:
    """JSON, compressed, in base64. The same value gives the same text on every day."""
    data = json_text(finite(value)).encode()
    return base64.b64encode(gzip.compress(data, compresslevel=6, mtime=0)).decode()


def csp_hash(content: str) -> str:
    """The source expression that allows exactly this inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


# What the first page shows: groups of differences, the matrix, and a line for each recording


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
