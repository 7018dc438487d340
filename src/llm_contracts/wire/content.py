"""Content codings: bodies as the bytes that a reader means, whatever they were packed in."""

from __future__ import annotations

import base64
import binascii
import importlib
import zlib
from dataclasses import dataclass, replace
from typing import Any

from llm_contracts.wire.interaction import Response

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_PLAIN_DEFLATE = -zlib.MAX_WBITS
_GZIP_MAGIC = b"\x1f\x8b"
_BROTLI_STEP = 4096  # packed bytes at a time, so that a bomb is noticed
LARGEST = 256 * 1024 * 1024
"""The most bytes that anything is unpacked to: no answer of a model comes near, a bomb would go on."""


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


class _PackedError(Exception):
    """The bytes are not packed that way. The text is the rest of a sentence about the body."""


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
    except _PackedError as error:
        if not _is_text(response.body):
            return Unpacked(response=response, fault=str(error))
        body, whole = response.body, True
    headers = tuple((name, value) for name, value in response.headers if name.lower() != "content-encoding")
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
        found, whole = _inflated(data, _GZIP_OR_ZLIB, largest)
    except (_PackedError, zlib.error) as error:
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
    except _PackedError:
        plain = _from_base64(body)
        if plain is None:
            raise
        return _each_undone(plain, codings, largest)


def _each_undone(body: bytes, codings: list[str], largest: int) -> tuple[bytes, bool]:
    whole = True
    for coding in reversed(codings):
        body, complete = _unpack(body, coding, largest)
        whole = whole and complete
    return body, whole


def _unpack(body: bytes, coding: str, largest: int) -> tuple[bytes, bool]:
    if coding in {"gzip", "x-gzip", "deflate"}:
        for window in (_GZIP_OR_ZLIB, _PLAIN_DEFLATE) if coding == "deflate" else (_GZIP_OR_ZLIB,):
            try:
                return _inflated(body, window, largest)
            except zlib.error:
                continue
        raise _PackedError(f"is not packed as {coding}, although its header says so")
    if coding == "br":
        return _unbrotlied(body, largest)
    raise _PackedError(f"is packed as {coding}, which cannot be unpacked here")


def _inflated(body: bytes, window: int, largest: int) -> tuple[bytes, bool]:
    """One gzip member after the other, as `gzip` reads files, or one zlib stream."""
    parts: list[bytes] = []
    left = largest
    while True:
        unpacker = zlib.decompressobj(window)
        parts.append(unpacker.decompress(body, left))
        left -= len(parts[-1])
        if unpacker.unconsumed_tail or left <= 0:
            raise _PackedError(f"unpacks to more than {largest:,} bytes")
        body = unpacker.unused_data
        if not body.startswith(_GZIP_MAGIC):
            return b"".join(parts), unpacker.eof


def _unbrotlied(body: bytes, largest: int) -> tuple[bytes, bool]:
    brotli = _brotli()
    if brotli is None:
        msg = "is packed as br, which takes the package brotli to unpack"
        raise _PackedError(msg)
    unpacker, found = brotli.Decompressor(), bytearray()
    try:
        for start in range(0, len(body), _BROTLI_STEP):
            found += unpacker.process(body[start : start + _BROTLI_STEP])
            if len(found) > largest:
                raise _PackedError(f"unpacks to more than {largest:,} bytes")
    except brotli.error as error:
        msg = "is not packed as br, although its header says so"
        raise _PackedError(msg) from error
    return bytes(found), bool(unpacker.is_finished())


def _brotli() -> Any:
    """Either of the two packages that know brotli; the standard library does not."""
    for name in ("brotli", "brotlicffi"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


def _from_base64(body: bytes) -> bytes | None:
    try:
        return base64.b64decode(b"".join(body.split()), validate=True) if body else None
    except binascii.Error:
        return None


def _is_text(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
