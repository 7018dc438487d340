"""The commit hooks: they need no network, and run what `make setup` installs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]


def hooks() -> list[dict[str, Any]]:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    return [hook for repo in config["repos"] for hook in repo["hooks"] if repo["repo"] == "local"]


def test_all_hooks_are_local() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    assert {hook["language"] for hook in hooks()} == {"system"}


def test_every_hook_runs_a_program_of_the_environment() -> None:
    """Where the tests' interpreter is, the programs of `.venv` are."""
    programs = [hook["entry"].split()[0] for hook in hooks()]
    assert all(program.startswith(".venv/bin/") for program in programs)
    there = Path(sys.executable).parent
    assert [program for program in programs if not (there / Path(program).name).exists()] == []


def test_what_lint_checks_the_hooks_check() -> None:
    """All of `make lint`: else a commit that passes here would fail there."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lint = makefile.partition("\nlint:")[2].partition("\n\n")[0]
    wanted = {line.split("$(BIN)/")[1].removesuffix(" .").split()[0] for line in lint.splitlines()[1:]}
    assert wanted <= {Path(hook["entry"].split()[0]).name for hook in hooks()}
