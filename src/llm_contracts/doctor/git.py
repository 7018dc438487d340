"""What git says about files; nothing at all outside a repository or without git."""

from __future__ import annotations

import subprocess
from pathlib import Path


def is_repository(folder: Path) -> bool:
    """Whether the folder lies in a working tree."""
    return _git(folder, "rev-parse", "--git-dir") is not None


def is_tracked(file: Path) -> bool:
    """Whether git keeps this file."""
    return _git(file.parent, "ls-files", "--error-unmatch", "--", file.name) is not None


def is_ignored(file: Path) -> bool:
    """Whether git passes this file over."""
    return _git(file.parent, "check-ignore", "-q", "--", file.name) is not None


def tracked_files(root: Path) -> tuple[Path, ...]:
    """What git tracks below the root; outside git, every file that does not lie in a hidden folder."""
    listed = _git(root, "ls-files", "-z", "--cached")
    if listed is None:
        paths = (file.relative_to(root) for file in root.rglob("*"))
        names = [str(file) for file in paths if not any(part.startswith(".") for part in file.parts[:-1])]
    else:
        names = [name for name in listed.split("\0") if name]
    return tuple(root / name for name in sorted(names) if (root / name).is_file())


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints; None where it is not there, or says no."""
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and the words are ours but for file names
            ["git", *arguments],  # noqa: S607 - git is found as the user finds it
            cwd=folder,
            capture_output=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.decode("utf-8", "surrogateescape")
