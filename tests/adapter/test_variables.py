"""The table of variables: complete, and what the committed files are made from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from llm_adapter.settings import Settings
from llm_adapter.variables import FILES, example, main, page, sections, stale

ROOT = Path(__file__).resolve().parents[2]
TABLE = [variable for section in sections() for variable in section.variables]


class _Asked(dict[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, **values: str) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


def test_the_table_names_every_variable_that_is_read_and_no_other() -> None:
    asked = _Asked(ARK_ACCESS_KEY_ID="k", ARK_SECRET_ACCESS_KEY="s")
    Settings.from_environ(asked)
    assert sorted(variable.name for variable in TABLE) == sorted({name.upper() for name in asked.names})


def test_every_variable_has_a_meaning_and_says_what_holds_without_it() -> None:
    assert [variable.name for variable in TABLE if not (variable.meaning and variable.default)] == []


def test_the_example_can_be_read_as_it_is_and_with_everything_in_it_switched_on() -> None:
    lines = [line for line in example().splitlines() if "=" in line]
    assert Settings.from_environ(_variables(lines)) == Settings.from_environ({})
    everything = Settings.from_environ(_variables([line.removeprefix("# ") for line in lines]))
    assert everything.warnings == ()
    assert (everything.default_temperature, everything.allowed_models) == (0.3, ("gpt-4o", "qwen/qwen-plus"))


def _variables(lines: list[str]) -> dict[str, str]:
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_0-9]+=", line))


def test_the_page_has_a_row_for_each_variable() -> None:
    rows = re.findall(r"^\| `([A-Z_0-9]+)` \|", page(), re.MULTILINE)
    assert rows == [variable.name for variable in TABLE]


def test_the_committed_files_are_current() -> None:
    assert stale(ROOT) == [], "run python -m llm_adapter.variables"


def test_writing_makes_stale_files_current_and_checking_names_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    assert main(["--check"], tmp_path) == 1
    said = capsys.readouterr().err
    assert all(f"{name} is stale" in said for name in FILES)
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    (tmp_path / ".env.example").write_text("OLD=")
    assert stale(tmp_path) == [".env.example"]
