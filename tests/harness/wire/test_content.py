"""Packed bodies are unpacked where that can be done, and left alone where it cannot."""

from __future__ import annotations

import base64
import gzip
import sys
import zlib
from collections.abc import Callable
from functools import partial
from types import ModuleType

import brotli
import pytest

from llm_contracts.wire.content import UnpackingError, decoded, gunzip, unpacked, unpacker
from llm_contracts.wire.interaction import Piece, Request, Response
from llm_contracts.wire.scrub import Scrubber
from tests.harness.wire import zstd

MIB = 2**20
_BODY = b"data: hello\n\n" * 20
_BARE = zlib.compressobj(wbits=-zlib.MAX_WBITS)
_DEFLATED = _BARE.compress(_BODY) + _BARE.flush()


@pytest.mark.parametrize(
    ("coding", "sent"),
    [
        ("gzip", gzip.compress(_BODY, mtime=0)),
        ("deflate", zlib.compress(_BODY)),
        ("deflate", _DEFLATED),
        ("gzip", _BODY),
        ("br", _BODY),
    ],
)
def test_the_body_decides_whether_it_was_packed(coding: str, sent: bytes) -> None:
    """Some recorders unpack and leave the header standing."""
    response = decoded(Response(status=200, headers=(("Content-Encoding", coding), ("a", "b")), body=sent))
    assert (response.body, response.headers) == (_BODY, (("a", "b"),))


def test_a_cut_body_is_unpacked_as_far_as_it_goes() -> None:
    cut = gzip.compress(bytes(range(256)) * 40, mtime=0)[:200]
    body = decoded(Response(status=200, headers=(("content-encoding", "gzip"),), body=cut)).body
    assert (bytes(range(256)) * 40).startswith(body)
    assert body


def test_unknown_codings_are_left_alone() -> None:
    response = Response(status=200, headers=(("content-encoding", "br"),), body=b"\xff\x00")
    assert decoded(response) is response


def test_the_timeline_goes_when_its_sizes_are_those_of_the_packed_bytes() -> None:
    packed = gzip.compress(_BODY)
    pieces = (Piece(size=len(packed), at_ms=0),)
    response = Response(status=200, headers=(("content-encoding", "gzip"),), body=packed, pieces=pieces)
    assert decoded(response).pieces is None


def test_without_a_coding_nothing_changes() -> None:
    response = Response(status=200, body=_BODY, pieces=(Piece(size=len(_BODY), at_ms=0),))
    assert decoded(response) is response


def test_brotli_is_unpacked() -> None:
    headers = (("content-encoding", "br"),)
    packed = brotli.compress(_BODY)
    assert unpacked(Response(status=200, headers=headers, body=packed)).response.body == _BODY
    cut = unpacked(Response(status=200, headers=headers, body=packed[:-3]))
    assert (cut.cut, cut.fault) == (True, "ends in the middle of its br data")


def test_packed_more_than_once_is_unpacked_as_often() -> None:
    packed = gzip.compress(zlib.compress(_BODY))
    response = Response(status=200, headers=(("content-encoding", "deflate, gzip"),), body=packed)
    assert unpacked(response).response.body == _BODY


def test_several_gzip_members_are_one_body() -> None:
    packed = gzip.compress(_BODY) + gzip.compress(_BODY)
    response = Response(status=200, headers=(("content-encoding", "gzip"),), body=packed)
    assert unpacked(response).response.body == _BODY * 2


def test_packed_bytes_written_as_base64_are_unpacked() -> None:
    packed = base64.b64encode(gzip.compress(_BODY))
    response = Response(status=200, headers=(("content-encoding", "gzip"),), body=packed)
    assert unpacked(response).response.body == _BODY


PACKING: dict[str, Callable[[bytes], bytes]] = {
    "gzip": partial(gzip.compress, mtime=0),
    "deflate": zlib.compress,
    "br": partial(brotli.compress, quality=5),
}


