"""Content codings taken off while the bytes pass through.

The edge asks for no coding, but a provider may pack all the same. Then the client is given what the recording
keeps: plain bytes, each as soon as it can be known. So secrets are found in them, their times are true, and a
replay sends the very same. gzip and deflate are the standard library's; br and zstd are taken off where the
package `brotli` or `zstandard` is installed.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Protocol

_ALL_AT_ONCE = 2**18  # bytes: a small packed body may be a huge plain one
_GZIP = 16 + zlib.MAX_WBITS
_NONE_YET = 1024  # bytes that may come before it is clear which of two kinds of deflate is spoken


class UnpackingError(Exception):
    """The bytes are not in the coding that the header names."""


class Unpacker(Protocol):
    """Feed it pieces; it gives what can be known of the plain bytes by then."""

    def __call__(self, data: bytes, /) -> Iterator[bytes]: ...


def unpacker(coding: str) -> Unpacker | None:
    """What takes the coding off; None for one that cannot be taken off here, and for several on top of each
    other.
    """
    make = _CODINGS.get(coding.strip().lower())
    return None if make is None else make()


class _Zlib:
    def __init__(self, window: int, *, otherwise: int | None = None) -> None:
        self._unpacking = zlib.decompressobj(window)
        self._window = window
        self._otherwise = otherwise
        self._seen = b""

    def __call__(self, data: bytes) -> Iterator[bytes]:
        try:
            yield from self._plain(data)
        except zlib.error as error:
            if self._otherwise is None:
                raise UnpackingError(str(error)) from error
            self._unpacking, self._otherwise = zlib.decompressobj(self._otherwise), None
            yield from self(self._seen + data)

    def _plain(self, data: bytes) -> Iterator[bytes]:
        rest = data
        while rest:
            if self._unpacking.eof:  # gzip allows several members one after the other
                self._unpacking = zlib.decompressobj(self._window)
            plain = self._unpacking.decompress(rest, _ALL_AT_ONCE)
            rest = self._unpacking.unconsumed_tail or self._unpacking.unused_data
            if plain:
                self._otherwise = None
                yield plain
        if self._otherwise is not None:
            self._seen = (self._seen + data)[:_NONE_YET]


class _Other:
    """A package's decompressor, behind the same call."""

    def __init__(self, unpack: Callable[[bytes], bytes]) -> None:
        self._unpack = unpack

    def __call__(self, data: bytes) -> Iterator[bytes]:
        try:
            plain = self._unpack(data)
        except Exception as error:  # each package has an error class of its own
            raise UnpackingError(str(error)) from error
        for start in range(0, len(plain), _ALL_AT_ONCE):
            yield plain[start : start + _ALL_AT_ONCE]


def _brotli() -> Unpacker | None:
    package = _installed("brotli")
    return None if package is None else _Other(package.Decompressor().process)


def _zstd() -> Unpacker | None:
    package = _installed("zstandard")
    return None if package is None else _Other(package.ZstdDecompressor().decompressobj().decompress)


def _installed(package: str) -> Any | None:
    try:
        return importlib.import_module(package)
    except ImportError:
        return None


_CODINGS: dict[str, Callable[[], Unpacker | None]] = {
    "gzip": partial(_Zlib, _GZIP),
    "x-gzip": partial(_Zlib, _GZIP),
    "deflate": partial(_Zlib, zlib.MAX_WBITS, otherwise=-zlib.MAX_WBITS),
    "br": _brotli,
    "zstd": _zstd,
}
