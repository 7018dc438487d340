"""Which of many values may stand in some bytes, found in one pass over them however many values there are.

A value in any of its forms holds some of its characters, or of its base64's or its hexadecimal digits, one
after the other. So each value is filed under windows of six of them, and only what has a window in the bytes
is looked for by its patterns, which cost far more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from llm_contracts.wire.scrub.forms import LINE_END, NUL, base64_cores, escapes, missing

_SIZE = 6
_EATEN = 5  # `\u0041`: what stands before a value may take this many of its first characters for an escape's
_PLAIN_RUN = re.compile(rb"[A-Za-z0-9._~-]{%d,}" % (_SIZE + _EATEN))
_BASE64_RUN = re.compile(rb"[A-Za-z0-9]{%d,}" % _SIZE)
_ESCAPED = re.compile(
    rb"=([0-9A-Fa-f]{2})|"
    + escapes(rb"([0-9A-Fa-f]{2})")
    + rb"|&(?:amp;){0,3}#0{0,6}(?P<decimal>[0-9]{2,3});?"
)
_FOLDED = re.compile(LINE_END + rb"|=\r?\n")
_NUL = re.compile(NUL)
_BETWEEN_DIGITS = bytes(set(range(256)) - set(b"0123456789abcdef"))


class Candidates:
    """Values, filed under their windows."""

    def __init__(self) -> None:
        self._always: list[str] = []
        self._filed: dict[bytes, set[str]] = {}

    def add(self, value: str) -> None:
        """File a value. One without a window that every form shows is always looked for."""
        windows = _windows(value.strip('"\\'))
        if windows is None:
            self._always.append(value)
        for window in windows or ():
            self._filed.setdefault(window, set()).add(value)

    def among(self, data: bytes) -> set[str]:
        """The values that may stand in the data; each that does is among them."""
        found = set(self._always)
        for text in _views(data) if self._filed else ():
            for start in range(len(text) - _SIZE + 1):
                if (window := text[start : start + _SIZE]) in self._filed:
                    found |= self._filed[window]
        return found


def _windows(value: str) -> set[bytes] | None:
    """One of the value's own characters, one of its digits, one of each of its base64 forms."""
    spare = missing(value)
    always_there = value[spare : len(value) - spare]
    plain = _PLAIN_RUN.findall(always_there.encode("utf-8", "surrogatepass"))
    coded = [_BASE64_RUN.findall(core) for core in base64_cores(value)]
    if not plain or not all(coded):
        return None
    # From the end: credentials of one kind begin alike.
    digits = value.encode("utf-8", "surrogatepass").hex()[-_SIZE:].encode()
    return {digits, *(found[-1][-_SIZE:] for found in (plain, *coded))}


def _views(data: bytes) -> Iterator[bytes]:
    """The data, as it is and as readers of its forms see it."""
    plain = _ESCAPED.sub(_character, data)
    folded = {text: _FOLDED.sub(b"", text) for text in {data, plain}}
    hexadecimal = data.lower().replace(b"0x", b"").translate(None, _BETWEEN_DIGITS)
    narrow = _NUL.sub(b"", data)
    yield from {data, plain, *folded.values(), hexadecimal, narrow}


def _character(match: re.Match[bytes]) -> bytes:
    """What is escaped, if it is one of those that windows are made of."""
    digits = next(group for group in match.groups() if group is not None)
    number = int(digits, 10 if match["decimal"] else 16)
    character = bytes((number % 256,))
    return character if character.isalnum() or character in b"._~-" else match[0]
