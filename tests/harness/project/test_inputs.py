"""A stored result knows what it was made from, down to the project's own code."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llm_contracts.project.config import load_settings
from llm_contracts.project.inputs import changed_since, input_files, outdated
from llm_contracts.project.load import load_project
from llm_contracts.util.versions import versions
from tests.harness.run.projects import TOML, make_project


def test_the_projects_own_modules_are_inputs_and_installed_ones_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_project(tmp_path)
    (root / "my_own_client.py").write_text("answer = 1\n")
    monkeypatch.syspath_prepend(root)
    import my_own_client  # type: ignore[import-not-found]

    settings = load_settings(root)
    load_project(settings)
    stored = input_files(settings)
    assert {"my_own_client.py", "contracts/clients.py", "cassettes/acme/other.yaml"} <= stored.keys()
    assert not [name for name in stored if "site-packages" in name]
    assert changed_since(settings, stored) == ()
    (root / "my_own_client.py").write_text("answer = 2\n")
    (root / "cassettes" / "acme" / "other.yaml").unlink()
    assert changed_since(settings, stored) == ("cassettes/acme/other.yaml", "my_own_client.py")
    del sys.modules[my_own_client.__name__]


def test_recordings_outside_the_project_are_left_out(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    root = make_project(tmp_path / "project", toml=TOML + f'cassettes = "{elsewhere}"\n')
    assert not [name for name in input_files(load_settings(root)) if name.endswith(".yaml")]


def test_what_is_not_installed_has_no_version() -> None:
    found = versions(("pytest", "no-such-distribution"))
    assert list(found) == ["python", "litellm", "openai", "llm-contracts", "pytest"]


def test_the_library_of_a_built_in_client_takes_part() -> None:
    assert "pytest" in versions((), ("pytest-async", "mine", "shop.llm:call"))


def test_a_result_does_not_outlive_the_release_of_its_client_s_library(tmp_path: Path) -> None:
    settings = load_settings(make_project(tmp_path))
    now = datetime.now(UTC)
    stored = {"reference": "pytest", "candidate": "mine", "checked_at": now.isoformat()}
    used = {**versions((), ("pytest",)), "pytest": "0.0.1"}
    assert outdated(settings, {**stored, "versions": used}, now=now) == ("pytest",)
