"""Which lines of two lanes belong beside each other, quickly even where a stream has thousands of them."""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

_THOROUGH = 40_000  # pairs of lines that difflib may look at in one go: at worst it takes the square of that

_Point = tuple[int, int]


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
    return tuple(_merged(_pieces(left, right)))


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


def _pieces(left: Sequence[str], right: Sequence[str]) -> Iterator[AlignedBlock]:
    head = _common(left, right)
    tail = _common(left[head:][::-1], right[head:][::-1])
    ends = (len(left) - tail, len(right) - tail)
    yield _block((0, 0), (head, head), equal=True)
    at = (head, head)
    for x, y in _fixed_points(left[head : ends[0]], right[head : ends[1]]):
        point = (head + x, head + y)
        yield from _between(left, right, at, point)
        at = (point[0] + 1, point[1] + 1)
        yield _block(point, at, equal=True)
    yield from _between(left, right, at, ends)
    yield _block(ends, (len(left), len(right)), equal=True)


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


def _between(left: Sequence[str], right: Sequence[str], start: _Point, end: _Point) -> Iterator[AlignedBlock]:
    (a, c), (b, d) = start, end
    if (b - a) * (d - c) <= _THOROUGH:
        matcher = difflib.SequenceMatcher(None, left[a:b], right[c:d], autojunk=False)
        for tag, i, j, k, m in matcher.get_opcodes():
            yield _block((a + i, c + k), (a + j, c + m), equal=tag == "equal")
        return
    for offset in range(min(b - a, d - c)):
        point = (a + offset, c + offset)
        yield _block(point, (point[0] + 1, point[1] + 1), equal=left[point[0]] == right[point[1]])
    done = min(b - a, d - c)
    yield _block((a + done, c + done), end, equal=False)


def _block(start: _Point, end: _Point, *, equal: bool) -> AlignedBlock:
    return AlignedBlock(equal=equal, left_from=start[0], left_to=end[0], right_from=start[1], right_to=end[1])


def _merged(pieces: Iterator[AlignedBlock]) -> Iterator[AlignedBlock]:
    """Without empty blocks, and neighbours of a kind put together."""
    held: AlignedBlock | None = None
    for piece in pieces:
        if piece.left_from == piece.left_to and piece.right_from == piece.right_to:
            continue
        if held is not None and held.equal == piece.equal:
            held = replace(held, left_to=piece.left_to, right_to=piece.right_to)
            continue
        if held is not None:
            yield held
        held = piece
    if held is not None:
        yield held
