"""What stands packed in some bytes: escaped characters, base64, hexadecimal digits, and what is compressed.

`forms` knows one layer around a value, with escapes within it. Here runs of digits and escapes are unpacked,
and what is in them is looked through in the same way, so that a value is found below several layers. Unpacked
bytes that nobody can read are passed over: they are of an image, or of another alignment.
"""

from __future__ import annotations

import binascii
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from llm_contracts.wire.content import ZSTD_MAGIC, TooLargeError, UnpackingError, unpacker
from llm_contracts.wire.scrub.forms import APART, BETWEEN, LINE_END, escapes

_DEEPEST = 3
_LARGEST = 2**22
_RATIOS = (16, 4, 2)
"""How many times as large as it is what is compressed may become, what is compressed in that, and so on. What
becomes larger is not looked at, so that bombs take no longer than much text.
"""

_DIGIT = rb"[A-Za-z0-9+/_-]"
_ESCAPE = (
    escapes(rb"[2-7][0-9A-Fa-f]") + rb"|\\{1,8}/|&(?:amp;){0,3}#0{0,6}(?:3[2-9]|[4-9][0-9]|1[0-2][0-9]);?"
)
_FOLD = rb"(?:" + LINE_END + rb"|(?:" + escapes(rb"0[aAdD]") + rb"|&(?:amp;){0,3}#(?:10|13);){1,2})"
_FEWEST = 12  # digits, of which more are needed for a value in two layers
# Begins with what is quickly found: digits before an escape are counted back to.
_RUN = re.compile(
    rb"(?:%b{12,}+|%b)(?:%b++|%b|%b(?=%b|%b))*+" % (_DIGIT, _ESCAPE, _DIGIT, _ESCAPE, _FOLD, _DIGIT, _ESCAPE)
)
_LAST_DIGITS = re.compile(_DIGIT + rb"{1,11}\Z")
_FOLDED = re.compile(_FOLD)
_UNITS = re.compile(_DIGIT + rb"|" + _ESCAPE + rb"|(?P<fold>" + _FOLD + rb")")
_DIGITS = re.compile(_DIGIT + rb"{12,}")
_CODE = re.compile(rb"#0*([0-9]{2,3});?\Z|([0-9A-Fa-f]{2})[;}]?\Z")
_PAIR = rb"[0-9A-Fa-f]{2}"
_PAIRS = re.compile(_PAIR + rb"(?:" + BETWEEN + _PAIR + rb"){11,}")
_ONE_PAIR = re.compile(rb"(?:0[xX])?(" + _PAIR + rb")")
_NUMBER = re.compile(rb"[0-9]{1,3}")
_NUMBERS = re.compile(rb"(?<![0-9])[0-9]{1,3}(?:" + APART + rb"{1,8}[0-9]{1,3}){7,}(?![0-9])")
# A byte of quoted-printable, or where it breaks a line; in a JSON text, too.
_PRINTABLE = re.compile(rb"=(?:([0-9A-Fa-f]{2})|\r?\n|(?:\\{1,8}r)?\\{1,8}n)")
_STANDARD = bytes.maketrans(b"-_", b"+/")
_READABLE = re.compile(rb"(?:[\t\n\r -~]\0{0,3}){8,}")
_MAGIC = re.compile(rb"(\x1f\x8b\x08)|\x78[\x01\x5e\x9c\xda]")
_BEFORE_MAGIC = 16  # bytes that may stand before what is compressed; much later ones are within an image

