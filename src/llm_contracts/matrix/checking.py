"""Run a check in another environment, and report how far it is."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_contracts.matrix.environments import last_line
from llm_contracts.results.items import DRAFT

Check = Callable[[Sequence[str], Sequence[str], Path, Callable[[int], None]], Mapping[str, Any]]
"""Runs a check and gives the result's document. Given the words that start Python, the check's own command
with its options, a folder for the whole result, and what to call with the number of scenarios done.
"""

_READABLE = {0, 1, 3}  # exits after which there is a result: agreement, divergence, unreadable recordings


class CheckError(Exception):
    """A check gave no result. The message is its own last line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checker:
    """A check as a process of its own, in the project's folder and with these variables. `look_every`:
    seconds between two looks at how far it is.
    """

    root: Path
    environ: Mapping[str, str]
    look_every: float = 0.5

    def __call__(
        self,
        python: Sequence[str],
        arguments: Sequence[str],
        folder: Path,
        progress: Callable[[int], None],
    ) -> Mapping[str, Any]:
        """See `Check`.

        Raises:
            CheckError: it ended without a result.
        """
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / DRAFT
        draft.unlink(missing_ok=True)  # of a run that was stopped
        done = 0

        def look() -> None:
            nonlocal done
            done = max(done, _lines(draft))  # in the end the draft is moved into its place
            progress(done)

        with tempfile.TemporaryDirectory(prefix="llm-contracts-matrix-") as scratch:
            result, errors = Path(scratch) / "result.json", Path(scratch) / "stderr"
            files = ("--json", str(result), "--report", str(folder))
            words = [*python, "-m", "llm_contracts", *arguments, *files]
            code = self._run(words, errors, look)
            if code in _READABLE and result.is_file():
                document: Mapping[str, Any] = json.loads(result.read_text(encoding="utf-8"))
                return document
            raise CheckError(last_line(errors.read_text("utf-8", "replace")))

    def _run(self, words: list[str], errors: Path, look: Callable[[], None]) -> int:
        with (
            errors.open("wb") as complaints,
            subprocess.Popen(  # noqa: S603 - our own module, and no shell reads the arguments
                words, cwd=self.root, env=self.environ, stdout=subprocess.DEVNULL, stderr=complaints
            ) as process,
        ):
            try:
                while True:
                    try:
                        return process.wait(self.look_every)
                    except subprocess.TimeoutExpired:
                        look()
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
