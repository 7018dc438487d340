"""The page about drift says of each change how severe it can be."""

from __future__ import annotations

from llm_contracts.drift.compare import ChangeKind
from tests.harness.drift.page import SEVERITIES


def test_the_page_names_each_change() -> None:
    assert SEVERITIES.keys() == set(map(str, ChangeKind))


def test_severities_are_told_the_worst_first() -> None:
    order = ["breaking", "visible", "cosmetic"]
    for severities in SEVERITIES.values():
        assert severities == sorted(severities, key=order.index)
