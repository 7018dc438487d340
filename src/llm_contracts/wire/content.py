"""Content codings: bodies as the bytes that a reader means, whatever they were packed in.

A few packed bytes may hold gigabytes, so nothing is unpacked in one go and nothing beyond a limit.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from llm_contracts.wire.interaction import Response, without

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_GZIP_MAGIC = b"\x1f\x8b"
_HEADERS = (0x8, 0xF)  # how the first byte of zlib's and of gzip's ends
_ZSTD_WINDOW = 23
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_STEP = 2**18  # plain bytes at a time
LARGEST = 256 * 1024 * 1024
"""The most bytes that anything is unpacked to: no answer of a model comes near, a bomb would go on."""


class UnpackingError(Exception):
    """Bytes cannot be unpacked, or are too many. The text is the rest of a sentence about them."""


class TooLargeError(UnpackingError):
    """Bytes unpack to more than what was allowed."""


class Unpacker:
    """Takes one coding off. Called with pieces of the packed bytes, it gives what is known of the plain ones
    by then, in pieces of at most 256 KiB.

    Attributes:
        whole: whether the packed bytes have come to their end.

    Raises:
        UnpackingError: when called: the bytes are not in this coding, or unpack to more than `largest`.
    """

    def __init__(self, coding: str, *, largest: int = LARGEST) -> None:
        self.whole = False
        self._coding = coding
        self._largest = self._left = largest
        self._unpack: _Brotli | _Zstd | _Zlib
        if coding in {"br", "zstd"}:
            self._unpack = _Brotli() if coding == "br" else _Zstd()
        else:
            self._unpack = _Zlib(raw=coding == "deflate")

    def __call__(self, data: bytes) -> Iterator[bytes]:
        try:
            for plain in self._unpack(data):
                self._left -= len(plain)
                if self._left < 0:
                    raise TooLargeError(f"unpacks to more than {self._largest:,} bytes")
                yield plain
        except self._unpack.error as error:
            msg = f"is not packed as {self._coding}, although its header says so"
            raise UnpackingError(msg) from error
        self.whole = self._unpack.whole


def unpacker(coding: str, *, largest: int = LARGEST) -> Unpacker | None:
    """What takes the coding off; None for one that is unknown here, and for several on top of each other."""
    coding = coding.strip().lower()
    known = coding in {"gzip", "x-gzip", "deflate", "br"} or (coding == "zstd" and _zstd() is not None)
    return Unpacker(coding, largest=largest) if known else None


class _Zlib:
    """gzip, one member after the other, or one zlib stream; with `raw` also what has no header at all.

    No raw deflate of any packer begins like a header: its first block would be of a kind that does not exist,
    or one that is stored behind padding that is not zero (RFC 1950, 1951 and 1952).
    """

    error = zlib.error

    def __init__(self, *, raw: bool) -> None:
        self._raw = raw
        self._unpacking = zlib.decompressobj(_GZIP_OR_ZLIB)

    @property
    def whole(self) -> bool:
        return self._unpacking.eof

    def __call__(self, rest: bytes) -> Iterator[bytes]:
        if rest and self._raw:
            self._raw = False
            if rest[0] & 0x0F not in _HEADERS:
                self._unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
        while rest:
            if self._unpacking.eof:
                if not rest.startswith(_GZIP_MAGIC[: len(rest)]):
                    return  # what follows belongs to no answer
                self._unpacking = zlib.decompressobj(_GZIP_OR_ZLIB)
            plain = self._unpacking.decompress(rest, _STEP)
            rest = self._unpacking.unconsumed_tail or self._unpacking.unused_data
            if plain:
                yield plain


class _Brotli:
    def __init__(self) -> None:
        import brotli

        self.error: type[Exception] = brotli.error
        self._unpacking = brotli.Decompressor()

    @property
    def whole(self) -> bool:
        return bool(self._unpacking.is_finished())

    def __call__(self, data: bytes) -> Iterator[bytes]:
        while plain := self._unpacking.process(data, output_buffer_limit=_STEP):
            yield plain
            data = b""


class _Zstd:
    """One frame after the other, with windows of at most 8 MiB, as RFC 9659 limits them for HTTP."""

    def __init__(self) -> None:
        self._zstd = _zstd()
        self.error: type[Exception] = self._zstd.ZstdError
        self._unpacking: Any = self._frame()

    def _frame(self) -> Any:
        if self._zstd.__name__ == "zstandard":
            return self._zstd.ZstdDecompressor(max_window_size=2**_ZSTD_WINDOW).decompressobj()
        window = {self._zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW}
        return self._zstd.ZstdDecompressor(options=window)

    @property
    def whole(self) -> bool:
        return bool(self._unpacking.eof)

    def __call__(self, data: bytes) -> Iterator[bytes]:
        if self._zstd.__name__ != "zstandard":
            yield from self._plain(data, _STEP)
            return
        # It knows no limit. Four bytes hold one block at most, and that unpacks to at most 128 KiB.
        plain = bytearray()
        for start in range(0, len(data), 4):
            plain += b"".join(self._plain(data[start : start + 4]))
            if len(plain) >= _STEP // 2:
                yield bytes(plain)
                plain.clear()
        if plain:
            yield bytes(plain)

    def _plain(self, rest: bytes, *limit: int) -> Iterator[bytes]:
        while rest or not (self._unpacking.eof or getattr(self._unpacking, "needs_input", True)):
            if self._unpacking.eof:
                self._unpacking = self._frame()
            if plain := self._unpacking.decompress(rest, *limit):
                yield plain
            rest = self._unpacking.unused_data if self._unpacking.eof else b""


def _zstd() -> Any:
    """Python's own module from 3.14 on, its backport, or the package zstandard; None where none is there."""
    for name in ("compression.zstd", "backports.zstd", "zstandard"):
        with suppress(ImportError):
            return import_module(name)
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Unpacked:
    """A response after unpacking.

    Attributes:
        response: without a content coding, or as it was where that cannot be undone.
        fault: what is wrong, as the rest of a sentence about the body; empty if all is well.
        cut: whether the packed bytes end too early. What there is of them is unpacked all the same.
    """

    response: Response
    fault: str = ""
    cut: bool = False


