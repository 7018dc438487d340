"""The page about drift says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from llm_contracts.drift.difference import ChangeKind

PAGE = Path(__file__).parents[3] / "docs" / "drift.md"


def test_the_page_names_each_change_with_its_severities() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([a-z, ]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(rows) == {
        str(change): ", ".join(str(severity) for severity in change.severities) for change in ChangeKind
    }


def test_severities_are_told_the_worst_first() -> None:
    order = ["breaking", "visible", "cosmetic"]
    for change in ChangeKind:
        told = [str(severity) for severity in change.severities]
        assert told == sorted(told, key=order.index)
