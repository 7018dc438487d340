"""Files that people and other programs read while they are written: each is replaced whole or not at all.

A file is first written as a draft beside it. Nobody reads drafts, git ignores them (`.*.tmp`), and their name
holds the process that wrote them: what a killed process has left is removed by the next one, and what others
are writing is left alone.
"""

from __future__ import annotations

import errno
import fnmatch
import os
import re
import secrets
import select
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from glob import iglob
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows: there, nothing stops two runs
    fcntl = None  # type: ignore[assignment]

_DRAFT = re.compile(r"\..+\.(\d+)\.[0-9a-f]{8}\.tmp")


class LockedError(Exception):
    """Another process is writing to the same folder."""


def files_below(folder: Path, pattern: str = "*") -> Iterator[Path]:
    """All that lies in the depths of a folder and is named so, folders included. Linked folders are not
    entered. Others may remove any of it meanwhile: before Python 3.12, `Path.rglob` raises then.
    """
    for below, folders, files in os.walk(folder):
        yield from (Path(below, name) for name in fnmatch.filter((*folders, *files), pattern))


def files_like(folder: Path, pattern: str) -> Iterator[Path]:
    """`Path.glob` without `**`, of a folder that others may change meanwhile: before Python 3.12, that raises
    where they remove a folder.
    """
    found = iglob(pattern, root_dir=folder, include_hidden=True)  # noqa: PTH207 - that one raises
    return map(folder.joinpath, found)


def read_file(file: Path, *, writer_within: float = 0) -> bytes:
    """What a file holds; also a pipe, if somebody writes into it within so many seconds.

    Raises:
        OSError: it cannot be read; or it is a pipe, a socket or a device, which may never end.
    """
    with os.fdopen(os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as opened:
        found = os.fstat(opened.fileno())
        if stat.S_ISREG(found.st_mode) or os.path.samestat(found, Path(os.devnull).stat()):
            return opened.read()
        if stat.S_ISFIFO(found.st_mode) and select.select([opened], [], [], writer_within)[0]:
            os.set_blocking(opened.fileno(), True)
            return opened.read()
    raise _irregular(file, found.st_mode)


def _irregular(file: Path, mode: int) -> OSError:
    if stat.S_ISDIR(mode):
        return IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
    return OSError(errno.EINVAL, "Not a regular file", str(file))


@contextmanager
def replacing(file: Path, *, check: Callable[[Path], None] = lambda _draft: None) -> Iterator[IO[bytes]]:
    """Write a file anew: the block writes a draft, which takes the file's place in one step when it ends.

    When anything fails, Ctrl-C and a full disk included, the draft is removed and the file is as it was. The
    file keeps its permissions, its folder is made if need be, and a symbolic link goes on pointing to it.

    Args:
        file: what to write.
        check: given the finished draft; what it raises leaves the file as it was.

    Raises:
        OSError: the disk is full, say; or something else than a file stands there: a link to a device
            would cost the machine that device.
    """
    file = Path(os.path.realpath(file))
    if file.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(file))
    mode = _mode(file)
    if mode is not None and not stat.S_ISREG(mode):
        raise _irregular(file, mode)
    file.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned_drafts(file.parent, deep=False)
    draft = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    permissions = 0o666 if mode is None else mode & 0o777
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, permissions)
    try:
        with os.fdopen(handle, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        if mode is not None:
            draft.chmod(permissions)
        check(draft)
        rename(draft, file)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _mode(file: Path) -> int | None:
    """What stands there, and its permissions; None where nothing does."""
    try:
        return file.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None


def rename(draft: Path, file: Path) -> None:
    """Let a draft, which is on the disk, take a file's place; the new name is on the disk, too."""
    draft.replace(file)
    with suppress(OSError):  # not every system can
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def replace_file(file: Path, text: str, *, check: Callable[[Path], None] = lambda _draft: None) -> None:
    """Put a text in a file's place; see `replacing`."""
    with replacing(file, check=check) as out:
        out.write(text.encode())


def write_text(file: Path, text: str) -> None:
    """Write a whole file or nothing; `-` is standard output."""
    write_pieces(file, (text,))


def write_pieces(file: Path, pieces: Iterable[str]) -> None:
    """The same, never holding more than a piece of it."""
    if str(file) == "-":
        sys.stdout.writelines(pieces)
    elif file.exists() and not file.is_file():  # a pipe, /dev/stdout: nothing to replace
        with file.open("w", encoding="utf-8") as out:
            out.writelines(pieces)
    else:
        with replacing(file) as draft:
            draft.writelines(piece.encode() for piece in pieces)


def abandoned_drafts(folder: Path, *, deep: bool = True) -> tuple[Path, ...]:
    """The drafts in a folder, or anywhere below it (`deep`), whose process has ended."""
    drafts = (files_below if deep else files_like)(folder, ".*.tmp")
    named = ((file, _DRAFT.fullmatch(file.name)) for file in sorted(drafts))
    return tuple(file for file, match in named if match and not _is_running(int(match[1])))


def remove_abandoned_drafts(folder: Path, *, deep: bool = True) -> None:
    """Remove what killed processes have left. One that cannot be removed stays; it does no harm."""
    for draft in abandoned_drafts(folder, deep=deep):
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    if os.name == "nt":  # there, asking after a process ends it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


@contextmanager
def locked(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """One process at a time in a folder. The lock ends with the process that holds it, however that ends.

    Args:
        folder: what to lock; made if it is not there.
        wait: for the other to finish.

    Raises:
        LockedError: another process is at it, and this one does not wait.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY) if fcntl is not None else None
    try:
        if handle is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError as error:
                raise LockedError(f"{folder}: another process is writing there.") from error
            except OSError:
                pass
        yield
    finally:
        if handle is not None:
            os.close(handle)
