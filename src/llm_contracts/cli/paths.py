"""Paths that people give: what cannot be read or written is refused in a sentence, before anything runs."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import click

_REASONS = {
    errno.ENOENT: "there is no such file or folder",
    errno.EACCES: "this user may not read or write it",
    errno.EPERM: "this user may not read or write it",
    errno.EROFS: "the disk can only be read",
    errno.EISDIR: "it is a folder, not a file",
    errno.ENOTDIR: "a file stands where a folder is needed",
    errno.EEXIST: "a file stands where a folder is needed",
    errno.ELOOP: "its links lead round in a circle",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk is full",
}
_LONGEST = 200  # characters of a path that a message repeats


def reason(error: OSError) -> str:
    """Why a file cannot be used, without the number of the error and its name."""
    return _REASONS.get(error.errno or 0, error.strerror or type(error).__name__)


def refusal(error: OSError) -> str:
    """The same in a sentence with the path, if the error knows it; our own errors are sentences already."""
    if error.errno is None:
        return str(error)
    named = "" if error.filename is None else f"{str(error.filename)[:_LONGEST]}: "
    return f"{named}{reason(error)}."


class InputPath(click.Path):
    """A file or folder that must be there; `-` with `allow_dash`."""

    def __init__(self, **checks: Any) -> None:
        super().__init__(exists=True, path_type=Path, **checks)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, if it can be looked up."""
        try:
            return super().convert(value, param, ctx)
        except (OSError, ValueError) as error:  # ValueError: a name with a null character
            self.fail(f"{str(value)[:_LONGEST]!r}: {_why(error)}.", param, ctx)


class OutputPath(click.Path):
    """A file or folder to write: whatever folders are missing can be made; `-` with `allow_dash`."""

    def __init__(self, **checks: Any) -> None:
        super().__init__(readable=False, path_type=Path, **checks)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, if a file or folder can stand there."""
        if not str(value):
            self.fail("the name is empty.", param, ctx)
        try:
            found = super().convert(value, param, ctx)
            path = Path(str(found))
            # What is there and is not a folder can be written, pipes and /dev/stdout among it.
            if str(path) != "-" and not (self.file_okay and path.exists()):
                self._look(path.resolve())
        except (OSError, RuntimeError, ValueError) as error:
            self.fail(f"{str(value)[:_LONGEST]!r}: {_why(error)}.", param, ctx)
        return found

    def _look(self, path: Path) -> None:
        """Raises OSError where nothing can be written."""
        there = next(place for place in (path, *path.parents) if _is_there(place))
        if not there.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "")
        if there != path and not os.access(there, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "")


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return reason(error)
    return reason(OSError(errno.ELOOP, "")) if isinstance(error, RuntimeError) else "it is not a path"
