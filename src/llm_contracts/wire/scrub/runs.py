"""Text that a reader of a stream joins again: the same member of one event after the other.

A model that repeats a key does so token by token, so that no event holds it; whoever joins the deltas has it.
This finds where the parts lie in the bytes. It reads what is damaged as far as it goes, in one pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Span = tuple[int, int]
"""Where a part begins and ends in the bytes."""

_TOKEN = re.compile(rb'\\.|"(?:[ \t]*:)?|[{}\[\]]|[\r\n]+', re.DOTALL)
_DEEPEST = 32
_INDEX = re.compile(rb"\s{0,8}(\d{1,9})")
_NUMBER = re.compile(rb"\d{1,3}")
_NUMBERS = re.compile(rb"(?:\s{0,8}\d{1,3}\s{0,8},)*\s{0,8}\d{1,3}\s{0,8}(?=\])")
_END = rb"[ \t]*(?=[\r\n]|\Z)"
_JSON_LINE = rb'(?:\{[^\r\n]*\}|\[[^\r\n]*\]|"[^\r\n]*")' + _END
_PLAIN_LINE = re.compile(rb"(?:^|(?<=[\r\n]))data: ?(?!" + _JSON_LINE + rb")(\S[^\r\n]*)")


_MASKED_BYTE = {1: b"0", 2: b"42", 3: b"120"}  # a star where it has room


@dataclass(frozen=True, slots=True)
class Run:
    """The parts of one text, in order; `numbers`: each part is one of its bytes as a decimal number."""

    spans: tuple[Span, ...]
    numbers: bool = False

    def text(self, data: bytes) -> bytes:
        """The text that the parts are of."""
        if self.numbers:
            return bytes(min(int(data[start:end]), 255) for start, end in self.spans)
        return b"".join(data[start:end] for start, end in self.spans)

    def masked(self, data: bytes, mask: Callable[[bytes], bytes], *, seen: bytes) -> bytes:
        """The data with what `mask` changes in the text, which it leaves as long; a number has as many digits
        as before, so that a list of them stays one. `seen`: the data in which the text is looked at.
        """
        text = self.text(seen)
        masked = mask(text)
        if masked == text:
            return data
        result, at = bytearray(data), 0
        for start, end in self.spans:
            size = 1 if self.numbers else end - start
            part = masked[at : at + size]
            if part != text[at : at + size]:
                result[start:end] = _MASKED_BYTE[end - start] if self.numbers else part
            at += size
        return bytes(result)


@dataclass(slots=True)
class _Frame:
    """An open object or array: the member that is being read, which of many (`index`) it says to be, and how
    many objects and arrays have been opened in it.
    """

    key: bytes = b""
    index: bytes = b""
    opened: int = 0


@dataclass(slots=True)
class _Leaf:
    """A text, with what it stands in, and in which place of the innermost list. Which of many that is may be
    said only after the text.
    """

    span: Span
    frames: tuple[_Frame, ...]
    keys: tuple[bytes, ...]
    place: int


def runs(data: bytes) -> Iterator[Run]:
    """The parts of each text that is given in several, in order: by member and by its `index`, by member and
    place in a list, as `top_logprobs` are, by member alone, for streams that count events in their `index`,
    and all that change from event to event, whatever their members are called.
    """
    plain: dict[object, list[Span]] = {}
    grouped: dict[object, list[Span]] = {}
    for leaf in tuple(_leaves(data)):  # all of them first: `index` may stand after its text
        plain.setdefault(leaf.keys, []).append(leaf.span)
        for group in _groups(leaf):
            grouped.setdefault(group, []).append(leaf.span)
    lines = tuple(match.span(1) for match in _PLAIN_LINE.finditer(data))
    changing = (spans for spans in plain.values() if len(spans) == 1 or _worth_joining(data, spans))
    mixed = tuple(sorted(span for spans in changing for span in spans))
    found = {*map(tuple, plain.values()), *map(tuple, grouped.values()), lines, mixed}
    yield from (Run(spans) for spans in sorted(found) if _worth_joining(data, spans))


def byte_runs(data: bytes) -> Iterator[Run]:
    """Where the numbers of each text lie that is given as bytes, as `logprobs` do beside each token and Node
    in its buffers: the lists of one member, one event or token after the other.
    """
    found: dict[object, list[Span]] = {}
    for leaf in _leaves(data, numbers=True):
        numbers = [match.span() for match in _NUMBER.finditer(data, *leaf.span)]
        for group in _groups(leaf):
            found.setdefault(group, []).extend(numbers)
    yield from (Run(spans, numbers=True) for spans in dict.fromkeys(map(tuple, found.values())))


def alternatives(data: bytes) -> Mapping[Span, Sequence[Span]]:
    """Each text or list of bytes → where it is said again by the same member deeper in the same object, as
    `top_logprobs` do with the token that was chosen.
    """
    if b'"top_logprobs"' not in data:
        return {}
    found: dict[Span, list[Span]] = {}
    for numbers in (False, True):
        said: dict[object, Span] = {}
        leaves = tuple(_leaves(data, numbers=numbers))
        for leaf in leaves:
            if leaf.frames:
                said[id(leaf.frames[-1]), leaf.keys[-1], data[slice(*leaf.span)]] = leaf.span
        for leaf in leaves:
            for frame in leaf.frames[:-1]:
                first = said.get((id(frame), leaf.keys[-1], data[slice(*leaf.span)]))
                if first is not None:
                    found.setdefault(first, []).append(leaf.span)
    return found


def _groups(leaf: _Leaf) -> tuple[object, object]:
    """What a text is joined by, beside its members: the `index` of each object, and the place in a list."""
    return (leaf.keys, tuple(frame.index for frame in leaf.frames)), (leaf.keys, leaf.place)


def _worth_joining(data: bytes, spans: Sequence[Span]) -> bool:
    """Several parts that differ: not the id or the model, which every event repeats."""
    return len(spans) > 1 and len({data[start:end] for start, end in spans}) > 1


def _leaves(data: bytes, *, numbers: bool = False) -> Iterator[_Leaf]:
    """Each text, or with `numbers` each list of small numbers instead."""
    frames: list[_Frame] = []  # the objects and arrays that are open
    below = 0  # and how many more: no answer is nested deeply, so what lies below is read as flat
    begun: int | None = None  # where the text that is open begins
    for match in _TOKEN.finditer(data):
        token = match.group()
        if token[0] in b"\r\n":
            begun = None  # no text of JSON goes over a line's end
            if max(token.count(b"\n"), token.count(b"\r")) > 1:  # a blank line
                frames, below = [], 0
        elif token[0] == ord('"') and begun is None:
            begun = match.start() + 1
        elif token[0] == ord('"') and begun is not None:
            span, begun = (begun, match.start()), None
            if token.endswith(b":"):
                _name(frames, data, span, match.end())
            elif not numbers:
                yield _leaf(frames, span)
        elif begun is None:
            if numbers and token == b"[" and (listed := _NUMBERS.match(data, match.end())):
                yield _leaf(frames, listed.span())
            below = _nested(frames, below, token)


def _nested(frames: list[_Frame], below: int, token: bytes) -> int:
    """Open or end what the token does, in `frames` or in what lies below them; how many lie there then."""
    if token in b"{[":
        if len(frames) == _DEEPEST:
            return below + 1
        if frames:
            frames[-1].opened += 1
        frames.append(_Frame())
    elif token in b"}]":
        if below:
            return below - 1
        del frames[-1:]
    return below


def _name(frames: list[_Frame], data: bytes, span: Span, after: int) -> None:
    """Note the member whose name stands there."""
    if frames:
        key = frames[-1].key = data[slice(*span)]
        if key == b"index" and (number := _INDEX.match(data, after)):
            frames[-1].index = number[1]


def _leaf(frames: list[_Frame], span: Span) -> _Leaf:
    place = frames[-2].opened if len(frames) > 1 else 0
    keys = tuple(frame.key for frame in frames)
    return _Leaf(span=span, frames=tuple(frames), keys=keys, place=place)
