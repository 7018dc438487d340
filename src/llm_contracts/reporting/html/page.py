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
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from llm_contracts.cost.views import cost_table
from llm_contracts.parity.decision_groups import groups_of
from llm_contracts.parity.result import Item, Result
from llm_contracts.reporting.answer import MARKS, answer, normalisations, state
from llm_contracts.reporting.ci.run_context import RunContext
from llm_contracts.reporting.html.detail import detail
from llm_contracts.reporting.html.index import (
    group_blocks,
    group_rows,
    item_rows,
    matrix,
    provider_rows,
    values_of,
)
from llm_contracts.reporting.item_view import BEST_VIEW
from llm_contracts.reporting.lines import finite, visible
from llm_contracts.results.document import json_text
from llm_contracts.wire.protocols import BUILT_IN, Protocols

_SCRIPTS = ("dom.js", "decisions.js", "lanes.js", "tables.js", "timeline.js", "record.js", "app.js")
_UNSAFE = re.compile("[<>&\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_ALL_IN_FULL = 2_000  # items; beyond, only those that differ are held in full

Guard = Callable[[str, Any], None]
"""Given a name and what the page would hold of it; raises if that must not be."""


def in_full(result: Result) -> tuple[str, ...]:
    """The ids of the items that the page holds in full: all, or of many those with something to see."""
    if len(result.items) <= _ALL_IN_FULL:
        return tuple(item.id for item in result.items)
    return tuple(item.id for item in result.items if state(item) != "agree")


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
    counts = Counter(map(state, result.items)) + Counter(missing=len(result.missing))
    environment = Environment(
        loader=PackageLoader("llm_contracts.reporting.html", "static"),
        autoescape=True,
        undefined=StrictUndefined,
        # Every text that gets into the page shows what it hides; markup of our own passes as it is.
        finalize=lambda value: visible(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
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
        environment.get_template("page.html.j2").generate(
            result=result,
            about=about,
            answer=answer(result, about.everyone),
            counts=[(name, mark, counts[name]) for name, mark in MARKS.items() if counts[name]],
            normalised=normalisations(result.items),
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
