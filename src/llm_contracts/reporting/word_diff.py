"""Which words of two texts differ: as pieces that are shared and pieces that are not, in turns."""

from __future__ import annotations

import re

from llm_contracts.parity.compare.finding import first_difference
from llm_contracts.reporting.align import align

Pieces = list[str]
"""Shared, own, shared, own, … in turns; any of them may be empty."""

# Words of scripts that have spaces; one character at a time of those that have none.
_WORD = re.compile(r"[A-Za-z0-9_\u00c0-\u024f\u0370-\u058f]+|.", re.DOTALL)
_LONGEST = 20_000  # words that are compared; beyond, only what begins and ends alike is found


def word_diff(left: str, right: str) -> tuple[Pieces, Pieces]:
    """The pieces of both texts: every even one is shared, every odd one stands in this text alone."""
    ours, theirs = _WORD.findall(left), _WORD.findall(right)
    if max(len(ours), len(theirs)) > _LONGEST:
        return by_ends(left, right)
    one, other = [""], [""]
    for block in align(ours, theirs):
        parts = (ours[block.left_from : block.left_to], theirs[block.right_from : block.right_to])
        for pieces, part in zip((one, other), parts, strict=True):
            _extend(pieces, "".join(part), shared=block.equal)
    return one, other


def _extend(pieces: Pieces, text: str, *, shared: bool) -> None:
    if shared == bool(len(pieces) % 2):
        pieces[-1] += text
    else:
        pieces.append(text)


def by_ends(left: str, right: str) -> tuple[Pieces, Pieces]:
    """As `word_diff`, but only what begins and ends alike is found: at once, however long they are."""
    head = first_difference(left, right)
    room = min(len(left), len(right)) - head
    tail = first_difference(left[::-1][:room], right[::-1][:room])
    one, other = (
        [text[:head], text[head : len(text) - tail], text[len(text) - tail :]] for text in (left, right)
    )
    return one, other
