"""tools/beside_releases.py runs tests that exist, beside releases that the harness may be installed with."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

from tools.beside_releases import SETS, command

ROOT = Path(__file__).parents[2]


def test_every_set_runs_tests_that_exist_beside_the_harness() -> None:
    for packages, tests in SETS.values():
        assert [test for test in tests if not (ROOT / test).exists()] == []
        words = list(command(packages, tests))
        assert words[:4] == ["uv", "run", "--no-project", "--isolated"]
        assert set(packages) | set(tests) < set(words)


def test_no_extra_of_the_harness_has_a_ceiling() -> None:
    """One below the release that somebody moves to would turn the tool away."""
    project = tomllib.loads((ROOT / "src/llm_contracts/pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]
    bounds = [
        (extra, str(one))
        for extra, lines in project["optional-dependencies"].items()
        for line in lines
        for one in Requirement(line).specifier
        if one.operator not in {">=", "!="}
    ]
    assert bounds == []
    (pytest_bound,) = [Requirement(line) for line in project["dependencies"] if line.startswith("pytest")]
    assert pytest_bound.specifier.contains("8.0")
