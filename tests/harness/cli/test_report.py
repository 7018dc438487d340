"""`llm-contracts report`: from the stored result alone, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from llm_contracts.cli import run
from tests.fixtures import Capsys


@pytest.fixture
def project(project: Path) -> Path:
    run(["check", "--candidate", "shouting"])
    return project


def page(project: Path) -> str:
    return (project / "report" / "index.html").read_text(encoding="utf-8")


def test_the_page_is_made_of_what_check_left_without_running_anything(project: Path, capsys: Capsys) -> None:
    capsys.readouterr()
    paths = project / "contracts" / "clients.py"
    paths.write_text(f"{paths.read_text()}\nCLIENTS.clear()\n")  # nothing could run any more
    assert run(["report"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("report/index.html: ")
    assert "NO-GO" in page(project)
    assert "out of date" in err
    assert "Out of date." in page(project)


def test_the_same_result_gives_the_same_page(project: Path) -> None:
    run(["report"])
    first = page(project)
    run(["report"])
    assert page(project) == first


def test_the_page_goes_where_it_is_asked_for(project: Path) -> None:
    run(["check", "--report", "elsewhere"])
    assert run(["report", "--report", "elsewhere", "--html", "out/parity.html"]) == 0
    assert (project / "out" / "parity.html").is_file()
    assert not (project / "report" / "index.html").exists()


def test_the_page_goes_to_standard_output(project: Path, capsys: Capsys) -> None:
    capsys.readouterr()
    assert run(["report", "--html", "-"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("<!doctype html>")
    assert out.endswith("</html>")


def test_without_a_result_it_says_what_to_run(project: Path, capsys: Capsys) -> None:
    assert run(["report", "--report", "nowhere"]) == 2
    assert "Run `llm-contracts check` first" in capsys.readouterr().err


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


@pytest.mark.parametrize("damage", [Path.unlink, cut])
def test_items_that_are_damaged_are_3_and_leave_the_old_page(
    project: Path, damage: Callable[[Path], None], capsys: Capsys
) -> None:
    run(["report"])
    first = page(project)
    damage(project / "report" / "items.jsonl")
    assert run(["report"]) == 3
    assert "items.jsonl" in capsys.readouterr().err
    assert page(project) == first


def test_a_key_gets_into_no_page(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capsys) -> None:
    """The details are compressed: nobody could find it there afterwards."""
    items = project / "report" / "items.jsonl"
    items.write_text(
        items.read_text().replace("127.0.0.1", "key-of-acme-1234567").replace("hello", "key-of-acme-1234567")
    )
    monkeypatch.setenv("ACME_API_KEY", "key-of-acme-1234567")
    assert run(["report"]) == 4
    assert "key-of-acme" not in capsys.readouterr().err
    assert not (project / "report" / "index.html").exists()
