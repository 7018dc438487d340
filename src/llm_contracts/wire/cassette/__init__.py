"""Cassettes: the recordings of one scenario in one file, in the format of VCR (version 1).

vcrpy and pytest-recording load and replay these files. Beyond VCR's fields a response may hold `wire` (how
the exchange ended, and which bytes arrived when) and the file `recording` (where it comes from). Reading is
strict, so that a damaged file is never mistaken for an empty one; writing is atomic, so that a failure leaves
the old file as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO

from llm_contracts.util.files import read_file, replacing
from llm_contracts.wire.cassette.model import Cassette, Provenance, Recording
from llm_contracts.wire.cassette.parse import FormatError, parse
from llm_contracts.wire.cassette.render import document, render

__all__ = ["Cassette", "CassetteError", "Provenance", "Recording", "load", "save"]


class CassetteError(Exception):
    """A cassette that cannot be used: which file, which place in it, what is wrong and what to do."""

    def __init__(self, path: Path, place: str, problem: str) -> None:
        super().__init__(path, place, problem)  # so that it comes whole out of another process
        self.path = path
        self.place = place
        self.problem = problem

    def __str__(self) -> str:
        """The file, the place and the problem."""
        return self.named(str(self.path))

    def named(self, path: str) -> str:
        """The message with another name for the file, such as one relative to the project."""
        return ": ".join(part for part in (path, self.place, self.problem) if part)


def load(path: Path) -> Cassette:
    """Read one cassette.

    Raises:
        CassetteError: the file is missing, empty, cut, not UTF-8, of an unknown version, or a field is
            missing or of the wrong kind.
    """
    try:
        return parse(read_file(path))
    except FormatError as error:
        raise CassetteError(path, error.place, error.problem) from error
    except OSError as error:
        raise CassetteError(path, "", f"cannot be read ({error.strerror}). Check the name.") from error


def save(
    path: Path,
    cassette: Cassette,
    *,
    write: Callable[[IO[bytes], bytes], object] = lambda file, data: file.write(data),
) -> None:
    """Write one cassette, whole or not at all. Secrets are the scrubber's business.

    When anything fails on the way, Ctrl-C and a full disk included, the old file is as it was. A process that
    is killed leaves a draft, which no reader loads (see `llm_contracts.util.files`).

    Raises:
        CassetteError: the values would not read back as they are.
        OSError: the file could not be written.
    """
    data = render(cassette)
    try:
        read = parse(data)
    except FormatError as error:
        raise CassetteError(path, error.place, f"cannot be written: {error.problem}") from error
    zoneless = cassette.recording is not None and cassette.recording.recorded_at.tzinfo is None
    if zoneless or document(read) != document(cassette):
        raise CassetteError(path, "", "would not read back as recorded, so nothing was written. Report this.")
    with replacing(path) as draft:
        write(draft, data)
