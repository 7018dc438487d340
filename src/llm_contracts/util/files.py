"""Files that people and other programs read while they are written: replaced whole, or left as they were."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path


def replace_file(file: Path, text: str, *, check: Callable[[Path], None] = lambda _draft: None) -> None:
    """Put a text in a file's place, with the old one's permissions; its folder is made if need be.

    Args:
        file: what to write.
        text: its new content.
        check: given the finished draft beside the file; what it raises leaves the file as it was.

    Raises:
        OSError: the disk is full, say; the old file is as it was.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        if file.exists():
            draft.chmod(file.stat().st_mode & 0o777)
        check(draft)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def write_text(file: Path, text: str) -> None:
    """Write a whole file or nothing; `-` is standard output."""
    if str(file) == "-":
        sys.stdout.write(text)
        return
    write_pieces(file, (text,))


def write_pieces(file: Path, pieces: Iterable[str]) -> None:
    """Write a whole file or nothing, never holding more than a piece of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8") as out:
            out.writelines(pieces)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