@pytest.fixture(scope="module", params=PACKING)
def bomb(request: pytest.FixtureRequest) -> tuple[str, bytes]:
    """The coding and 32 MiB packed so, by the worker that unpacks them and not by all that collect tests."""
    return request.param, PACKING[request.param](bytes(32 * MIB))


_ZSTD = ("compression.zstd", "backports.zstd", "zstandard")


@pytest.mark.parametrize(
    "module",
    [*_ZSTD, zstd.like_python(), zstd.like_zstandard()],
    ids=[*_ZSTD, "like python", "like zstandard"],
)
def test_zstd_is_unpacked_by_what_is_installed_in_bounded_steps(
    module: str | ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = pytest.importorskip(module) if isinstance(module, str) else module
    for name in _ZSTD:
        monkeypatch.setitem(sys.modules, name, installed if name == installed.__name__ else None)
    packed = zstd.frame(_BODY[:100]) + zstd.frame(_BODY[100:])
    for size in (1, 3, len(packed)):
        unpack = unpacker("zstd")
        assert unpack is not None
        parts = [packed[start : start + size] for start in range(0, len(packed), size)]
        assert b"".join(piece for part in parts for piece in unpack(part)) == _BODY
        assert unpack.whole
    headers = (("content-encoding", "zstd"),)
    assert unpacked(Response(status=200, headers=headers, body=packed[:-1])).cut
    bomb = zstd.frame(*[b"0"] * 256)
    unpack = unpacker("zstd")
    assert unpack is not None
    sizes = [len(piece) for piece in unpack(bomb)]
    assert (sum(sizes), max(sizes) <= MIB // 2, unpack.whole) == (32 * MIB, True, True)
    found = unpacked(Response(status=200, headers=headers, body=bomb), largest=MIB)
    assert found.fault == "unpacks to more than 1,048,576 bytes"
    wide = unpacked(Response(status=200, headers=headers, body=zstd.frame(b"0", window=27)))
    assert wide.fault == "is not packed as zstd, although its header says so"  # 128 MiB of memory for a byte


def test_zstd_is_named_where_nothing_can_unpack_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in _ZSTD:
        monkeypatch.setitem(sys.modules, module, None)
    packed = zstd.frame(_BODY)
    found = unpacked(Response(status=200, headers=(("content-encoding", "zstd"),), body=packed))
    assert (found.fault, found.response.body) == ("is packed as zstd, which cannot be unpacked here", packed)
    sent = Request(method="POST", uri="https://x/", headers=(), body=packed)
    assert Scrubber({"K": "sk-plain-0123"}).request(sent).body == b"*" * len(packed)


def test_a_bomb_is_unpacked_in_small_pieces_and_never_beyond_the_limit(bomb: tuple[str, bytes]) -> None:
    coding, packed = bomb
    unpack = unpacker(coding, largest=MIB)
    assert unpack is not None
    with pytest.raises(UnpackingError, match="unpacks to more than 1,048,576 bytes"):
        list(unpack(packed))
    response = Response(status=200, headers=(("content-encoding", coding),), body=packed)
    assert unpacked(response, largest=MIB).fault == "unpacks to more than 1,048,576 bytes"


def test_no_step_of_a_bomb_is_large(bomb: tuple[str, bytes]) -> None:
    coding, packed = bomb
    unpack = unpacker(coding)
    assert unpack is not None
    sizes = [len(piece) for piece in unpack(packed)]
    assert (sum(sizes), max(sizes) <= MIB // 2, unpack.whole) == (32 * MIB, True, True)


def test_a_bomb_is_named_and_not_unpacked() -> None:
    bomb = gzip.compress(bytes(10_000))
    response = Response(status=200, headers=(("content-encoding", "gzip"),), body=bomb)
    found = unpacked(response, largest=9_999)
    assert found.fault == "unpacks to more than 9,999 bytes"
    assert found.response is response
    assert unpacked(response, largest=10_001).response.body == bytes(10_000)
    with pytest.raises(ValueError, match="unpacks to more than 9,999 bytes"):
        gunzip(bomb, largest=9_999)
