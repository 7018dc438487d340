"""Other words of the same form: as long in characters and bytes, of the same scripts and cases."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
import unicodedata
from collections.abc import Container, Iterator
from functools import cache
from itertools import count

_TAGS = (
    "think|thinking|thought|reasoning|reflection|answer|output|tools?|tool_calls?|tool_response|function_calls?|invoke|"
    "a|b|br|code|div|em|h[1-6]|hr|html|i|img|li|ol|p|pre|span|strong|table|tbody|td|th|thead|tr|ul"
)
_LANGUAGES = (
    "bash|c|cpp|csharp|css|diff|go|html|java|javascript|js|json|jsonl|jsx|kotlin|latex|markdown|md|mermaid|php|"
    "plaintext|powershell|py|python|ruby|rust|sh|shell|sql|swift|text|toml|ts|tsx|typescript|xml|yaml|yml"
)
_ENCLOSED = "\u24b6-\u24e9\U0001f130-\U0001f149\U0001f150-\U0001f169\U0001f170-\U0001f189"
"""Letters in circles and squares, which are symbols to Unicode."""


def _is_mark(character: str) -> bool:
    """Whether it is a part of a letter. A variation selector chooses between pictures."""
    return unicodedata.category(character) in ("Mn", "Mc") and not "\ufe00" <= character <= "\ufe0f"


@cache
def _tokens() -> re.Pattern[str]:
    """Words go with the marks on their letters: these are vowels in many scripts."""
    letter, marks = rf"[^\W\d_]|[{_ENCLOSED}]", "".join(filter(_is_mark, map(chr, range(0x300, 0x1E94B))))
    return re.compile(
        rf"""(?P<same></?(?:{_TAGS})\b|<\|\w*\|>|```(?:{_LANGUAGES})$|https?://|\b(?:true|false|null)\b)
        |(?P<key>"[^"\\]{{1,80}}"(?=\s*:))
        |(?P<number>(?<![^\W\d_])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![^\W\d_]))
        |(?P<word>(?:{letter}|[{marks}])+|\d+)""",
        re.VERBOSE | re.MULTILINE,
    )


_WHOLE_RANGES = ((0x4E00, 0x9FA5), (0xAC00, 0xD7A3), (0x20000, 0x2A6D6))
"""Scripts in which a neighbourhood of 128 characters would tell much about the one that is hidden."""

_BLOCK = 128
_MOST_KNOWN = 10_000  # words in memory
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_ENDS = {1: _ALPHABET[::4], 2: "AQgw"}  # by the number of signs that fill up


class Words:
    """Replaces words; equal ones by equal ones. Nobody who lacks the key can tell what stood there.

    Args:
        key: thrown away after the run.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._known: dict[str, str] = {}

    def text(self, text: str, keys: Container[str] = ()) -> str:
        """A text of the same length. `keys`: names of members of JSON in it that stay."""
        return _tokens().sub(lambda match: self._token(match, keys), text)

    def word(self, word: str) -> str:
        """A word with a letter for a letter and a digit for a digit."""
        known = self._known.get(word)
        if known is None:
            noise = self._noise(word.lower())
            known = "".join(_other(character, next(noise)) for character in word)
            if len(self._known) == _MOST_KNOWN:
                self._known.clear()
            self._known[word] = known
        return known

    def blob(self, text: str) -> str:
        """Made-up base64 of the same length; its case says nothing of what was there. What stands before its
        padding ends in zeros, as strict readers want.
        """
        body = text.rstrip("=")
        noise, ends = self._noise(text), _ENDS.get(len(text) - len(body), _ALPHABET)
        made = [_ALPHABET[next(noise) % len(_ALPHABET)] for _ in body[:-1]]
        made += [ends[next(noise) % len(ends)] for _ in body[-1:]]
        return "".join(made) + text[len(body) :]

    def floats(self, text: str) -> str:
        """Made-up numbers of 32 bits in base64, as many as there were."""
        try:
            number = len(base64.b64decode(text, validate=True)) // 4
        except ValueError:
            return self.blob(text)
        noise = self._noise(text)
        made = struct.pack(f"<{number}f", *(next(noise) / 2**16 - 0.5 for _ in range(number)))
        new = base64.b64encode(made).decode()
        return new if len(new) == len(text) else self.blob(text)

    def _token(self, match: re.Match[str], keys: Container[str]) -> str:
        if match["same"] or (match["key"] and match[0][1:-1] in keys):
            return match[0]
        if match["key"]:
            return self.text(match[0][:-1]) + match[0][-1]
        if match["number"]:
            mark = re.search("[eE]", match[0])
            at = len(match[0]) if mark is None else mark.start()
            return self.word(match[0][:at]) + match[0][at:]  # an exponent of its own could be too large
        return self.word(match[0])

    def _noise(self, text: str) -> Iterator[int]:
        """Numbers of 16 bits, the same for the same text."""
        seed = hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)
        for block in count():
            yield from struct.unpack(">16H", hmac.digest(seed, str(block).encode(), hashlib.sha256))


def _other(character: str, number: int) -> str:
    """A character of the same script, case and size in its place; what is neither letter nor digit stays."""
    others = _alike(character)
    return others[number % len(others)] if others else character


@cache
def _alike(character: str) -> str:
    """The characters that may stand in its place; none for what belongs to no word or number."""
    place, category = ord(character), unicodedata.category(character)
    if category == "Nd":  # a zero stays one, so that numbers stay numbers
        zero = place - unicodedata.decimal(character)
        return "" if place == zero else _range(zero + 1, zero + 9)
    if not (category[0] in "LN" or _is_mark(character) or re.match(f"[{_ENCLOSED}]", character)):
        return ""
    for first, last in _WHOLE_RANGES:
        if first <= place <= last:
            return _range(first, last)
    first = place - place % _BLOCK
    alike = _sorted_by(character)
    return "".join(c for c in map(chr, range(first, first + _BLOCK)) if _sorted_by(c) == alike)


def _sorted_by(character: str) -> tuple[object, ...]:
    """What stays of a character: category, script, size, and how a mark joins its letter.

    Unicode gives each point of Hebrew and Arabic a class of its own, 10 to 199; here they are one.
    """
    joins = unicodedata.combining(character)
    return (
        unicodedata.category(character),
        unicodedata.name(character, "").partition(" ")[0],
        len(character.encode("utf-8", "surrogatepass")),
        10 if 10 <= joins < 200 else joins,  # noqa: PLR2004
    )


def _range(first: int, last: int) -> str:
    return "".join(map(chr, range(first, last + 1)))
