"""A review in a pseudo-terminal: keys go in, and what a person would see is read off an emulated screen."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pexpect  # type: ignore[import-untyped]
import pyte

PATIENCE = 30.0  # seconds; a loaded machine draws late
_KEYS = {"enter": "\r", "esc": "\x1b", "tab": "\t", "down": "\x1b[B", "right": "\x1b[C", "pgdn": "\x1b[6~"}


class Screen:
    """The program behind a pseudo-terminal, and the screen it draws."""

    def __init__(self, child: pexpect.spawn[bytes], width: int, height: int) -> None:
        self.child = child
        self._screen = pyte.Screen(width, height)
        self._stream = pyte.ByteStream(self._screen)
        self._text: str | None = None  # since the last bytes came; to read the screen takes 10 ms

    def press(self, *keys: str) -> None:
        """Type keys by name, everything else as it stands. Each waits until the one before was drawn."""
        for key in keys:
            before = self.text()
            self.child.send(_KEYS.get(key, key))
            self._settle(before)

    def type(self, text: str) -> None:
        """Type a text into a field."""
        self.child.send(text)

    def text(self) -> str:
        """What is on the screen now."""
        self._read()
        if self._text is None:
            self._text = "\n".join(line.rstrip() for line in self._screen.display)
        return self._text

    def wait_for(self, *parts: str) -> str:
        """The screen as soon as it shows all of these."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            alive = self.child.isalive()
            text = self.text()
            if all(part in text for part in parts):
                return text
            if not alive:
                break
        raise AssertionError(f"no {parts} on the screen:\n{self.text()}")

    def colours(self) -> set[str]:
        """The colours of the letters on the screen."""
        return {cell.fg for row in self._screen.buffer.values() for cell in row.values()}

    def resize(self, width: int, height: int) -> None:
        """Another size of the window."""
        self._screen.resize(height, width)
        self._text = None
        self.child.setwinsize(height, width)

    def left(self) -> int:
        """Wait until the program has ended; its exit code."""
        while self.child.isalive():
            self._read()
        self._read()
        assert self.child.exitstatus is not None
        return int(self.child.exitstatus)

    def _settle(self, before: str) -> None:
        """Drawn, or nothing to draw: some keys change nothing."""
        for _ in range(20):
            if self.text() != before:
                return

    def _read(self) -> None:
        try:
            self._stream.feed(self.child.read_nonblocking(100_000, timeout=0.02))
        except (pexpect.TIMEOUT, pexpect.EOF):
            return
        self._text = None


@contextmanager
def review(
    root: Path,
    *options: str,
    program: Sequence[str] = (sys.executable, "-m", "llm_contracts", "review"),
    width: int = 100,
    height: int = 40,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Screen]:
    """`llm-contracts review`, or another program, in a project, in a terminal of this size."""
    inherited = {
        name: value for name, value in os.environ.items() if name not in {"CI", "NO_COLOR", "COLUMNS"}
    }
    child = pexpect.spawn(
        program[0],
        [*program[1:], *options],
        cwd=root,
        env={**inherited, "TERM": "xterm-256color", "COLORTERM": "", "LC_ALL": "C.UTF-8", **(environ or {})},
        dimensions=(height, width),
        timeout=PATIENCE,
    )
    try:
        yield Screen(child, width, height)
    finally:
        child.close(force=True)
