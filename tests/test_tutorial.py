"""The tutorial: whoever follows it gets what it shows, with fewer than 40 lines of their own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.tutorial import ROOT, Reader, commands, files, installed, settled

pytestmark = pytest.mark.long

PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")


def test_each_command_prints_what_the_page_shows(tmp_path: Path) -> None:
    """If it does not, see whether that is meant; `make docs` writes the page anew."""
    shop = tmp_path / "teahouse"
    shop.mkdir()
    try:
        environment = installed(tmp_path)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no package index can be reached: {error.stderr.strip().splitlines()[-1]}")
    reader = Reader(folder=shop, environment=environment)
    assert settled(reader.follow(PAGE)).splitlines() == settled(PAGE).splitlines()


def test_the_reader_writes_fewer_than_40_lines() -> None:
    lines = [line for text in files(PAGE).values() for line in text.splitlines() if line.strip()]
    assert 0 < len(lines) < 40


def test_what_prints_differently_each_day_is_left_out_and_nothing_else() -> None:
    page = "of 2026-11-22, litellm 1.105.0, checked 3 min ago: 3 recorded"
    assert settled(page) == "of DATE, litellm VERSION, checked AGO: 3 recorded"


def test_commands_are_the_lines_after_a_prompt() -> None:
    assert commands("$ one --two\nprinted $ 3\n$ two\n") == ["one --two", "two"]


def test_a_page_that_shows_something_else_is_noticed(tmp_path: Path) -> None:
    page = (
        "`tea.txt`\n\n```text\noolong\n```\n\n```console\n$ cat tea.txt\ngreen\n$ false\n$ echo $?\n0\n```\n"
    )
    followed = Reader(folder=tmp_path, environment=tmp_path).follow(page)
    assert followed == page.replace("green", "oolong").replace("?\n0", "?\n1")
