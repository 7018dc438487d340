"""A matrix as people see it: terminal, Markdown, and the page of the documentation."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from llm_contracts.matrix.bisect import BisectTarget, Bracket, bisect_document
from llm_contracts.matrix.markdown import bisection_markdown, grid, matrix_markdown, releases
from llm_contracts.matrix.plan import Unsupported
from llm_contracts.matrix.table import Cell, CellState, Table
from llm_contracts.parity.divergence import Kind
from tests.harness.matrix.cells import PINNED, cell, difference, pair
from tools.upgrades_page import main

GEMINI = Unsupported(provider="zenith", reason="It downloads.")
TABLE = Table(
    pinned=cell(PINNED, difference(Kind.TEXT), measures={"CPU": "1.0"}),
    cells=(
        cell(
            pair("1.80.11"),
            difference(candidate="a|b`c"),
            difference(item="zenith/plain"),
            difference(Kind.DELTAS, accepted=True),
            known=(GEMINI,),
            measures={"CPU": "1.3"},
        ),
        Cell(pair=pair("1.1.0"), state=CellState.FAILED, reason="Because <nobody> has it."),
        Cell(pair=pair("1.82.7"), state=CellState.UNSUPPORTED, reason="It stole."),
    ),
)


def test_the_grid_counts_scenarios_and_what_changed() -> None:
    heads, rows = grid(TABLE)
    assert heads == [("1.105.0*", "2.54.0"), ("1.80.11", "2.54.0")]
    assert {name: texts for name, *texts in rows} == {
        "agree": ["2", "1"],
        "text": ["1", "0 (-1)"],
        "usage": ["", "2 (+2)"],
        "CPU": ["1.0", "1.3"],
    }


def test_the_page_says_what_changed_and_what_was_not_tried() -> None:
    text = matrix_markdown(TABLE)
    assert "* `usage` at `usage.total_tokens`: new, breaking. reference" in text
    assert "* `usage` at `usage.total_tokens`: new, breaking, does not count: not supported. " in text
    assert "  Under 1.80.11, in up to 1 scenario: acme/plain\n" in text
    assert "LiteLLM 1.1.0 with openai 2.54.0: could not be tried. Because &lt;nobody> has it." in text
    assert "LiteLLM 1.82.7 with openai 2.54.0: not tried. It stole." in text
    assert "zenith differs in 1 scenario, which does not count here. It downloads." in text
    assert "1 pair of releases against LiteLLM 1.105.0 with openai 2.54.0, 2 not tried, 1 change" in text


def test_pairs_that_do_not_fit_side_by_side_follow_below() -> None:
    cells = tuple(cell(pair(f"1.{minor}.0", "3.54.0"), difference()) for minor in range(80, 92))
    text = matrix_markdown(Table(pinned=cell(PINNED), cells=cells))
    heads = [line for line in text.splitlines() if line.startswith("| LiteLLM |")]
    assert [head.count(" | ") for head in heads] == [12, 1]
    assert [text.count(f"1.{minor}.0 |") for minor in range(80, 92)] == [1] * 12
    assert [line for line in text.splitlines() if line.startswith("| `usage` |")][1] == "| `usage` | 1 (+1) |"
    assert "1.80.0 + 3.54.0" in text


def test_nothing_that_changed_is_said_in_as_many_words() -> None:
    calm = Table(pinned=cell(PINNED), cells=(cell(pair("1.80.11")),))
    assert "nothing changes for the worse" in matrix_markdown(calm)
    assert "Nothing changes." in matrix_markdown(calm)


def test_what_both_paths_do_otherwise_is_shown_with_both_values() -> None:
    moved = {"acme/plain": {"reference": {"deltas": 5}, "candidate": {"deltas": 5}}}
    text = matrix_markdown(Table(pinned=cell(PINNED), cells=(cell(pair("1.80.11"), items=moved),)))
    assert "* `outcome` at `deltas`: both clients alike" in text
    assert ". pinned `2`, here `5`.\n" in text


def test_many_changes_are_cut_and_counted() -> None:
    many = [difference(Kind.TEXT, where=f"place-{chr(97 + n)}") for n in range(20)]
    table = Table(pinned=cell(PINNED), cells=(cell(pair("1.80.11"), *many),))
    assert "And 15 more; `--json FILE` lists them all." in matrix_markdown(table, most=5)


def test_markdown_keeps_values_in_their_code() -> None:
    text = matrix_markdown(TABLE)
    assert '``"a|b`c"``' in text
    assert "Because &lt;nobody> has it." in text
    assert "| `usage` |  | 2 (+2) |" in text


@pytest.mark.parametrize(
    ("some", "words"),
    [("abc", "a to c"), ("ab", "a, b"), ("abde", "a, b, d, e"), ("ecd", "c to e"), ("af", "a, f")],
)
def test_neighbouring_releases_are_a_range(some: str, words: str) -> None:
    assert releases(list(some), list("abcdef")) == words


def test_a_bisection_names_the_release_and_its_doubts() -> None:
    goal = BisectTarget(kind=Kind.USAGE, appears=True, scenarios=("acme/plain",))
    found = Bracket(before="1.93.2", after="1.94.3", untried=("1.94.0",), tried=("1.94.3", "1.94.0"))
    text = bisection_markdown(goal, found, "litellm")
    assert "litellm 1.94.3 brought `usage`" in text
    assert "litellm 1.93.2 is the last release without that change" in text
    assert "may be one of these: 1.94.0" in text


def test_the_page_is_made_of_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result, search, target = (tmp_path / name for name in ("matrix.json", "bisect.json", "upgrades.md"))
    facts = {"reference": "left", "candidate": "right", "checked_at": "2026-01-02T03:04:05", "command": "x y"}
    result.write_text(json.dumps(TABLE.document(**facts)))
    goal = BisectTarget(kind=Kind.USAGE, appears=False, scenarios=("acme/plain",))
    bracket = Bracket(before="1.100.5", after="1.101.0", tried=("1.101.0",))
    search.write_text(json.dumps({"bisect": bisect_document(goal, bracket, "litellm", command="x --bisect")}))
    assert main([str(target), str(result), str(search)]) == 0
    page = target.read_text()
    assert "## `left` against `right`" in page
    assert "3 scenarios (acme, zenith) on 2026-01-02, by\n\n    x y\n" in page
    assert "## `usage` vanishes with litellm 1.101.0" in page
    assert "Not tried" not in page
    less = tmp_path / "less.json"
    less.write_text(json.dumps(replace(TABLE, cells=TABLE.cells[:1]).document(**facts)))
    assert main([str(tmp_path / "both.md"), str(result), str(less)]) == 0
    missing = (
        "Not tried for this table: LiteLLM 1.1.0 with openai 2.54.0; LiteLLM 1.82.7 with openai 2.54.0.\n"
    )
    assert (tmp_path / "both.md").read_text().count(missing) == 1
    assert main([str(target)]) == 2
    result.write_text("[]")
    assert main([str(target), str(result)]) == 3
    assert "matrix.json: is not a result" in capsys.readouterr().err
    assert target.read_text() == page
