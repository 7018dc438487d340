"""In a folder that belongs to no project, a command that needs one says so at once, and nothing else."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from llm_contracts.cli import run

NEED_ONE = [
    *("cassettes", "check", "doctor", "drift", "import theirs.yaml", "leftovers", "matrix", "record"),
    *("report", "report --junit -", "review", "review list", "serve", "verdict"),
]


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files in it and a pyproject.toml that is about something else."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "other"\n')
    (tmp_path / "theirs.yaml").write_text("interactions: []\nversion: 1\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("line", NEED_ONE)
def test_a_command_that_needs_a_project_says_so_and_how_to_get_one(
    line: str, bare: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(line.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        f"llm-contracts: {bare} belongs to no project: no pyproject.toml here or above has a "
        "[tool.llm_contracts] table. Go to the project's folder, or begin one here: `llm-contracts init`.\n"
    )
    assert sorted(file.name for file in bare.iterdir()) == ["pyproject.toml", "theirs.yaml"]


@pytest.mark.parametrize(
    "line",
    ["--help", "doctor --help", "corpus theirs.yaml", *("review --report x list", "report --report x")],
)
def test_what_needs_none_does_not_ask_for_one(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(line.split())
    assert "belongs to no project" not in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process can be set on Unix alone")
def test_a_time_zone_that_is_none_is_named_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        with monkeypatch.context() as patch:
            patch.setenv("TZ", "AAA+24")
            time.tzset()
            assert run(["check"]) == 2
    finally:
        time.tzset()
    assert "TZ=AAA+24 in the environment is a day or more from UTC" in capsys.readouterr().err
