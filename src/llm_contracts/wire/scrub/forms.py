"""The forms in which a value can stand in bytes, as patterns that know each of them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote

_SHORTEST = 6
_LONG = 20  # what is left of these cannot be taken for a word

# Every repetition has a limit: a body of a million backslashes must not take a million looks at each of them.
_BACKSLASHES = rb"\\{1,16}"
_ENTITIES = {'"': b"quot", "&": b"amp", "<": b"lt", ">": b"gt", "'": b"apos"}
_LETTERS = {"\n": b"n", "\r": b"r", "\t": b"t", "\b": b"b", "\f": b"f"}
# JSON within JSON doubles what escapes, at every level again; a lone one belongs to what follows it.
_PLAIN = {
    "\\": rb"\\{16}|\\{8}|\\{4}|\\{2}|\\",
    '"': rb'(?:\\{15}|\\{7}|\\{3}|\\)?"',
    "/": rb"\\{0,16}/",
    " ": rb" |\+",
}
_SPECIAL_DIGITS = {
    ord("+"): rb"(?:[+-]|%(?:25){0,4}2[bBdD]|\\{1,8}u002[bBdD])",
    ord("/"): rb"(?:\\{0,8}/|_|%(?:25){0,4}2[fF]|%(?:25){0,4}5[fF]|\\{1,8}u00(?:2|5)[fF])",
}
LINE_END = rb"(?:[\r\n]{1,2} {0,80}|(?:\\{1,4}[rn]){1,2})"

APART = rb"(?:[^0-9A-Za-z]|(?<=\\)[nrt])"  # a sign between numbers, or part of one that JSON escapes
BETWEEN = rb"(?:" + APART + rb"{0,8}(?:0?[xX])?)"  # `73:6b`, `73\n6b`, `"0x73", "0x6b"`, `\x73\x6b`
_WIDE = {"utf-16-le": 1, "utf-16-be": 1, "utf-32-le": 3, "utf-32-be": 3}  # and how many zeros a letter has
NUL = rb"(?:\0|\\{1,8}(?:u0000|x00))"
_SOFT_BREAK = rb"(?:=\r?\n)?"  # of quoted-printable


def escapes(digits: bytes) -> bytes:
    """A pattern of each way to escape a byte whose two hexadecimal digits match: of URLs, of JSON and other
    languages, at any depth of nesting, and of HTML.
    """
    return (
        rb"(?:%%(?:25){0,4}(?:u00)?%b|\\{1,16}(?:(?:u00|x)%b|[ux]\{0{0,4}%b\}|U0{6}%b)|&(?:amp;){0,3}#[xX]0{0,6}%b;?)"
        % ((digits,) * 5)
    )


@lru_cache(maxsize=512)
def patterns(value: str) -> tuple[re.Pattern[bytes], ...]:
    """Patterns that find a value: raw, percent-encoded, as HTML or JSON writes it (any character escaped, at
    any depth of nesting), as quoted-printable, in UTF-16, inside base64 at any alignment and folded over
    lines (also percent-encoded before that), and as hexadecimal digits, also with something between the
    bytes. A long value is also found where its first or last few characters are missing.

    None for a value of fewer than six characters, or of one repeated character: it occurs by accident in any
    text, and hiding it would ruin recordings without protecting anything.
    """
    value = value.strip('"\\')  # they open nothing, and may be those of a JSON text around it
    if len(value) < _SHORTEST or len(set(value)) == 1:
        return ()
    raw = value.encode("utf-8", "surrogatepass")
    sources = (
        _cut_short(value),
        *map(_base64, base64_cores(value)),
        BETWEEN.join(_anycase(f"{byte:02x}") for byte in raw),
        *(_wide(value.encode(coding, "surrogatepass"), zeros) for coding, zeros in _WIDE.items()),
        _SOFT_BREAK.join(map(_printable, raw)),
    )
    return tuple(re.compile(source) for source in dict.fromkeys(sources))


def missing(value: str) -> int:
    """How many characters may be missing at either end: an eighth of a long value, eight at the most; none
    where one of them may be taken for what ends a JSON text.
    """
    spare = min(len(value) // 8, 8) if len(value) >= _LONG else 0
    ends = value[:spare] + value[len(value) - spare :]
    return 0 if '"' in ends or "\\" in ends else spare


def _cut_short(value: str) -> bytes:
    characters = tuple(map(_character, value))
    spare = missing(value)
    before, after = b"", b""
    for character in characters[:spare]:
        before = b"(?:" + before + character + b")?"
    for character in reversed(characters[len(characters) - spare :]):
        after = b"(?:" + character + after + b")?"
    return before + b"".join(characters[spare : len(characters) - spare]) + after


def _character(character: str) -> bytes:
    """One character, in any of its forms."""
    raw = character.encode("utf-8", "surrogatepass")
    named = _ENTITIES.get(character)
    forms = [
        _PLAIN.get(character, re.escape(raw)),
        b"".join(escapes(_anycase(f"{byte:02x}")) for byte in raw),
        rb"&(?:amp;){0,3}(?:#0{0,6}%d;?%b)" % (ord(character), b"" if named is None else rb"|%b;" % named),
    ]
    if not character.isascii():
        units = character.encode("utf-16-be", "surrogatepass").hex()
        parts = (_anycase(units[start : start + 4]) for start in range(0, len(units), 4))
        forms.append(b"".join(_BACKSLASHES + b"u" + part for part in parts))
        forms.append(rb"&(?:amp;){0,3}#[xX]0{0,6}" + _anycase(f"{ord(character):x}") + b";?")
    if character in _LETTERS:
        forms.append(_BACKSLASHES + _LETTERS[character])
    return b"(?:" + b"|".join(forms) + b")"


def _wide(encoded: bytes, zeros: int) -> bytes:
    """What has two or four bytes a character. Of the zeros around it, as many as belong to one character are
    taken from behind: those before it may be of its neighbour.
    """
    plain = {ord(character): form for character, form in _PLAIN.items()} | {0: NUL}
    inner = (b"(?:" + plain.get(byte, re.escape(bytes((byte,)))) + b")" for byte in encoded.strip(b"\0"))
    return b"".join(inner) + NUL + b"{0,%d}" % zeros


def _printable(byte: int) -> bytes:
    """A byte as quoted-printable writes it."""
    return b"(?:" + re.escape(bytes((byte,))) + b"|=" + _anycase(f"{byte:02x}") + b")"


def _anycase(digits: str) -> bytes:
    """Hexadecimal digits, whether capital or small."""
    return "".join(f"[{d}{d.upper()}]" if d.isalpha() else d for d in digits).encode()


def base64_cores(value: str) -> tuple[bytes, ...]:
    """What base64 makes of the value, and of what percent-encoding makes of it."""
    raw = value.encode("utf-8", "surrogatepass")
    return tuple(core for text in (raw, quote(raw, safe="").encode()) for core in _cores(text))


def _cores(raw: bytes) -> Iterator[bytes]:
    """What base64 makes of the value wherever in a text it stands: the characters that depend on it alone.

    Three bytes become four characters, so there are three alignments; characters that mix in a neighbour's
    bits are left out.
    """
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + raw)
        first = -(-offset * 8 // 6)
        last = (offset + len(raw)) * 8 // 6
        yield encoded[first:last]


def _base64(core: bytes) -> bytes:
    """Both alphabets, escaped or not, and folded over lines as MIME and YAML do it."""
    return (LINE_END + b"?").join(_SPECIAL_DIGITS.get(digit, bytes((digit,))) for digit in core)
