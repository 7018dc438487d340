"""Running programs, so that tests can hand in a stand-in for them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_CREDENTIALS = re.compile(r"//[^/@\s]+@")
"""What opens an index that is not public stands in its address, and that in complaints about it."""

Command = Callable[[Sequence[str | Path]], "Completed"]
"""Runs a program to its end and gives what became of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Completed:
    """How a program ended, and what it wrote."""

    code: int
    out: str = ""
    err: str = ""

    @property
    def last_line(self) -> str:
        """The last thing it complained about."""
        lines = [line.strip() for line in (self.err or self.out).splitlines() if line.strip()]
        return lines[-1] if lines else f"it ended with {self.code} and said nothing"


def command(folder: Path, environ: Mapping[str, str], *, timeout: float = 900.0) -> Command:
    """A runner of programs.

    Args:
        folder: where they run.
        environ: their variables.
        timeout: seconds for one program; one that takes longer is ended and counts as failed.
    """

    def run(arguments: Sequence[str | Path]) -> Completed:
        try:
            done = subprocess.run(  # noqa: S603 - the programs are ours, and no shell reads the arguments
                [str(argument) for argument in arguments],
                cwd=folder,
                env=environ,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Completed(code=-1, err=f"it took longer than {timeout:g} seconds")
        return Completed(code=done.returncode, out=done.stdout, err=_CREDENTIALS.sub("//***@", done.stderr))

    return run


def own_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables for a process elsewhere: without those that lead Python back into this environment."""
    return {
        name: value
        for name, value in environ.items()
        if name not in {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "COVERAGE_PROCESS_START"}
    }
