"""The documentation: it names what there is, and its links lead somewhere."""

from __future__ import annotations

import ast
import re
from datetime import date
from pathlib import Path

import pytest

import llm_adapter
from llm_adapter.providers import PROVIDERS
from llm_contracts.parity.waivers import load_waivers

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_in_python_parses_and_imports_only_what_the_adapter_offers(page: Path) -> None:
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module == "llm_adapter":
                assert {name.name for name in node.names} <= set(llm_adapter.__all__)


def test_the_inventory_tells_of_each_provider_how_it_moves() -> None:
    text = (ROOT / "docs" / "inventory.md").read_text(encoding="utf-8")
    table = text.partition("## How each provider moves")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \|.*?\| (\w+) \|[^|]*\|$", table, re.MULTILINE)
    custom = {"ernie_v1", "dify"}
    assert dict(rows[1:]) == {row.key: "custom" if row.speaks in custom else row.speaks for row in PROVIDERS}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_waivers_on_a_page_would_be_taken(page: Path, tmp_path: Path) -> None:
    for block in re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        if "[[waiver]]" in block:
            file = tmp_path / "waivers.toml"
            file.write_text(block, encoding="utf-8")
            assert load_waivers(file, date(2026, 11, 22)).complaints == ()
