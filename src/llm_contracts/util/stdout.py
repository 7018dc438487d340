"""Standard output belongs to the command: what clients print goes elsewhere."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass

_SHOWN = 200  # characters of it in a message


@dataclass(kw_only=True, slots=True)
class CapturedOutput:
    """What was printed; complete when the block has ended."""

    text: str = ""

    def sentences(self, who: str) -> tuple[str, ...]:
        """A sentence that says so, with its beginning; none if nothing was printed."""
        if not self.text.strip():
            return ()
        shown = f"{self.text[:_SHOWN]}…" if len(self.text) > _SHOWN else self.text
        return (f"{who} printed {len(self.text):,} characters on standard output: {shown.strip()!r}",)


@contextmanager
def captured_stdout() -> Iterator[CapturedOutput]:
    """Capture what this process, its threads and the processes that it starts print on standard output, so
    that a client that prints cannot damage `--json -`.
    """
    captured = CapturedOutput()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as file:
        sys.stdout.flush()
        restore = _exchange_descriptor(file.fileno())
        try:
            with redirect_stdout(file):
                yield captured
        finally:
            if restore is not None:
                os.dup2(restore, 1)
                os.close(restore)
            file.flush()
            file.seek(0)
            captured.text = file.read()


def _exchange_descriptor(other: int) -> int | None:
    """Let descriptor 1 mean another file; what it meant before, or None where there is no standard output."""
    try:
        saved = os.dup(1)
    except OSError:
        return None
    os.dup2(other, 1)
    return saved
