"""Our contracts: on every recording both clients do the same, and what they do is what was reviewed. And what
they see over a real socket, they see inside the process.

After a change that is meant, `pytest tests/contracts --snapshot-update` rewrites the snapshots; the diff of
these files is the review.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from llm_contracts.reporting.lanes import render_lanes
from llm_contracts.run import check as run
from llm_contracts.run.scenario import replay_call
from tests.contracts.callers.played import observed, seen
from tests.contracts.recorded import PROJECT, RECORDED, recorded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_contracts import Contract, Item, Observation
    from llm_contracts.run.engines import Engine

pytestmark = pytest.mark.long

WITH_BOTH_CLIENTS = [
    name for name in RECORDED if name.partition("/")[2] in {"plain-stream", "rate-limit", "mid-stream-error"}
]


@pytest.mark.parametrize("name", RECORDED)
def test_both_paths_do_the_same(name: str, items: Mapping[str, Item], contract: Contract) -> None:
    contract.assert_parity(items[name])


@pytest.mark.parametrize("name", RECORDED)
def test_it_looks_as_reviewed(name: str, items: Mapping[str, Item], contract_snapshot: Any) -> None:
    assert render_lanes(items[name]) == contract_snapshot(name=name)


@pytest.mark.parametrize("name", RECORDED)
def test_the_reference_sees_the_same_in_both_engines(
    name: str, items: Mapping[str, Item], inside: Engine
) -> None:
    outside = items[name].reference
    assert outside is not None
    assert seen(replayed(inside, name, outside.client)) == seen(outside)


@pytest.mark.parametrize("name", WITH_BOTH_CLIENTS)
def test_the_candidate_sees_the_same_in_both_engines(
    name: str, items: Mapping[str, Item], inside: Engine
) -> None:
    outside = items[name].candidate
    assert outside is not None
    assert seen(replayed(inside, name, outside.client)) == seen(outside)


def replayed(engine: Engine, name: str, path: str) -> Observation:
    row = RECORDED[name]
    return observed(engine, recorded(name), replay_call(row, PROJECT.provider(row.provider)), path)


def test_every_snapshot_belongs_to_a_recording() -> None:
    folder = PROJECT.settings.snapshots
    found = {file.relative_to(folder).with_suffix("").as_posix() for file in folder.rglob("*.txt")}
    assert found - set(RECORDED) == set()


def test_every_recording_belongs_to_a_scenario() -> None:
    assert run.orphans(PROJECT) == ()


def test_each_provider_that_can_be_rehearsed_has_recordings() -> None:
    """Fails when the cassettes folder is lost, which would otherwise leave nothing to test, silently."""
    assert {name.partition("/")[0] for name in RECORDED} >= {"openai", "deepseek", "qwen"}
