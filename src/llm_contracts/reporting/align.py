"""Which lines of two lanes belong beside each other, quickly even where a stream has thousands of them; and
which words of two texts differ.
"""

from __future__ import annotations

import difflib
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from llm_contracts.parity.compare.finding import first_difference

_THOROUGH = 40_000  # pairs of lines that difflib may look at in one go: at worst it takes the square of that

# Words of scripts that have spaces; one character at a time of those that have none.
_WORD = re.compile(r"[A-Za-z0-9_\u00c0-\u024f\u0370-\u058f]+|.", re.DOTALL)
_LONGEST = 20_000  # words that are compared; beyond, only what begins and ends alike is found

_Point = tuple[int, int]

Pieces = list[str]
"""Shared, own, shared, own, … in turns; any of them may be empty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AlignedBlock:
    """Lines `left_from` to `left_to` of one lane beside lines `right_from` to `right_to` of the other.
    `equal` blocks are as long on either side.
    """

    equal: bool
    left_from: int
    left_to: int
    right_from: int
    right_to: int


def align(left: Sequence[str], right: Sequence[str]) -> tuple[AlignedBlock, ...]:
    """The blocks in order, covering both lanes; equal ones and others take turns.

    Lines that occur once in each lane are fixed points, as in patience diff. What lies between them is
    compared thoroughly where it is short, and line by line where it is not.
    """
    blocks: list[AlignedBlock] = []
    x = y = 0
    for begins, beside, size in (*_matches(left, right), (len(left), len(right), 0)):
        for equal, i, j in ((False, begins, beside), (True, begins + size, beside + size)):
            if (i, j) == (x, y):
                continue
            if blocks and blocks[-1].equal == equal:
                blocks[-1] = replace(blocks[-1], left_to=i, right_to=j)
            else:
                block = AlignedBlock(equal=equal, left_from=x, left_to=i, right_from=y, right_to=j)
                blocks.append(block)
            x, y = i, j
    return tuple(blocks)


def paired(left: Sequence[str], right: Sequence[str]) -> Iterator[tuple[int | None, int | None, bool]]:
    """For each row a line of the left lane, the one beside it (None is a gap), and whether they are equal."""
    for block in align(left, right):
        ours, theirs = range(block.left_from, block.left_to), range(block.right_from, block.right_to)
        yield from ((one, other, block.equal) for one, other in zip_longest(ours, theirs))


def merged(left: Sequence[str], right: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The lines of both: `=` shared, `<` of the left one alone, `>` of the right one alone."""
    for block in align(left, right):
        ours, theirs = left[block.left_from : block.left_to], right[block.right_from : block.right_to]
        if block.equal:
            yield from (("=", line) for line in ours)
        else:
            yield from (("<", line) for line in ours)
            yield from ((">", line) for line in theirs)


def _matches(left: Sequence[str], right: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Runs of equal lines in order: where each begins in either lane, and its length, which may be 0."""
    head = _common(left, right)
    tail = _common(left[head:][::-1], right[head:][::-1])
    ends = (len(left) - tail, len(right) - tail)
    yield 0, 0, head
    a = c = head
    points = _fixed_points(left[head : ends[0]], right[head : ends[1]])
    for b, d, size in (*((head + x, head + y, 1) for x, y in points), (*ends, tail)):
        if (b - a) * (d - c) <= _THOROUGH:
            matcher = difflib.SequenceMatcher(None, left[a:b], right[c:d], autojunk=False)
            yield from ((a + i, c + j, length) for i, j, length in matcher.get_matching_blocks())
        else:
            pairs = enumerate(zip(left[a:b], right[c:d], strict=False))
            yield from ((a + n, c + n, 1) for n, (one, other) in pairs if one == other)
        yield b, d, size
        a, c = b + 1, d + 1


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(left), len(right)))


def _fixed_points(left: Sequence[str], right: Sequence[str]) -> list[_Point]:
    """Places of lines that occur once in each lane, as many of them as are in the same order in both."""
    counts, others = Counter(left), Counter(right)
    places = {line: place for place, line in enumerate(right)}
    found = [
        (place, places[line]) for place, line in enumerate(left) if counts[line] == 1 == others.get(line)
    ]
    ends: list[int] = []  # the lowest place at which an increasing run of each length can end
    last: list[int] = []  # which of `found` that is
    before: list[int] = []
    for number, (_, place) in enumerate(found):
        length = bisect_left(ends, place)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [place]
        last[length : length + 1] = [number]
    points: list[_Point] = []
    number = last[-1] if last else -1
    while number >= 0:
        points.append(found[number])
        number = before[number]
    return points[::-1]


def word_diff(left: str, right: str) -> tuple[Pieces, Pieces]:
    """The pieces of both texts: every even one is shared, every odd one stands in this text alone."""
    ours, theirs = _WORD.findall(left), _WORD.findall(right)
    if max(len(ours), len(theirs)) > _LONGEST:
        return by_ends(left, right)
    one, other = [""], [""]
    for block in align(ours, theirs):
        parts = (ours[block.left_from : block.left_to], theirs[block.right_from : block.right_to])
        for pieces, part in zip((one, other), parts, strict=True):
            if block.equal == bool(len(pieces) % 2):
                pieces[-1] += "".join(part)
            else:
                pieces.append("".join(part))
    return one, other


def by_ends(left: str, right: str) -> tuple[Pieces, Pieces]:
    """As `word_diff`, but only what begins and ends alike is found: at once, however long they are."""
    head = first_difference(left, right)
    room = min(len(left), len(right)) - head
    tail = first_difference(left[::-1][:room], right[::-1][:room])
    one, other = (
        [text[:head], text[head : len(text) - tail], text[len(text) - tail :]] for text in (left, right)
    )
    return one, other