def decoded(response: Response) -> Response:
    """The response without a content coding.

    Recorders disagree: some keep the packed bytes, some unpack them and leave the header standing. So the
    body decides. A body that was cut in the middle is unpacked as far as it goes. The timeline is dropped
    when the bytes change, because its sizes are those of the packed body. A coding that cannot be unpacked
    here is left alone, unless the body is plain text already.
    """
    return unpacked(response).response


def unpacked(response: Response, *, largest: int = LARGEST) -> Unpacked:
    """The same, together with what could not be done. `largest` is the most bytes to unpack to."""
    codings = [name.strip() for name in response.header("content-encoding").lower().split(",")]
    codings = [name for name in codings if name and name != "identity"]
    if not codings or not response.body:
        return Unpacked(response=response)
    try:
        body, whole = _undone(response.body, codings, largest)
    except UnpackingError as error:
        if not is_text(response.body):
            return Unpacked(response=response, fault=str(error))
        body, whole = response.body, True
    headers = without(response.headers, ("content-encoding",))
    pieces = response.pieces if body == response.body else None
    plain = replace(response, headers=headers, body=body, pieces=pieces)
    fault = "" if whole else f"ends in the middle of its {codings[-1]} data"
    return Unpacked(response=plain, fault=fault, cut=not whole)


def gunzip(data: bytes, *, largest: int = LARGEST) -> bytes:
    """The content of a gzip file.

    Raises:
        ValueError: it is damaged, cut or too large; the message is the rest of a sentence about it.
    """
    try:
        found, whole = _unpack(data, "gzip", largest)
    except UnpackingError as error:
        raise ValueError(f"cannot be unpacked ({error})") from error
    if not whole:
        msg = "ends in the middle of its gzip data"
        raise ValueError(msg)
    return found


def _undone(body: bytes, codings: list[str], largest: int) -> tuple[bytes, bool]:
    """The codings in reverse; whether all of the packed bytes were there.

    A recorder whose files hold text alone writes packed bytes as base64.
    """
    try:
        return _each_undone(body, codings, largest)
    except UnpackingError:
        try:
            plain = base64.b64decode(b"".join(body.split()), validate=True)
        except binascii.Error:
            plain = b""
        if not plain:
            raise
        return _each_undone(plain, codings, largest)


def _each_undone(body: bytes, codings: list[str], largest: int) -> tuple[bytes, bool]:
    whole = True
    for coding in reversed(codings):
        body, complete = _unpack(body, coding, largest)
        whole = whole and complete
    return body, whole


def _unpack(body: bytes, coding: str, largest: int) -> tuple[bytes, bool]:
    unpack = unpacker(coding, largest=largest)
    if unpack is None:
        raise UnpackingError(f"is packed as {coding}, which cannot be unpacked here")
    return b"".join(unpack(body)), unpack.whole


def is_text(body: bytes) -> bool:
    """Whether these bytes are UTF-8."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
