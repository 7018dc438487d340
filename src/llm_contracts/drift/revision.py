"""Files as they were in a revision of git."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_contracts.project.config import ConfigError


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """A commit of the repository that has its top folder at `top`."""

    top: Path
    commit: str

    def changed(self, folder: Path) -> tuple[Path, ...]:
        """The files below a folder that are new, gone or different in the working tree; ignored ones are not
        looked at.
        """
        differing = ("diff", "--name-only", "--no-renames", "-z", self.commit, "--", str(folder))
        untracked = ("ls-files", "--others", "--exclude-standard", "-z", "--", str(folder))
        names = {
            name
            for arguments in (differing, untracked)
            for name in _asked(self.top, arguments).decode("utf-8", "surrogateescape").split("\0")
        }
        return tuple(self.top / name for name in sorted(names) if name)

    def read(self, file: Path) -> bytes | None:
        """What a file held; None where it did not exist."""
        return _git(self.top, ("cat-file", "blob", f"{self.commit}:{file.relative_to(self.top).as_posix()}"))


def revision(folder: Path, name: str) -> Revision:
    """The commit to compare a working tree with: where it parted from `name`, so that what others have done
    there since counts for nothing. For `HEAD` and its ancestors that is `name` itself.

    Raises:
        ConfigError: there is no repository, or it does not know the name.
    """
    top = _git(folder, ("rev-parse", "--show-toplevel"))
    if top is None:
        raise ConfigError(f"{folder} is in no git repository, so there is nothing to compare with.")
    place = Path(_line(top))
    commit = _git(place, ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"))
    if commit is None:
        raise ConfigError(f"git knows no revision {name!r} here. A shallow clone may lack it: git fetch it.")
    parted = _git(place, ("merge-base", _line(commit), "HEAD"))
    return Revision(top=place, commit=_line(parted or commit))


def _line(output: bytes) -> str:
    return output.decode("utf-8", "surrogateescape").strip()


def _asked(folder: Path, arguments: Sequence[str]) -> bytes:
    output = _git(folder, arguments)
    if output is None:
        raise ConfigError(f"git {arguments[0]} failed in {folder}. Try it by hand.")
    return output


def _git(folder: Path, arguments: Sequence[str]) -> bytes | None:
    """What git prints; None where it is not there, or says no."""
    try:
        done = subprocess.run(  # noqa: S603 - no shell
            ["git", *arguments],  # noqa: S607 - git is found as the user finds it
            cwd=folder,
            capture_output=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout
