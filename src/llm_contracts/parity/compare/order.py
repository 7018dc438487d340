"""Where the parts of an answer stand among each other: text, reasoning, tool calls, finish reason, usage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llm_contracts.clients.observation import Chunk
from llm_contracts.parity.compare.finding import Finding, Findings, ObservationPair, first_difference
from llm_contracts.parity.divergence import Kind

_PARTS = ("reasoning", "text", "tool_calls", "finish_reason", "usage")
"""In the order in which they count within one chunk: on one chunk or on several is shape."""

_REPEATED = ("finish_reason", "usage")
"""Come once: again in another chunk is another order. The others come in pieces."""

_SHOWN = 6


def compare_order(pair: ObservationPair) -> Findings:
    """`order` where both hand the same parts on, but not in the same order or not as often."""
    yield from _events(pair)
    ours, theirs = (
        [part for chunk in side.chunks for part in _PARTS if getattr(chunk, part)] for side in pair.sides
    )
    both = set(ours) & set(theirs)
    ours, theirs = (list(_runs([part for part in side if part in both])) for side in (ours, theirs))
    if ours == theirs:
        yield from _role(pair, {"role", *both})
        return
    index = first_difference(ours, theirs)
    yield from _moved(pair, next(iter([*theirs[index : index + 1], *ours[index : index + 1]])), ours, theirs)


def _moved(pair: ObservationPair, part: str, ours: list[str], theirs: list[str]) -> Findings:
    if ours != theirs and not pair.excuses_rest(ours, theirs):
        one, other = (_shown(side, first_difference(ours, theirs)) for side in (ours, theirs))
        yield Finding(kind=Kind.ORDER, where=f"order.{part}", reference=one, candidate=other)


def _events(pair: ObservationPair) -> Findings:
    """The kinds of events in order, where an API names them (`response.created`): who waits for one that does
    not come waits for ever.
    """
    ours, theirs = (list(_kinds(side.chunks)) for side in pair.sides)
    if ours and theirs:
        yield from _moved(pair, "type", ours, theirs)


def _kinds(chunks: Sequence[Chunk]) -> Iterator[str]:
    """The kind of each event; of the pieces in which something comes, that of the first."""
    before = ""
    for chunk in chunks:
        if not chunk.is_event:
            continue
        kind = chunk.rest.get("type")
        kind = kind if isinstance(kind, str) else "event"
        if kind != before or not (chunk.text or chunk.reasoning or chunk.tool_calls):
            yield kind
        before = kind


def _role(pair: ObservationPair, both: set[str]) -> Findings:
    """The role comes first: whoever reads it there misses one that comes later."""
    ours, theirs = (
        [part for chunk in side.chunks for part in ("role", *_PARTS) if part in both and getattr(chunk, part)]
        for side in pair.sides
    )
    if ours[:1] == ["role"] != theirs[:1] and "role" in theirs:
        yield Finding(kind=Kind.ORDER, where="order.role", reference="role", candidate=_shown(theirs, 0))


def _runs(parts: Sequence[str]) -> Iterator[str]:
    before = ""
    for part in parts:
        if part != before or part in _REPEATED:
            yield part
        before = part


def _shown(parts: list[str], index: int) -> str:
    start = max(0, index - 1)
    shown = parts[start : start + _SHOWN]
    more = ("… " if start else "", " …" if len(parts) > start + _SHOWN else "")
    return f"{more[0]}{', '.join(shown)}{more[1]}"
