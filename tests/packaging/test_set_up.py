"""Set-up installs what the lock file says, whatever has been released since, and by whichever installer."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.packaging.index import Index

pytestmark = pytest.mark.long

SET_UP = Path(__file__).parents[2] / "tools" / "set_up.py"
UV = f'exec "{find_uv_bin()}" "$@"'
_INSTALLED = """
import importlib.metadata as m, json
found = {d.name: [d.version, d.read_text("INSTALLER").strip()] for d in m.distributions()}
print(json.dumps({name: found[name] for name in found.keys() - {"pip", "setuptools"}}))
"""


@dataclass(kw_only=True)
class Machine:
    """A machine with an index in reach, on which `tea` was released anew after the lock file was written.

    `shop` asks for an extra of `tea`: at that, a resolver looks at the newest release, which is not locked.
    """

    folder: Path
    index: Index
    lock: Path
    variables: dict[str, str] = field(default_factory=dict)
    python: str = sys.executable

    def program(self, name: str, text: str) -> None:
        """Put a program on the PATH."""
        file = self.folder / "bin" / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)

    def set_up(self) -> subprocess.CompletedProcess[str]:
        environ = {**self.index.environ(self.folder / "bin"), **self.variables}
        words: list[str | Path] = [self.python, SET_UP, self.lock, "--venv", self.folder / "venv"]
        return subprocess.run(
            words, cwd=self.folder, env=environ, capture_output=True, text=True, check=False, timeout=120
        )

    def installed(self) -> Mapping[str, list[str]]:
        """Distribution → its release, and who installed it."""
        words: list[str | Path] = [self.folder / "venv" / "bin" / "python", "-c", _INSTALLED]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
        found: dict[str, list[str]] = json.loads(done.stdout)
        return found


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "bin").mkdir()
    index = Index(folder=tmp_path / "simple")
    lock = tmp_path / "requirements.lock"
    tea = index.add("tea", "1.0", extras=["milk"])
    lock.write_text(tea + index.add("shop", "1.0", requires=["tea[milk]>=1.0"]))
    index.add("tea", "1.1", extras=["milk"])
    return Machine(folder=tmp_path, index=index, lock=lock)


@pytest.fixture(scope="module")
def pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that has pip, which Python takes seconds to bring along."""
    folder = tmp_path_factory.mktemp("pip") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=120)
    return folder


@pytest.fixture
def pip_is_there(machine: Machine, pip: Path) -> None:
    shutil.copytree(pip, machine.folder / "venv", symlinks=True, copy_function=os.link)


@pytest.mark.parametrize(
    ("installer", "program"),
    [
        pytest.param("uv", UV, id="uv"),
        pytest.param("pip", "exit 127", id="pip, as uv is a shim that leads nowhere"),
    ],
)
def test_the_locked_release_is_installed_and_compiled_although_there_is_a_newer_one(
    machine: Machine, installer: str, program: str
) -> None:
    machine.program("uv", program)
    done = machine.set_up()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.installed() == {"tea": ["1.0", installer], "shop": ["1.0", installer]}
    assert len(list((machine.folder / "venv").glob("lib/*/site-packages/__pycache__/tea.*.pyc"))) == 1


def test_without_uv_the_locked_one_is_fetched_by_the_pip_that_is_there_and_installs(machine: Machine) -> None:
    machine.python = str(Path(sys.base_prefix, "bin", "python3"))
    words = [machine.python, "-m", "pip", "--version"]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("this Python has no pip")
    machine.index.add("uv", "2.0", program="#!/bin/sh\nexit 1\n")
    uv = machine.index.add("uv", "1.0", program=f"#!/bin/sh\n{UV}\n")
    machine.lock.write_text(machine.lock.read_text() + uv)
    assert machine.set_up().returncode == 0
    assert machine.installed() == {"tea": ["1.0", "uv"], "shop": ["1.0", "uv"], "uv": ["1.0", "pip"]}
    assert not list((machine.folder / "venv").glob("lib/*/site-packages/pip"))


@pytest.mark.usefixtures("pip_is_there")
def test_where_uv_cannot_reach_the_index_pip_installs_and_one_line_says_so(machine: Machine) -> None:
    machine.program("uv", UV)
    machine.variables |= {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}
    done = machine.set_up()
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert line.startswith("uv cannot install here (")
    assert line.endswith("), so pip does; that takes longer.")
    assert machine.installed() == {"tea": ["1.0", "pip"], "shop": ["1.0", "pip"]}


def test_more_can_be_added_to_an_environment(machine: Machine) -> None:
    machine.program("uv", UV)
    assert machine.set_up().returncode == 0
    machine.lock.write_text(machine.index.add("cups", "3.0"))
    assert machine.set_up().returncode == 0
    assert machine.installed().keys() == {"tea", "shop", "cups"}


@pytest.mark.usefixtures("pip_is_there")
def test_a_package_with_another_hash_is_installed_by_nobody(machine: Machine) -> None:
    machine.program("uv", UV)
    machine.index.add("tea", "1.0", extras=["poison"])
    done = machine.set_up()
    assert done.returncode == 1
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in done.stderr  # pip's words, after uv's
    assert machine.installed() == {}


@pytest.mark.usefixtures("pip_is_there")
def test_a_package_without_a_hash_is_installed_by_nobody(machine: Machine) -> None:
    machine.program("uv", UV)
    machine.lock.write_text("tea==1.0\n")
    done = machine.set_up()
    assert (done.returncode, machine.installed()) == (1, {})
    assert "Hashes are required in --require-hashes mode" in done.stderr  # pip's words, after uv's
