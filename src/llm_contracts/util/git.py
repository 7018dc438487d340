"""What git says about a folder and its files. The only module that runs git."""

from __future__ import annotations

import subprocess
from pathlib import Path

from llm_contracts.util.files import files_below


def git(folder: Path, *arguments: str) -> str | None:
    """What git prints when it is run in a folder; None where git is not installed, or fails.

    File names that are not UTF-8 come with surrogate escapes, as Python's own file functions have them.
    """
    output = git_bytes(folder, *arguments)
    return None if output is None else output.decode("utf-8", "surrogateescape")


def git_bytes(folder: Path, *arguments: str) -> bytes | None:
    """The same, for what need not be text."""
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and the words are ours but for names
            ["git", *arguments],  # noqa: S607 - git is found as the user finds it
            cwd=folder,
            capture_output=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout


def git_user(folder: Path) -> str:
    """The name that git would put under a commit in a folder; empty if it has none."""
    return (git(folder, "config", "user.name") or "").strip()


def repository_files(root: Path, *, untracked: bool = False) -> tuple[str, ...]:
    """The files below the root that git tracks, by their names relative to it; with `untracked` also those
    that it neither tracks nor ignores. Outside git all files, but without `untracked` none in hidden folders.
    """
    more = ("--others", "--exclude-standard") if untracked else ()
    listed = git(root, "ls-files", "-z", "--cached", *more)
    if listed is None:
        files = (file.relative_to(root) for file in files_below(root))
        names = {
            file.as_posix()
            for file in files
            if untracked or not any(part.startswith(".") for part in file.parts[:-1])
        }
    else:
        names = {name for name in listed.split("\0") if name}
    return tuple(name for name in sorted(names) if (root / name).is_file())
