"""How late the candidate hands on what somebody waits for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from llm_contracts.clients.observation import Chunk, Observation
from llm_contracts.parity.compare.finding import Finding, Findings, ObservationPair
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.normalise import Normalisation
from llm_contracts.wire.protocols import GENERIC


def compare_lateness(pair: ObservationPair) -> Findings:
    """What the candidate hands on after more events had been sent than the reference needed: text, reasoning
    and arguments of tool calls; each event of an API that nobody knows, where both hand on as many.

    Compared by characters, so that differently cut pieces can be held against each other. Only the first
    place and the number are given: something that buffers is late everywhere.
    """
    if all(map(_calls_at_once, pair.sides)):
        yield Finding(kind=Normalisation.CALLS_AT_ONCE)
        return
    alike = len(pair.reference.chunks) == len(pair.candidate.chunks)
    unknown = alike and pair.final is not None and pair.final.protocol == GENERIC
    for place, said in (_AWAITED | _UNKNOWN if unknown else _AWAITED).items():
        one, other = (_arrivals(side.chunks, said) for side in pair.sides)
        late = list(_late(one, other))
        if late:
            index, ours, theirs = late[0]
            yield Finding(
                kind=Kind.DELIVERY_LAG,
                where=f"{place}[{index}]",
                reference={"event": ours},
                candidate={"event": theirs, "late": len(late)},
                unstable=True,
            )
            return


def _calls_at_once(side: Observation) -> bool:
    unknown = any(chunk.position is None for chunk in side.chunks)
    return unknown and len({request.body for request in side.requests}) > 1


_AWAITED: dict[str, Callable[[Chunk], int]] = {
    "delta": lambda chunk: len(chunk.text) + len(chunk.extra.get("refusal") or ""),
    "reasoning.delta": lambda chunk: len(chunk.reasoning),
    "tool_calls.arguments.delta": lambda chunk: sum(
        len(str(call.get("arguments", ""))) for call in chunk.tool_calls
    ),
    "choices.delta": lambda chunk: sum(len(other.get("text", "")) for other in chunk.others),
}
"""What a user or an agent waits for, and how many characters of it a chunk brings."""

_UNKNOWN: dict[str, Callable[[Chunk], int]] = {"item": lambda _chunk: 1}


def _late(ours: list[tuple[int, int]], theirs: list[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    ends = [end for end, _ in theirs]
    for index, (end, position) in enumerate(ours):
        found = bisect_left(ends, end)
        if found < len(theirs) and theirs[found][1] > position:
            yield index, position, theirs[found][1]


def _arrivals(chunks: Sequence[Chunk], said: Callable[[Chunk], int]) -> list[tuple[int, int]]:
    """For each piece: characters handed on including it, and events that had been sent by then."""
    pieces = [chunk for chunk in chunks if said(chunk)]
    ends = accumulate(map(said, pieces))
    timed = zip(ends, pieces, strict=True)
    return [(end, chunk.position) for end, chunk in timed if chunk.position is not None]
