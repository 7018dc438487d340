"""Run a check in another environment, and hear how far it is."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_contracts.results.store import DRAFT

Check = Callable[[Path, Path, Callable[[int], None]], Mapping[str, Any]]
"""Given an interpreter, a folder for the whole result, and what to tell how many scenarios are done: checks,
and gives the result's document.
"""

_READABLE = {0, 1, 3}  # exits after which there is a result: agreement, divergence, unreadable recordings
_LOOK_EVERY = 0.5  # seconds


class CheckError(Exception):
    """A check gave no result. The message is its own last line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checker:
    """A check as a process of its own.

    Attributes:
        root: the project's folder.
        arguments: the command and its options, such as `("check", "--provider", "openai")`.
        environ: the variables of the process.
    """

    root: Path
    arguments: Sequence[str]
    environ: Mapping[str, str]

    def __call__(self, python: Path, folder: Path, progress: Callable[[int], None]) -> Mapping[str, Any]:
        """See `Check`.

        Raises:
            CheckError: it ended without a result.
        """
        folder.mkdir(parents=True, exist_ok=True)
        (folder / DRAFT).unlink(missing_ok=True)  # of a run that was stopped
        with tempfile.TemporaryDirectory(prefix="llm-contracts-matrix-") as scratch:
            result, errors = Path(scratch) / "result.json", Path(scratch) / "stderr"
            where = ["--json", str(result), "--report", str(folder)]
            arguments = [str(python), "-m", "llm_contracts", *self.arguments, *where]
            code = self._run(arguments, errors, folder / DRAFT, progress)
            if code in _READABLE and result.is_file():
                document: Mapping[str, Any] = json.loads(result.read_text(encoding="utf-8"))
                return document
            raise CheckError(_last_line(errors) or f"the check ended with {code} and said nothing")

    def _run(self, arguments: list[str], errors: Path, draft: Path, progress: Callable[[int], None]) -> int:
        with (
            errors.open("wb") as complaints,
            subprocess.Popen(  # noqa: S603 - our own module, and no shell reads the arguments
                arguments, cwd=self.root, env=self.environ, stdout=subprocess.DEVNULL, stderr=complaints
            ) as process,
        ):
            done = 0
            try:
                while True:
                    try:
                        return process.wait(_LOOK_EVERY)
                    except subprocess.TimeoutExpired:
                        done = max(done, _lines(draft))  # in the end the draft is moved into its place
                        progress(done)
            except BaseException:
                process.terminate()
                raise


def _lines(draft: Path) -> int:
    """How many items are done: a line each, after the first."""
    try:
        with draft.open("rb") as lines:
            return max(0, sum(chunk.count(b"\n") for chunk in iter(lambda: lines.read(1 << 20), b"")) - 1)
    except FileNotFoundError:
        return 0


def _last_line(file: Path) -> str:
    lines = [line.strip() for line in file.read_text("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1] if lines else ""
