"""The documentation: it names what there is, and its links lead somewhere."""

from __future__ import annotations

import ast
import re
from datetime import date
from pathlib import Path

import llm_adapter
from llm_adapter.providers import PROVIDERS
from llm_contracts.parity.waivers import load_waivers

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def blocks(language: str) -> list[tuple[Path, str]]:
    """Each fenced block in this language, with its page."""
    fence = re.compile(rf"```{language}\n(.*?)```", re.DOTALL)
    return [(page, block) for page in PAGES for block in fence.findall(page.read_text(encoding="utf-8"))]


def test_links_lead_to_files_that_are_there() -> None:
    link = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
    links = [(page, found) for page in PAGES for found in link.findall(page.read_text(encoding="utf-8"))]
    assert links
    assert [(page.name, to) for page, to in links if not (page.parent / to).exists()] == []


def test_no_page_installs_the_harness_by_a_name_that_another_project_has_on_pypi() -> None:
    install = re.compile(r"pip3? install[^|\n]*")
    found = [(page.name, install.findall(page.read_text(encoding="utf-8"))) for page in PAGES]
    lines = [(page, line) for page, some in found for line in some]
    ours = [(page, line) for page, line in lines if re.search(r"llm[-_](contracts|adapter)", line)]
    assert ours
    assert [line for _, line in ours if re.search(r"(?<![./\w-])llm-(contracts|adapter)", line)] == []


def test_code_in_python_parses_and_imports_only_what_the_adapter_offers() -> None:
    imports = [
        (page.name, name.name)
        for page, block in blocks("python")
        for node in ast.walk(ast.parse(block, filename=page.name))
        if isinstance(node, ast.ImportFrom) and node.module == "llm_adapter"
        for name in node.names
    ]
    assert imports
    assert [(page, name) for page, name in imports if name not in llm_adapter.__all__] == []


def test_the_inventory_tells_of_each_provider_how_it_moves() -> None:
    text = (ROOT / "docs" / "inventory.md").read_text(encoding="utf-8")
    table = text.partition("## How each provider moves")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \|.*?\| (\w+) \|[^|]*\|$", table, re.MULTILINE)
    custom = {"ernie_v1", "dify"}
    assert dict(rows[1:]) == {row.key: "custom" if row.speaks in custom else row.speaks for row in PROVIDERS}


def test_waivers_on_a_page_would_be_taken(tmp_path: Path) -> None:
    waivers = [(page.name, block) for page, block in blocks("toml") if "[[waiver]]" in block]
    assert waivers
    file = tmp_path / "waivers.toml"
    for page, block in waivers:
        file.write_text(block, encoding="utf-8")
        assert load_waivers(file, date(2026, 11, 22)).complaints == (), page
