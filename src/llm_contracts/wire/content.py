"""Content codings: bodies as the bytes that a reader means, whatever they were packed in."""

from __future__ import annotations

import zlib
from dataclasses import replace

from llm_contracts.wire.interaction import Response

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_PLAIN_DEFLATE = -zlib.MAX_WBITS


def decoded(response: Response) -> Response:
    """The response without a content coding.

    Recorders disagree: some keep the packed bytes, some unpack them and leave the header standing. So the
    body decides. A body that was cut in the middle is unpacked as far as it goes. The timeline is dropped
    when the bytes change, because its sizes are those of the packed body. A coding that the standard library
    cannot unpack (`br`, `zstd`) is left alone, unless the body is plain text already.
    """
    coding = response.header("content-encoding").strip().lower()
    if not coding:
        return response
    body = _unpacked(response.body, coding)
    if body is None:
        return response
    headers = tuple((name, value) for name, value in response.headers if name.lower() != "content-encoding")
    pieces = response.pieces if body == response.body else None
    return replace(response, headers=headers, body=body, pieces=pieces)


def _unpacked(body: bytes, coding: str) -> bytes | None:
    if coding in {"gzip", "x-gzip", "deflate"}:
        for window in (_GZIP_OR_ZLIB, _PLAIN_DEFLATE):
            try:
                return zlib.decompressobj(window).decompress(body)
            except zlib.error:
                continue
    return body if _is_text(body) else None


def _is_text(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
