"""The site is built without a warning: each page has its place, each link an end, each name a meaning."""

from __future__ import annotations

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import llm_adapter
from llm_contracts.cli import group
from llm_contracts.parity.divergence import Kind, Severity
from llm_contracts.parity.result import Readiness
from tests.written_commands import ROOT, every_command

pytestmark = pytest.mark.long

DOCS = ROOT / "docs"


class Ids(HTMLParser):
    """The places of a page that can be pointed at."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {value for name, value in attrs if name == "id" and value}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site. The network is out of reach: a proxy that nobody runs stands before it."""
    folder = tmp_path_factory.mktemp("site")
    nowhere = "http://127.0.0.1:9"
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-n", "-W", "--keep-going", str(DOCS), str(folder)],
        cwd=ROOT,
        env={**os.environ, "http_proxy": nowhere, "https_proxy": nowhere},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert built.stderr == ""
    assert built.returncode == 0
    return folder


def test_every_command_is_in_the_reference(site: Path) -> None:
    ids = Ids((site / "commands.html").read_text(encoding="utf-8")).found
    wanted = {name.replace(" ", "-") for name, _ in every_command(group, "llm-contracts")}
    assert wanted - ids == set()


def test_every_name_of_the_adapter_is_in_the_reference(site: Path) -> None:
    ids = Ids((site / "api-adapter.html").read_text(encoding="utf-8")).found
    assert {f"llm_adapter.{name}" for name in llm_adapter.__all__} - ids == set()


def rows(page: Path, heading: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    text = page.read_text(encoding="utf-8").partition(f"# {heading}\n")[2].partition("\n#")[0]
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip(" `") for cell in line] for line in lines]


def test_the_page_of_kinds_has_all_of_them_with_their_severities() -> None:
    table = rows(DOCS / "kinds.md", "Kinds of difference, and verdicts")
    assert [(Kind(row[0]), Severity(row[1])) for row in table] == [(kind, kind.severity) for kind in Kind]


def test_the_page_of_kinds_says_of_each_what_to_look_at_and_what_to_do() -> None:
    table = rows(DOCS / "kinds.md", "What to do about it")
    assert [Kind(row[0]) for row in table] == list(Kind)
    assert all(look and do for _, look, do in table)


def test_a_page_with_a_go_is_part_of_the_site(site: Path) -> None:
    """Made of the live recordings in examples/first-go."""
    page = (site / "_static" / "go.html").read_text(encoding="utf-8")
    assert "local <small>ready</small>" in page
    assert "NO-GO" not in page.partition("<script")[0]
    assert 'href="_static/go.html"' in (site / "report.html").read_text(encoding="utf-8")


def test_the_page_of_verdicts_has_all_of_them() -> None:
    assert {Readiness(row[0]) for row in rows(DOCS / "kinds.md", "Verdicts")} == set(Readiness)