Span = tuple[int, int]
_Source = Callable[[int, int], Span]
"""Where the bytes from one place in a text to another come from."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """What can be read in a run once it is unpacked, and where in the data it comes from."""

    text: bytes
    source: _Source
    ratios: tuple[int, ...]  # for what is compressed in it


def nested_texts(
    data: bytes, *, deepest: int = _DEEPEST, ratios: tuple[int, ...] = _RATIOS
) -> Iterator[bytes]:
    """All that can be read in what stands packed in the data, and in that, and so on."""
    for layer in _layers(data, ratios):
        yield layer.text
        if deepest > 1:
            yield from nested_texts(layer.text, deepest=deepest - 1, ratios=layer.ratios)


def masked_nested(
    data: bytes,
    mask: Callable[[bytes], bytes],
    *,
    deepest: int = _DEEPEST,
    ratios: tuple[int, ...] = _RATIOS,
) -> bytes:
    """The data, with stars in place of what packs the bytes that `mask` changes; as long as before."""
    result = bytearray(data)
    for layer in _layers(data, ratios):
        masked = mask(layer.text)
        if deepest > 1:
            masked = masked_nested(masked, mask, deepest=deepest - 1, ratios=layer.ratios)
        if masked != layer.text:
            changed = [i for i, (was, now) in enumerate(zip(layer.text, masked, strict=True)) if was != now]
            start, end = layer.source(changed[0], changed[-1] + 1)
            result[start:end] = b"*" * (end - start)
    return bytes(result)


def decompressed(
    data: bytes, codings: tuple[str, ...] = ("gzip", "deflate", "br", "zstd"), *, largest: int = _LARGEST
) -> bytes | None:
    """What the data unpack to by the first coding that fits, as far as they are whole; None if none does.

    Raises:
        TooLargeError: they unpack to more than `largest`.
        UnpackingError: they are zstd's, and nothing here can unpack that.
    """
    for coding in codings:
        plain = bytearray()
        unpack = unpacker(coding, largest=largest)
        if unpack is None and data.startswith(ZSTD_MAGIC):
            raise UnpackingError("is packed as zstd, which cannot be unpacked here")
        if unpack is None:
            continue
        try:
            for piece in unpack(data):
                plain += piece
        except TooLargeError:
            raise
        except UnpackingError:
            pass
        if _READABLE.search(plain):
            return bytes(plain)
    return None


def _layers(data: bytes, ratios: tuple[int, ...]) -> Iterator[_Layer]:
    if _PRINTABLE.search(data):
        yield _from_printable(data, ratios)
    for match in _RUN.finditer(data):
        begin, end = match.span()
        if digits := _LAST_DIGITS.search(data, max(begin - _FEWEST, 0), begin):
            begin = digits.start()
        run, source = data[begin:end], _begun_at(begin, lambda i, j: (i, j))
        if any(sign in run for sign in b"%\\&\r\n"):
            units = list(_UNITS.finditer(data, begin, end))
            folded = bytes(_character(unit[0]) for unit in units)  # as it may be in quoted-printable
            yield from _readable(folded, _spans_of(units), ratios)
            units = [unit for unit in units if unit["fold"] is None]
            run, source = bytes(_character(unit[0]) for unit in units), _spans_of(units)
            if b"\n" in folded:
                yield from _readable(run, source, ratios)
        for digits in _DIGITS.finditer(run):
            yield from _from_base64(digits[0], _begun_at(digits.start(), source), ratios)
    for match in _PAIRS.finditer(data):
        pairs = list(_ONE_PAIR.finditer(data, *match.span()))
        yield from _readable(bytes(int(pair[1], 16) for pair in pairs), _spans_of(pairs), ratios)
    for match in _NUMBERS.finditer(data):
        numbers = list(_NUMBER.finditer(data, *match.span()))
        text = bytes(min(int(number[0]), 255) for number in numbers)
        yield from _readable(text, _spans_of(numbers), ratios)


def _from_base64(digits: bytes, source: _Source, ratios: tuple[int, ...]) -> Iterator[_Layer]:
    """Three bytes become four digits, and what stands before may be digits too: there are four alignments."""
    standard = digits.translate(_STANDARD)
    for offset in range(4):
        size = len(digits) - offset
        size -= size % 4 == 1
        text = binascii.a2b_base64(standard[offset : offset + size] + b"=" * (-size % 4))
        yield from _readable(text, _in_quarters(offset, size, source), ratios)


def _from_printable(data: bytes, ratios: tuple[int, ...]) -> _Layer:
    """All of the data, read as quoted-printable."""
    text = bytearray()
    steps = [(0, 0)]  # from which place in the text on what comes from which place in the data
    begin = 0
    for match in _PRINTABLE.finditer(data):
        text += data[begin : match.start()]
        begin = match.end()
        if match[1]:
            steps.append((len(text), match.start()))
            text.append(int(match[1], 16))
        steps.append((len(text), begin))
    text += data[begin:]

    def place(at: int) -> int:
        was, now = steps[bisect_right(steps, (at, len(data))) - 1]
        return now + at - was

    def source(i: int, j: int) -> Span:
        last = place(j - 1)
        match = _PRINTABLE.match(data, last)
        return place(i), match.end() if match else last + 1

    return _Layer(text=bytes(text), source=source, ratios=ratios)


def _readable(text: bytes, source: _Source, ratios: tuple[int, ...]) -> Iterator[_Layer]:
    for match in _READABLE.finditer(text):
        yield _Layer(text=match[0], source=_begun_at(match.start(), source), ratios=ratios)
    magic = _MAGIC.search(text, 0, _BEFORE_MAGIC)
    if magic and ratios:
        packed, coding = text[magic.start() :], "gzip" if magic[1] else "deflate"
        plain = None
        with suppress(TooLargeError):
            plain = decompressed(packed, (coding,), largest=ratios[0] * len(packed))
        if plain:
            yield _Layer(text=plain, source=lambda _i, _j: source(0, len(text)), ratios=ratios[1:])


def _begun_at(start: int, source: _Source) -> _Source:
    return lambda i, j: source(start + i, start + j)


def _in_quarters(start: int, size: int, source: _Source) -> _Source:
    return lambda i, j: source(start + i * 4 // 3, start + min(-(-j * 4 // 3), size))


def _spans_of(units: list[re.Match[bytes]]) -> _Source:
    return lambda i, j: (units[i].start(), units[j - 1].end())


def _character(unit: bytes) -> int:
    """The character that a unit is, or stands for."""
    if _FOLDED.fullmatch(unit):
        return ord("\n")
    code = _CODE.search(unit) if len(unit) > 1 else None
    if code is None:
        return unit[-1]
    return min(int(code[1]), 255) if code[1] else int(code[2], 16)
