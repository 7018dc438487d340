"""Writes `docs/ledger.md` from the table: `python -m tests.contracts.defects.page docs/ledger.md`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from tests.contracts.clients import CLIENTS
from tests.contracts.defects.defect import Defect, sentence
from tests.contracts.defects.generated import generated
from tests.contracts.defects.handmade_apis import HANDMADE_DEFECTS, HARMLESS_OF_GENERIC
from tests.contracts.defects.harmless import CONVERSIONS, SCENARIOS, TRANSPORTS
from tests.contracts.defects.ledger import ELSEWHERE, IDS, SHIPPED, THOUGHT_UP
from tests.contracts.defects.other_apis import API_DEFECTS
from tests.contracts.defects.wrong_clients import wrong_clients

_INTRODUCTION = """\
# The ledger: known defects, and what notices each

Made by `python -m tests.contracts.defects.page docs/ledger.md` from `tests/contracts/defects/`; a test fails
when it is out of date.

Each defect is put back as a broken variant of the new client, composed around its parts, and played the
recording named here. The check must report exactly the kinds and places listed, and without the defect
nothing. A variant is held against the legacy client; where that has the fault as well, or never had what is
broken, it is held against the new client as it was reviewed.
"""

_SHIPPED = """\
## Shipped once

A move to LiteLLM has been made before, without a parity suite, and was cut over with these defects.
"""

_THOUGHT_UP = """\
## Thought up

Nobody is known to have shipped these, and anybody might. The last ones are about what our own calls have no
place for (tool calls, reasoning, the serving model's name): there the bare stream of the SDK is broken.
"""

_MADE = """\
## Made by the dozen

Each leaf of the chunks of some streams is dropped or changed, each part moved or doubled, and the
difference must be reported as its kind.
"""

_WRONG = """\
## Wrong in what they do

Clients that hand on the right chunks and do something else that they should not.
"""

_OTHER_APIS = """\
## Clients of other APIs

Put into the bare stream of OpenAI's, Anthropic's or Google's SDK, and played what the simulator says; of
completions, listings and the API that nobody has described, answers in the shapes that documentation gives.
What is said again of the same fault in the SDK's own fields is not listed.
"""

_HARMLESS = """\
## Harmless

Clients that do the same in another way. None of them may be reported as anything that a person would have
to look at. Each way of handing chunks on is played with each form of them.
"""

_HEAD = ("id", "defect", "caught by", "reported as", "where")


def page() -> str:
    """The whole page."""
    shown = [*map(_row, SHIPPED), *_elsewhere()]
    parts = (
        _INTRODUCTION,
        _SHIPPED,
        _table(_HEAD, sorted(shown, key=lambda row: IDS.index(row[0]))),
        _THOUGHT_UP,
        _table(_HEAD, map(_row, THOUGHT_UP)),
        _MADE,
        _table(("stream", "reported as", "defects", "number"), _made()),
        _WRONG,
        _table(
            ("client", "reported as", "where"),
            (
                (wrong.name.replace("_", " "), f"`{wrong.kind}`", f"`{wrong.where}`")
                for wrong in wrong_clients()
            ),
        ),
        _OTHER_APIS,
        _table(("API", *_HEAD[1:]), _other_apis()),
        _HARMLESS,
        _table(("handed on", "forms", "clients"), _harmless()),
    )
    return "\n".join(parts)


def _made() -> Iterator[tuple[str, ...]]:
    found: dict[tuple[str, str], list[str]] = {}
    for defect in generated():
        found.setdefault((defect.scenario, str(defect.kind)), []).append(defect.what)
    for (scenario, kind), made in found.items():
        yield f"`{scenario}`", f"`{kind}`", "; ".join(made), str(len(made))


def _harmless() -> Iterator[tuple[str, ...]]:
    forms = ", ".join(convert.__name__.replace("_", " ") for convert in CONVERSIONS)
    for transport in TRANSPORTS:
        number = len(CONVERSIONS) * len(SCENARIOS)
        yield transport.__name__.replace("_", " "), forms, str(number)
    for dialect in (*dict.fromkeys(one.api.dialect for one in API_DEFECTS), "completions"):
        yield f"plainly, by the SDK of {dialect}", f"{forms}, as base64", str(len(CONVERSIONS) + 1)
    own = ", ".join(form.__name__.replace("_", " ") for form in HARMLESS_OF_GENERIC)
    yield (
        "as bytes or documents, by httpx, of an API that nobody has described",
        own,
        str(len(HARMLESS_OF_GENERIC)),
    )


def _other_apis() -> Iterator[tuple[str, ...]]:
    for one in (*API_DEFECTS, *HANDMADE_DEFECTS):
        what = sentence(one.fault)
        yield one.api.dialect, what, f"`{one.script}`", f"`{one.kind}`", f"`{one.where}`"


def _row(defect: Defect) -> tuple[str, ...]:
    by_kind = [(kind, list(found)) for kind, found in groupby(defect.reported, key=lambda report: report[0])]
    kinds = ", ".join(f"`{kind}`" for kind, _ in by_kind)
    places = ", ".join(f"`{where}`" for _, found in by_kind for _, where in found)
    return defect.id, defect.what, _scenario(defect), kinds, places


def _scenario(defect: Defect) -> str:
    changes = [f"{name} {_plain(value)}" for name, value in defect.asked.items()]
    played = sentence(defect.played)
    both = "both clients have it" if defect.shared else ""
    reviewed = "against the new client" if defect.against == CLIENTS["adapter-litellm"] else ""
    more = "; ".join(part for part in (*changes, played, both, reviewed) if part)
    return f"`{defect.scenario}`" + (f" ({more})" if more else "")


def _plain(value: object) -> str:
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value, ensure_ascii=False)}`"


def _elsewhere() -> Iterator[tuple[str, ...]]:
    for row in ELSEWHERE:
        yield row.id, row.what, f"`{row.proof}`", row.sign, ""


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, tuple("---" for _ in head), *rows)
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
