"""Our contracts: on every recording both paths do the same, and what they do is what was reviewed.

After a change that is meant, `pytest tests/contracts --snapshot-update` rewrites the snapshots; the diff of
these files is the review.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from llm_contracts import run
from llm_contracts.config import load_project, load_settings
from llm_contracts.views.lanes import render_lanes
from llm_contracts.views.snapshots import orphans

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_contracts.parity.result import Item
    from llm_contracts.testing import Contract

PROJECT = load_project(load_settings(Path(__file__).parent))
RECORDED = {row.name: row for row in PROJECT.scenarios if PROJECT.cassette(row).is_file()}


@pytest.fixture(scope="module")
def items(request: pytest.FixtureRequest) -> Mapping[str, Item]:
    """The recordings of the tests that were selected, run side by side, once for all tests."""
    selected = [getattr(test, "callspec", None) for test in request.session.items]
    names = {spec.params.get("name") for spec in selected if spec is not None}
    rows = [row for name, row in RECORDED.items() if name in names]
    today = datetime.now().astimezone().date()
    result = run.check(PROJECT, rows, run.Options(today=today))
    return {item.id: item for item in result.items}


@pytest.mark.parametrize("name", RECORDED)
def test_both_paths_do_the_same(name: str, items: Mapping[str, Item], contract: Contract) -> None:
    contract.assert_parity(items[name])


@pytest.mark.parametrize("name", RECORDED)
def test_it_looks_as_reviewed(name: str, items: Mapping[str, Item], contract_snapshot: Any) -> None:
    assert render_lanes(items[name]) == contract_snapshot(name=name)


def test_every_snapshot_belongs_to_a_recording() -> None:
    assert orphans(PROJECT.settings.snapshots, set(RECORDED)) == ()


def test_every_recording_belongs_to_a_scenario() -> None:
    assert run.orphans(PROJECT) == ()


def test_each_provider_that_can_be_rehearsed_has_recordings() -> None:
    """Fails when the cassettes folder is lost, which would otherwise leave nothing to test, silently."""
    assert {name.partition("/")[0] for name in RECORDED} >= {"openai", "deepseek", "qwen"}
