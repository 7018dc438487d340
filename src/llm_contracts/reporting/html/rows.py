"""Three lanes as rows: what the reference handed on, what was on the wire, what the candidate handed on."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

from llm_contracts.clients.observation import Chunk
from llm_contracts.reporting.align import align
from llm_contracts.reporting.html.marks import marked
from llm_contracts.reporting.html.wire_lane import WireEvent
from llm_contracts.reporting.lanes import chunk_line

Pair = tuple[int | None, int | None, bool]
"""A chunk of the reference, the candidate's beside it, and whether they are alike."""

Row = dict[str, Any]


def rows(left: Sequence[Chunk], wire: Sequence[WireEvent], right: Sequence[Chunk]) -> list[Row]:
    """The rows in order.

    The clients' chunks are aligned with each other; each row then takes the events up to the one that its
    chunks were made from. A row's fields: `l`, `r` (places in the lanes), `w` (first event and the one after
    the last), `eq`, and where two texts differ `lm`, `rm`: their pieces, see `marks`.
    """
    pairs = tuple(_pairs([chunk_line(chunk) for chunk in left], [chunk_line(chunk) for chunk in right]))
    origins = (_origins(left, wire), _origins(right, wire))
    found: list[Row] = []
    done = 0
    for one, other, equal in pairs:
        known = [
            origin[place] for origin, place in zip(origins, (one, other), strict=True) if place is not None
        ]
        upto = max((event + 1 for event in known if event is not None), default=done)
        row: Row = {"l": one, "r": other, "eq": equal, "w": [done, max(done, upto)]}
        if not equal and one is not None and other is not None:
            row["lm"], row["rm"] = marked(left[one].text, right[other].text)
        found.append(row)
        done = row["w"][1]
    if done < len(wire):
        found.append({"l": None, "r": None, "eq": True, "w": [done, len(wire)]})
    return found


def _pairs(left: Sequence[str], right: Sequence[str]) -> Iterator[Pair]:
    for block in align(left, right):
        ours, theirs = range(block.left_from, block.left_to), range(block.right_from, block.right_to)
        for number in range(max(len(ours), len(theirs))):
            yield (
                ours[number] if number < len(ours) else None,
                theirs[number] if number < len(theirs) else None,
                block.equal,
            )


def _origins(lane: Sequence[Chunk], wire: Sequence[WireEvent]) -> list[int | None]:
    """For each chunk the event it was made from: the one that says the same, else the one with which as much
    text had been sent as the client had handed on; None where neither is to be found.
    """
    lines = [chunk_line(event.chunk) if event.chunk else event.data for event in wire]
    found: list[int | None] = [None] * len(lane)
    for block in align([chunk_line(chunk) for chunk in lane], lines):
        if block.equal:
            found[block.left_from : block.left_to] = range(block.right_from, block.right_to)
    sent = list(accumulate(_characters(event.chunk) for event in wire))
    handed = accumulate(map(_characters, lane))
    for place, (chunk, characters) in enumerate(zip(lane, handed, strict=True)):
        if found[place] is None and _characters(chunk) and sent and characters <= sent[-1]:
            found[place] = bisect_left(sent, characters)
    return found


def _characters(chunk: Chunk | None) -> int:
    return len(chunk.text) + len(chunk.reasoning) if chunk else 0
