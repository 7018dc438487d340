"""docs/litellm.md names every known difference once, and proofs that exist."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from tests.contracts.scenarios import SCENARIOS

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "litellm.md"
COUNTS = {"U": 9, "C": 11, "F": 5, "R": 2, "T": 5, "E": 18, "N": 24, "P": 16}
GONE = {"E17"}

_ROW = re.compile(r"^\| (?P<id>[A-Z]\d+) \| (?P<what>.+?) \| (?P<here>\w+) \| (?P<why>.+) \|$", re.MULTILINE)
_TEST = re.compile(r"`(test_\w+)`")
_SCENARIO = re.compile(r"`([a-z_0-9*]+)/([a-z0-9-]+)`")


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One difference."""

    id: str
    what: str
    here: str
    why: str

    @property
    def tests(self) -> set[str]:
        return set(_TEST.findall(self.why))

    @property
    def scenarios(self) -> set[tuple[str, str]]:
        return set(_SCENARIO.findall(self.why))


ROWS = [Row(**found.groupdict()) for found in _ROW.finditer(PAGE.read_text("utf-8"))]


def test_every_known_difference_is_there_once() -> None:
    known = {f"{group}{number}" for group, count in COUNTS.items() for number in range(1, count + 1)}
    assert sorted(row.id for row in ROWS) == sorted(known - GONE)


def test_every_row_of_the_tables_is_understood() -> None:
    """One that the expression above does not match would be checked by nobody."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("|")]
    headings = [line for line in lines if line.startswith(("| id |", "|---"))]
    assert len(lines) == len(headings) + len(ROWS)


def test_a_difference_that_can_be_met_has_proofs_and_another_a_reason() -> None:
    proven = {row.id for row in ROWS if row.here == "yes" and (row.tests or row.scenarios)}
    explained = {row.id for row in ROWS if row.here == "no" and row.why.endswith(".")}
    assert [row.id for row in ROWS if row.id not in proven | explained] == []


def test_every_proof_exists() -> None:
    modules = [ast.parse(file.read_text("utf-8")) for file in TESTS.rglob("test_*.py")]
    nodes = (node for module in modules for node in ast.walk(module))
    tests = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    recorded = {(scenario.provider, scenario.id) for scenario in SCENARIOS}
    recorded |= {("*", name) for _, name in recorded}
    missing = {row.id: (row.tests - tests) | (row.scenarios - recorded) for row in ROWS}
    assert {name: proofs for name, proofs in missing.items() if proofs} == {}


def test_what_stands_between_backticks_in_a_proof_is_one() -> None:
    """A name that is misspelt beyond recognition would otherwise pass for prose."""
    unknown = {}
    for row in ROWS:
        spans = [span for span in re.findall(r"`([^`]+)`", row.why) if re.search(r"test|/", span)]
        if len(spans) != len(_TEST.findall(row.why)) + len(_SCENARIO.findall(row.why)):
            unknown[row.id] = spans
    assert unknown == {}
