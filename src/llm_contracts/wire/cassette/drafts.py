"""Drafts: what a file is written as before it takes the place of the old one.

No reader loads them, because they do not end in `.yaml`. A process that is killed leaves its draft behind;
the name says whose it was, so that the next run can take it away and leave alone what others are writing.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

_NAME = re.compile(r"\..+\.(\d+)\.[^.]+\.tmp")


def new_draft(file: Path) -> tuple[int, Path]:
    """An open, empty file beside `file`, readable by its owner alone, and its path."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.{os.getpid()}.", suffix=".tmp")
    return handle, Path(name)


def abandoned_drafts(folder: Path) -> tuple[Path, ...]:
    """The drafts anywhere below the folder whose process has ended."""
    named = ((file, _NAME.fullmatch(file.name)) for file in sorted(folder.rglob(".*.tmp")))
    return tuple(file for file, match in named if match and not _is_running(int(match[1])))


def remove_abandoned_drafts(folder: Path) -> None:
    """Take away what killed processes have left. One that cannot be removed stays; it does no harm."""
    for draft in abandoned_drafts(folder):
        try:
            draft.unlink(missing_ok=True)
        except OSError:
            continue


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
