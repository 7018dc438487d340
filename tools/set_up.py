"""Build a virtual environment of exactly what a lock file says: nothing is resolved, every hash is checked.

    python3 tools/set_up.py requirements.lock --project src/llm_adapter --project src/llm_contracts

uv installs, being many times faster: the one on the PATH, else the one that the lock file pins, which pip
fetches first. Where uv cannot do it (it has its own settings for indexes and certificates), pip does.

Whatever Python there is runs this before anything is installed, so it uses the standard library alone.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import distributions
from pathlib import Path

OLDEST = (3, 11)
FIRST_PIP = 23  # can install into another environment: bringing pip along takes seconds
EXACTLY = ("--quiet", "--no-deps", "--require-hashes", "--requirement")
AS_IT_STANDS = ("--quiet", "--no-deps", "--no-build-isolation")  # the build backend is in the lock file
_PINNED_UV = re.compile(r"^uv==(?:.*\\\n)*.*$", re.MULTILINE)


class Environment:
    """A virtual environment, made unless it is there."""

    def __init__(self, folder: Path) -> None:
        self.python = folder / "bin" / "python"
        if not self.python.exists():
            run(sys.executable, "-m", "venv", "--without-pip", folder)

    def install(self, lock: Path, projects: list[Path]) -> None:
        """Install what a lock file pins, and projects in a way that changes to them are seen at once."""
        editable = [word for project in projects for word in ("--editable", str(project))]
        uv = self.uv(lock)
        if uv:
            try:
                run(uv, "pip", "install", "--python", self.python, *EXACTLY, lock)
                if editable:
                    run(uv, "pip", "install", "--python", self.python, *AS_IT_STANDS, *editable)
            except subprocess.CalledProcessError as error:
                lines = str(error.stderr).strip().split("\n")
                reason = next((line for line in reversed(lines) if "cause: " in line), lines[0]).strip()
                sys.stderr.write(f"uv cannot install here ({reason}), so pip does; that takes longer.\n")
            else:
                return
        self.pip_install(*EXACTLY, lock)
        if editable:
            self.pip_install(*AS_IT_STANDS, *editable)

    def compile(self, left_out: str) -> None:
        """Compile what is installed, less paths that match; those Python compiles when they are imported."""
        packages = next(self.python.parents[1].glob("lib/python*/site-packages"))
        run(self.python, "-m", "compileall", "-q", "-j", "0", "-x", left_out, packages, check=False)

    def uv(self, lock: Path) -> str | Path | None:
        """The uv to use: on the PATH, or as pinned; None where there is neither."""
        found = shutil.which("uv")
        if found and run(found, "--version", check=False).returncode == 0:  # a shim may lead nowhere
            return found
        own = self.python.with_name("uv")
        pinned = _PINNED_UV.search(lock.read_text(encoding="utf-8"))
        if pinned and not own.exists():
            with tempfile.TemporaryDirectory() as folder:
                only_uv = Path(folder, "uv.txt")
                only_uv.write_text(pinned[0], encoding="utf-8")
                self.pip_install(*EXACTLY, only_uv)
        return own if own.exists() else None

    def pip_install(self, *words: str | Path) -> None:
        """Let pip install: that of the Python that runs this, else one that Python brings along."""
        pip: tuple[str | Path, ...] = (sys.executable, "-m", "pip", "--python", self.python)
        found = next((each.version for each in distributions(name="pip")), "0")
        if int(found.partition(".")[0]) < FIRST_PIP:
            pip = (self.python, "-m", "pip")
            run(self.python, "-m", "ensurepip")
        run(*pip, "install", "--disable-pip-version-check", "--no-compile", *words)


def run(*words: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with its output in the result.

    Raises:
        CalledProcessError: it failed.
    """
    # Otherwise uv trusts a list of its own, not this machine's authorities. The second is the older name.
    environ = {"UV_SYSTEM_CERTS": "true", "UV_NATIVE_TLS": "true", **os.environ}
    return subprocess.run(words, check=check, capture_output=True, text=True, env=environ)  # noqa: S603


def main() -> None:
    """Set up, or end with what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lock", type=Path, help="a lock file with hashes")
    parser.add_argument(
        "--project", type=Path, action="append", default=[], help="to be installed as it stands"
    )
    parser.add_argument(
        "--not-compiled", default="$^", metavar="PATTERN", help="paths of files to leave uncompiled"
    )
    parser.add_argument("--venv", type=Path, default=Path(".venv"), help="the environment's folder")
    given = parser.parse_args()
    if sys.version_info < OLDEST:
        oldest, own = (".".join(map(str, version[:2])) for version in (OLDEST, sys.version_info))
        parser.error(f"Python {oldest} is needed, {sys.executable} is {own}: make setup PYTHON=python3.12")
    try:
        environment = Environment(given.venv)
        environment.install(given.lock, given.project)
        environment.compile(given.not_compiled)
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.stderr}{error}")


if __name__ == "__main__":
    main()
