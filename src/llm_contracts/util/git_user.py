"""Who is at the keyboard."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def git_user(folder: Path) -> str:
    """The name that git would put under a commit in a folder; empty if it knows none."""
    git = shutil.which("git")
    if git is None:
        return ""
    told = subprocess.run(  # noqa: S603 - git itself, with no argument from outside
        [git, "config", "user.name"], cwd=folder, capture_output=True, text=True, check=False
    )
    return told.stdout.strip()
