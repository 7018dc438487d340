"""What is given to make reaches a program as it stands: nothing of it is expanded or run."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def make(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run our Makefile in a folder that is set up, where `llm-contracts` prints the words it was given."""
    program = tmp_path / ".venv" / "bin" / "llm-contracts"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    makefile = ROOT / "Makefile"
    done = ["--file", str(makefile), "--old-file", ".venv/.ready", "--old-file", "requirements.lock"]
    environment(tmp_path)
    (tmp_path / "requirements.lock").touch()
    for name in ("llm_adapter", "llm_contracts"):
        (tmp_path / "src" / name).mkdir(parents=True)
        (tmp_path / "src" / name / "pyproject.toml").touch()
    (tmp_path / ".venv" / ".ready").touch()
    return subprocess.run(
        ["make", "--no-print-directory", *done, *words],
        cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def environment(folder: Path) -> None:
    """What says of an environment whose it is and that it works."""
    programs = folder / ".venv" / "bin"
    (programs / "activate").write_text(f"VIRTUAL_ENV='{folder}/.venv'\n")
    (programs / "python").symlink_to("/bin/sh")


@pytest.mark.parametrize("fault", ["", "copied", "no python"])
def test_an_environment_of_another_folder_or_without_its_python_is_made_anew(
    tmp_path: Path, fault: str
) -> None:
    """Its programs would run the code of the checkout that it was copied from."""
    folder = tmp_path / "the user's folder"
    folder.mkdir()
    assert make(folder, "replay").stdout == "check\n"
    if fault == "copied":
        folder = folder.rename(tmp_path / "moved")
    if fault == "no python":
        (folder / ".venv" / "bin" / "python").unlink()
    (folder / ".venv" / ".ready").touch()
    planned = subprocess.run(
        ["make", "--dry-run", "--file", str(ROOT / "Makefile"), "replay"],
        cwd=folder, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    assert ("tools/set_up.py" in planned) is bool(fault)


@pytest.mark.parametrize(
    "value", ["a; touch ran", "$(shell touch ran)", "`touch ran`", "x'; touch ran; '", "a b"]
)
def test_a_value_is_one_word_of_the_command(tmp_path: Path, value: str) -> None:
    done = make(tmp_path, "replay", f"PROVIDER={value}", f"SCENARIO={value}")
    assert done.stdout.splitlines() == ["check", "--provider", value, "--scenario", value], done.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "value", ["a; touch ran", "$(shell touch ran)", "`touch ran`", "| touch ran", "> ran"]
)
def test_arguments_may_not_hold_what_a_shell_acts_upon(tmp_path: Path, value: str) -> None:
    done = make(tmp_path, "replay", f"ARGS={value}")
    assert done.returncode == 2
    assert "ARGS may not hold" in done.stderr
    assert not (tmp_path / "ran").exists()


def test_arguments_are_split_and_quoted_ones_are_not(tmp_path: Path) -> None:
    done = make(tmp_path, "doctor", "ARGS=--area secrets --json 'a file'")
    assert done.stdout.splitlines() == ["doctor", "--area", "secrets", "--json", "a file"], done.stderr


MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
GIVEN = re.findall(r"(?m)^GIVEN := (.*)", MAKEFILE)[0].split()


@pytest.mark.parametrize("name", GIVEN)
def test_no_value_has_a_second_line_for_a_shell_of_its_own(tmp_path: Path, name: str) -> None:
    done = make(tmp_path, "doctor", f"{name}=--area\ntouch ran")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{name} may not hold a line end" in done.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", GIVEN)
def test_nothing_is_expanded_in_any_target(tmp_path: Path, name: str) -> None:
    for lock in ("requirements-dev.lock", "requirements-frameworks.lock"):
        (tmp_path / lock).touch()
    targets = re.findall(r"(?m)^([a-z-]+):.*## ", MAKEFILE)
    done = make(tmp_path, "--dry-run", *targets, f"{name}=$(shell touch ran)")
    assert name == "ARGS" or (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "ran").exists()


def test_all_that_is_read_is_checked() -> None:
    assert set(re.findall(r"\b(?:value |quoted,)([A-Z]+)\b", MAKEFILE)) - {"CURDIR"} <= set(
        GIVEN
    )  # make sets that
