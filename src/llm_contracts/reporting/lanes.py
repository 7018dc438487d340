"""What two clients did, side by side, as text that a person can review in a diff.

Pure: the same item always gives the same text. Nothing in it depends on clocks, ports or the ids a provider
makes up, so that recording again changes only what the provider now answers differently.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from rich.cells import cell_len

from llm_contracts.clients.observation import Observation
from llm_contracts.parity.result import Item
from llm_contracts.reporting.align import merged
from llm_contracts.reporting.item_view import ItemView, item_view
from llm_contracts.reporting.lines import compact, digest, distinct, usage_line
from llm_contracts.results.document import outcome

_LANE = 44  # terminal cells; a longer line pushes the divider to the right rather than losing its end
_GAP = "·"
_SHOWN = 3  # equal chunks shown at either end of a folded run
_ID = re.compile(
    r"\b(?:chatcmpl|resp|req|msg|as|gen)-[\w-]+|\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b",
    re.IGNORECASE,
)


def render_lanes(item: Item) -> str:
    """One recording's review text: requests, chunks, totals, telemetry, errors and divergences.

    Lines of the reference stand left, or are marked `<`; those of the candidate stand right, or are marked
    `>`; what both share is marked `=`.
    """
    view = item_view(item)
    if view is None:
        return f"# {item.id}\n\nnot compared: {item.problem}\n"
    both = view.reference, view.candidate
    sections: tuple[tuple[str, Iterable[str]], ...] = (
        ("requests", (line for each in view.requests for line in _signed(each.lines(0), each.lines(1)))),
        ("chunks", _chunks(view)),
        ("totals", _signed(*map(_totals, both))),
        ("telemetry", _signed(view.telemetry_lines(1), view.telemetry_lines(2))),
        ("divergences", _divergences(item)),
    )
    lines = [f"# {item.id} ({item.provenance})", f"# {view.reference.client} | {view.candidate.client}"]
    for title, found in sections:
        lines += ["", f"[{title}]", *(list(found) or ["none"])]
    seen: dict[str, str] = {}  # ids in the order of first appearance: which are equal still shows
    return _ID.sub(lambda id_: seen.setdefault(id_[0], f"<id {len(seen) + 1}>"), "\n".join(lines) + "\n")


def _signed(left: list[str], right: list[str]) -> Iterator[str]:
    return (f"{sign} {line}" for sign, line in merged(left, right))


def _chunks(view: ItemView) -> Iterator[str]:
    left, right = view.lines
    for equal, run in groupby(view.chunk_rows, lambda row: row.equal):
        lines = []
        for row in run:
            ours = _GAP if row.left is None else left[row.left]
            theirs = _GAP if row.right is None else right[row.right]
            ours, theirs = distinct(ours, theirs)
            # Chinese and emoji fill two cells each: padding by characters would bend the divider.
            padding = " " * max(_LANE - cell_len(ours), 0)
            lines.append(f"{ours}{padding} {'=' if equal else '|'} {theirs}")
        folded = len(lines) - 2 * _SHOWN
        if equal and folded >= _SHOWN:
            lines[_SHOWN:-_SHOWN] = [f"= {folded} equal chunks"]
        yield from lines


def _totals(seen: Observation) -> list[str]:
    lines = [
        f"text: {len(seen.text)} characters in {len(seen.deltas)} deltas, sha256 {digest(seen.text.encode())}"
    ]
    lines += [f"reasoning: {len(seen.reasoning)} characters"] if seen.reasoning else []
    lines.append(f"finish: {', '.join(seen.finish_reasons) or 'none'}")
    lines.append(f"usage: {', '.join(map(usage_line, seen.reported_usage)) or 'none'}")
    failure = (outcome(seen) or {}).get("failure")
    return [*lines, f"requests: {len(seen.requests)}", f"error: {compact(failure) if failure else 'none'}"]


def _divergences(item: Item) -> Iterator[str]:
    for divergence in item.divergences:
        both = f"{compact(divergence.reference)} | {compact(divergence.candidate)}"
        yield f"{divergence.severity} {divergence.kind} at {divergence.where}: {both}"
        if divergence.fingerprint in item.waived:
            yield f"    waived: {item.waived[divergence.fingerprint]}"
