"""Text that a reader of a stream joins again: the same member of one event after the other.

A model that repeats a key does so token by token, so that no event holds it; whoever joins the deltas has it.
This finds where the parts lie in the bytes. It reads what is damaged as far as it goes, in one pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
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


@dataclass(slots=True)
class _Frame:
    """An open object or array: the member that is being read, and which of many (`index`) it says to be."""

    key: bytes = b""
    index: bytes = b""


@dataclass(slots=True)
class _Leaf:
    """A text, with what it stands in. Which of many that is may be said only after the text."""

    span: Span
    frames: tuple[_Frame, ...]
    keys: tuple[bytes, ...]


class _Stack:
    """The objects and arrays that are open. No answer is nested deeply: what lies below is read as flat."""

    def __init__(self) -> None:
        self._frames: list[_Frame] = []
        self._below = 0

    def clear(self) -> None:
        self._frames, self._below = [], 0

    def nest(self, token: bytes) -> None:
        if token in b"{[":
            if len(self._frames) < _DEEPEST:
                self._frames.append(_Frame())
            else:
                self._below += 1
        elif token in b"}]":
            if self._below:
                self._below -= 1
            elif self._frames:
                self._frames.pop()

    def name(self, key: bytes, index: bytes) -> None:
        if self._frames:
            self._frames[-1].key = key
            self._frames[-1].index = index or self._frames[-1].index

    def leaf(self, span: Span) -> _Leaf:
        return _Leaf(span=span, frames=tuple(self._frames), keys=tuple(frame.key for frame in self._frames))


def runs(data: bytes) -> Iterator[tuple[Span, ...]]:
    """The parts of each text that is given in several, in order: by member and by its `index`, by member
    alone, for streams that count events in their `index`, and all that change from event to event, whatever
    their members are called.
    """
    numbered: dict[object, list[Span]] = {}
    plain: dict[object, list[Span]] = {}
    for leaf in tuple(_leaves(data)):  # all of them first: `index` may stand after its text
        indices = tuple(frame.index for frame in leaf.frames)
        numbered.setdefault((leaf.keys, indices), []).append(leaf.span)
        plain.setdefault(leaf.keys, []).append(leaf.span)
    lines = tuple(match.span(1) for match in _PLAIN_LINE.finditer(data))
    changing = (spans for spans in plain.values() if len(spans) == 1 or _worth_joining(data, spans))
    mixed = tuple(sorted(span for spans in changing for span in spans))
    found = {tuple(spans) for group in (numbered, plain) for spans in group.values()} | {lines, mixed}
    yield from (spans for spans in sorted(found) if _worth_joining(data, spans))


def byte_runs(data: bytes) -> Iterator[tuple[Span, ...]]:
    """Where the numbers of each text lie that is given as bytes, as `logprobs` do beside each token: the
    members `bytes` of one place, one event or token after the other.
    """
    if b'"bytes"' not in data:
        return
    found: dict[object, list[Span]] = {}
    for leaf in _leaves(data, numbers=True):
        if leaf.keys and leaf.keys[-1] == b"bytes":
            indices = tuple(frame.index for frame in leaf.frames)
            found.setdefault((leaf.keys, indices), []).extend(
                match.span() for match in _NUMBER.finditer(data, *leaf.span)
            )
    yield from map(tuple, found.values())


def _worth_joining(data: bytes, spans: Sequence[Span]) -> bool:
    """Several parts that differ: not the id or the model, which every event repeats."""
    return len(spans) > 1 and len({data[start:end] for start, end in spans}) > 1


def _leaves(data: bytes, *, numbers: bool = False) -> Iterator[_Leaf]:
    """Each text, or with `numbers` each list of small numbers instead."""
    stack = _Stack()
    begun: int | None = None  # where the text that is open begins
    for match in _TOKEN.finditer(data):
        token = match.group()
        if token[0] in b"\r\n":
            begun = None  # no text of JSON goes over a line's end
            if max(token.count(b"\n"), token.count(b"\r")) > 1:  # a blank line
                stack.clear()
        elif token[0] == ord('"') and begun is None:
            begun = match.start() + 1
        elif token[0] == ord('"') and begun is not None:
            texts = _text(data, (begun, match.start()), token, stack, match.end())
            yield from (leaf for leaf in texts if not numbers)
            begun = None
        elif begun is None:
            if numbers and token == b"[" and (listed := _NUMBERS.match(data, match.end())):
                yield stack.leaf(listed.span())
            stack.nest(token)


def _text(data: bytes, span: Span, token: bytes, stack: _Stack, after: int) -> Iterator[_Leaf]:
    """A member's name, which is noted, or a text, which is given."""
    if not token.endswith(b":"):
        yield stack.leaf(span)
        return
    key = data[slice(*span)]
    number = _INDEX.match(data, after) if key == b"index" else None
    stack.name(key, number[1] if number else b"")
