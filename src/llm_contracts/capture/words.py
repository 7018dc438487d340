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
_TOKEN = re.compile(
    rf"""(?P<same></?(?:{_TAGS})\b|<\|\w*\|>|```(?:{_LANGUAGES})$|https?://|\b(?:true|false|null)\b)
    |(?P<key>"[^"\\]{{1,80}}"(?=\s*:))
    |(?P<number>(?<![^\W\d_])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![^\W\d_]))
    |(?P<word>[^\W\d_]+|\d+)""",
    re.VERBOSE | re.MULTILINE,
)
_WHOLE_RANGES = ((0x4E00, 0x9FA5), (0xAC00, 0xD7A3), (0x20000, 0x2A6D6))
"""Scripts in which a neighbourhood of 128 characters would tell much about the one that is hidden."""

_BLOCK = 128
_MOST_KNOWN = 10_000  # words in memory
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


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
        return _TOKEN.sub(lambda match: self._token(match, keys), text)

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
        """Made-up base64 of the same length; its case says nothing of what was there."""
        body = text.rstrip("=")
        noise = self._noise(text)
        return "".join(_ALPHABET[next(noise) % len(_ALPHABET)] for _ in body) + text[len(body) :]

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
    """A character of the same script, case and size in its place; what is no letter or digit stays."""
    if "0" <= character <= "9":
        return "0" if character == "0" else "123456789"[number % 9]
    others = _alike(character)
    return others[number % len(others)] if others else character


@cache
def _alike(character: str) -> str:
    """The characters that may stand in its place; none for what is no letter."""
    place, category = ord(character), unicodedata.category(character)
    if not category.startswith("L") or category == "Lm":
        return ""
    for first, last in _WHOLE_RANGES:
        if first <= place <= last:
            return _range(first, last)
    first = place - place % _BLOCK
    script, size = _script(character), len(character.encode("utf-8", "surrogatepass"))
    return "".join(
        other
        for other in map(chr, range(first, first + _BLOCK))
        if unicodedata.category(other) == category
        and _script(other) == script
        and len(other.encode("utf-8", "surrogatepass")) == size
    )


@cache
def _range(first: int, last: int) -> str:
    return "".join(map(chr, range(first, last + 1)))


def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]
