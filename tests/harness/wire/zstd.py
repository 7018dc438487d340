"""Stand-ins for the two kinds of libraries that unpack zstd, for where none is installed.

They read frames of runs and of bytes as they are (RFC 8878), and behave as documented by Python 3.14
(`compression.zstd`: output up to a limit, `needs_input`) and by zstandard (`decompressobj`: no limit).
"""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

MAGIC = b"\x28\xb5\x2f\xfd"
_HEAD = 6  # bytes of a frame before its first block: the magic number, a descriptor, the window


class ZstdError(Exception):
    """What the libraries raise."""


def frame(*blocks: bytes, window: int = 17) -> bytes:
    """A frame: of a block of one byte, 128 KiB of it; others as they are."""
    packed = MAGIC + bytes((0, (window - 10) << 3))
    for number, block in enumerate(blocks, 1):
        size, kind = (2**17, 1) if len(block) == 1 else (len(block), 0)
        packed += (size << 3 | kind << 1 | (number == len(blocks))).to_bytes(3, "little") + block
    return packed


class _Frame:
    """Unpacks one frame."""

    def __init__(self, most_window: int) -> None:
        self.eof = False
        self.needs_input = True
        self.unused_data = b""
        self._most_window = most_window
        self._packed = b""
        self._plain = b""
        self._begun = self._ended = False

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """What is known of the plain bytes, at most so many."""
        if self.eof:
            raise EOFError("already at the end of a frame")
        self._packed += data
        while not self.eof and self._block():
            pass
        given = self._plain if max_length < 0 else self._plain[:max_length]
        self._plain = self._plain[len(given) :]
        if self._ended and not self._plain and not self.eof:
            self.eof, self.unused_data = True, self._packed
        self.needs_input = not self.eof and not self._plain
        return given

    def _block(self) -> bool:
        if not self._begun:
            if not MAGIC.startswith(self._packed[: len(MAGIC)]):
                raise ZstdError("unknown frame")
            if len(self._packed) < _HEAD:
                return False
            if (self._packed[5] >> 3) + 10 > self._most_window:
                raise ZstdError("the window is too large")
            self._packed, self._begun = self._packed[_HEAD:], True
        if self._ended or len(self._packed) < 3:
            return False
        head = int.from_bytes(self._packed[:3], "little")
        size, is_run = head >> 3, head >> 1 & 3 == 1
        end = 3 + (1 if is_run else size)
        if len(self._packed) < end:
            return False
        block = self._packed[3:end]
        self._plain += block * size if is_run else block
        self._packed, self._ended = self._packed[end:], bool(head & 1)
        return True


def like_python() -> ModuleType:
    """A module like `compression.zstd` of Python 3.14."""
    return _module(
        "compression.zstd",
        DecompressionParameter=SimpleNamespace(window_log_max="window_log_max"),
        ZstdDecompressor=lambda options: _Frame(options["window_log_max"]),
    )


def like_zstandard() -> ModuleType:
    """A module like the package zstandard."""

    def decompressor(max_window_size: int) -> SimpleNamespace:
        return SimpleNamespace(decompressobj=lambda: _Frame(max_window_size.bit_length() - 1))

    return _module("zstandard", ZstdDecompressor=decompressor)


def _module(name: str, **members: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(members, ZstdError=ZstdError)
    return module
