"""The forms in which an answer, or a library that tells of it, can hold a secret."""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterator
from functools import lru_cache
from html.entities import codepoint2name
from urllib.parse import quote, unquote

_SHORTEST_HALF = 12  # characters, fewer of which could be anything
_APART = r"(?:[^0-9A-Za-z]|(?<=\\)[nrt])"  # a sign between numbers, or part of one that JSON escapes
_NUL = r"(?:\x00|\\{1,16}(?:u0000|x00))"


@lru_cache(maxsize=256)
def pattern(secret: str) -> re.Pattern[str]:
    """Finds a secret as it is, in capitals or small letters, percent-encoded, escaped as JSON, Python, HTML
    and quoted-printable do it, in UTF-16 and UTF-32, in base64 at any alignment, and as hexadecimal digits or
    numbers.
    """
    raw = secret.encode("utf-8", "surrogatepass")
    plain = "".join(map(_character, secret))
    wide = f"{_NUL}{{1,3}}".join(map(re.escape, secret)) + f"{_NUL}{{0,3}}"
    digits = rf"{_APART}{{0,8}}(?:0?x)?".join(f"{byte:02x}" for byte in raw)
    numbers = rf"{_APART}{{1,8}}".join(map(str, raw))
    return re.compile("|".join((f"(?i:{plain}|{digits})", wide, numbers, *_base64(raw))))


def _character(character: str) -> str:
    number = ord(character)
    raw = character.encode("utf-8", "surrogatepass")
    forms = [
        rf"\\{{0,16}}{re.escape(character)}",
        "".join(f"%(?:25){{0,3}}(?:u00)?{byte:02x}" for byte in raw),
        "".join(rf"\\{{1,16}}x{byte:02x}" for byte in raw),
        "".join(rf"\\{{1,16}}{byte:03o}" for byte in raw),
        "".join(f"={byte:02x}" for byte in raw),
        rf"\\{{1,16}}u(?:(?:0000)?{number:04x}|\{{0{{0,4}}{number:x}\}})",
        rf"&(?:amp;)?#(?:0{{0,6}}{number}|x0{{0,6}}{number:x});?",
    ]
    if number in codepoint2name:
        forms.append(f"&(?:amp;)?{codepoint2name[number]};")
    return f"(?:{'|'.join(forms)})"


def _base64(raw: bytes) -> Iterator[str]:
    for core in _cores(raw):
        yield r"(?:\\n|\n)?".join(
            {"+": r"(?:[+-]|%2[bB])", "/": r"(?:\\{0,16}[/_]|%2[fF])"}.get(digit, digit) for digit in core
        )


def _cores(raw: bytes) -> Iterator[str]:
    """The characters of base64 that depend on the secret alone, wherever in a text it stands."""
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + raw).decode()
        yield encoded[-(-offset * 8 // 6) : (offset + len(raw)) * 8 // 6]


@lru_cache(maxsize=256)
def _whole_forms(secret: str) -> tuple[str, ...]:
    raw = secret.encode("utf-8", "surrogatepass")
    return (secret, raw.hex(), quote(raw, safe=""), *_cores(raw))


def without_halves(text: str, secret: str, mask: str) -> str:
    """The text with a mask for the first or the last half of a secret, as it is or in one of its usual forms,
    and for what of the other half stands beside it: who shows an answer may cut it short, as Python does in
    the words of a `ValueError`.
    """
    for form in _whole_forms(secret):
        half = max(len(form) // 2, _SHORTEST_HALF)
        if len(form) > half:
            text = _without_halves(text, form, half, mask)
    return text


def _without_halves(text: str, form: str, half: int, mask: str) -> str:
    while (start := text.find(form[:half])) >= 0:
        text = text[:start] + mask + text[start + half + _alike(text[start + half :], form[half:]) :]
    while (start := text.find(form[-half:])) >= 0:
        before = text[:start]
        text = before[: start - _alike(before[::-1], form[-half - 1 :: -1])] + mask + text[start + half :]
    return text


def _alike(text: str, other: str) -> int:
    """With how many same characters two texts begin."""
    pairs = enumerate(zip(text, other, strict=False))
    return next((number for number, (one, two) in pairs if one != two), min(len(text), len(other)))


PACKED = re.compile(r"[A-Za-z0-9+/_%\\=&#;:{}-](?:[A-Za-z0-9+/_%\\=&#;:{}-]|\r?\n(?=[A-Za-z0-9+/])){15,}")
"""Digits and escapes in which something may be packed."""

_ESCAPE = re.compile(r"\\+(?:[uU]00|x)([0-9A-Fa-f]{2})|\\+u\{([0-9A-Fa-f]{1,6})\}")
_FOLD = re.compile(r"\r?\n|\\+[rn](?:\\+n)?")
_DIGITS = re.compile(r"[A-Za-z0-9+/_-]{12,}")
_READABLE = re.compile(r"(?:[\t\n\r -~]\x00{0,3}){8,}")


def unpacked(run: str) -> Iterator[str]:
    """What can be read in a run of digits and escapes once they are unpacked, in any alignment."""
    plain = html.unescape(unquote(unquote(run)))
    plain = _ESCAPE.sub(lambda escape: chr(min(int(escape[1] or escape[2], 16), 0x10FFFF)), plain)
    if plain != run:
        yield plain
    folded = _FOLD.sub("", plain)
    pairs = folded.replace(":", "")
    for digits in _DIGITS.findall(folded):
        standard = digits.translate({ord("-"): "+", ord("_"): "/"})
        for offset in range(4):
            part = standard[offset : len(standard) - (len(standard) - offset) % 4]
            rest = standard[offset + len(part) :]
            packed = part + (rest + "=" * (4 - len(rest)) if len(rest) > 1 else "")
            yield from _READABLE.findall(binascii.a2b_base64(packed).decode("latin-1"))
    for digits in re.findall(r"(?:[0-9A-Fa-f]{2}){12,}", pairs):
        yield from _READABLE.findall(bytes.fromhex(digits).decode("latin-1"))
