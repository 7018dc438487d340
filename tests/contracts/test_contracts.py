"""Our contracts: on every recording both clients do the same, and what they do is what was reviewed.

After a change that is meant, `pytest tests/contracts --snapshot-update` rewrites the snapshots; the diff of
these files is the review.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from llm_contracts.reporting.lanes import render_lanes
from llm_contracts.reporting.snapshots import orphans
from llm_contracts.run import check as run
from tests.contracts.recorded import PROJECT, RECORDED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_contracts import Contract, Item


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
