"""Which releases there are, asked of uv: it knows the index that is configured, and we need not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.version import Version

from llm_contracts.matrix.commands import Command
from llm_contracts.matrix.environments import COMPILE, UnavailableError, resolver_says

NO_SOLUTION = "No solution found"  # uv's words where an index has nothing that fits
_MOST = 500  # releases between two others: more than that is a loop

Newest = Callable[[str], str | None]
"""Given a requirement, the newest release that meets it, or None; raises where nobody can tell."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Releases:
    """The releases of one package.

    Attributes:
        package: its name.
        newest: asks the index.
    """

    package: str
    newest: Newest

    def lines(self, low: str, high: str) -> tuple[str, ...]:
        """The newest of each minor line (`1.93.*`) strictly between two releases, oldest first."""
        return tuple(reversed(list(self._down(low, high, _line))))

    def between(self, low: str, high: str) -> tuple[str, ...]:
        """Every release strictly between two others, oldest first."""
        return tuple(reversed(list(self._down(low, high, lambda version: version))))

    def _down(self, low: str, high: str, below: Callable[[str], str]) -> Iterator[str]:
        bound = high
        for _ in range(_MOST):
            found = self.newest(f"{self.package}>{low},<{bound}")
            if found is None:
                return
            yield found
            bound = below(found)
            if Version(bound) <= Version(low):
                return


def _line(version: str) -> str:
    """The first release that a minor line can have: what is below it belongs to the line before."""
    return ".".join(map(str, Version(version).release[:2]))


def newest_by(run: Command, uv: Path, python: Path) -> Newest:
    """Ask uv to resolve one requirement, without anything that it would bring along."""

    def newest(requirement: str) -> str | None:
        """See `Newest`.

        Raises:
            UnavailableError: the index cannot be asked.
        """
        with TemporaryDirectory(prefix="llm-contracts-matrix-") as folder:
            wanted = Path(folder) / "wanted.in"
            wanted.write_text(requirement + "\n")
            done = run([uv, *COMPILE, "--no-deps", "--python", python, wanted])
        if not done.code:
            return done.out.strip().partition("==")[2]
        if NO_SOLUTION in done.err:
            return None
        # Else an index that is out of reach would look like one without releases.
        raise UnavailableError(resolver_says(done))

    return newest
