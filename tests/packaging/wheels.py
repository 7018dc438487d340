"""The two distributions as their users get them: built, and installed into environments of their own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin

ROOT = Path(__file__).parents[2]
_PIN = re.compile(r"^[a-z0-9][^\s\\]*==[^\\\n]+", re.MULTILINE)


def build(package: str, folder: Path) -> Path:
    """The wheel of `llm_adapter` or `llm_contracts`, built from its source distribution."""
    hatchling = (sys.executable, "-m", "hatchling", "build", "-d", folder)
    _run(*hatchling, "-t", "sdist", cwd=ROOT / "src" / package)
    (source,) = folder.glob(f"{package}-*.tar.gz")
    _run("tar", "-xzf", source, "-C", folder)
    _run(*hatchling, "-t", "wheel", cwd=folder / source.name.removesuffix(".tar.gz"))
    (wheel,) = folder.glob(f"{package}-*.whl")
    return wheel


def install(environment: Path, *requirements: str) -> None:
    """Install into an environment, which is made unless it is there, in the releases that are locked.

    What set-up has left in uv's cache does; else the package index is asked.

    Raises:
        CalledProcessError: the packages cannot be had.
    """
    if not environment.exists():
        _run(sys.executable, "-m", "venv", "--without-pip", environment)
    pins = environment / "pins.txt"
    pins.write_text("\n".join(_PIN.findall((ROOT / "requirements.lock").read_text(encoding="utf-8"))))
    uv: list[str | Path] = [
        find_uv_bin(),
        "pip",
        "install",
        "--quiet",
        "--system-certs",
        "--constraint",
        pins,
    ]
    words = [*uv, "--python", environment / "bin" / "python", *requirements]
    try:
        _run(*words, "--offline")
    except subprocess.CalledProcessError:
        _run(*words)


def _run(*words: str | Path, cwd: Path = ROOT) -> str:
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=True, timeout=300)
    return done.stdout
