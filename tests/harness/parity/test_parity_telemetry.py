"""Reasoning that a path tells to telemetry alone is compared there; other metadata is only counted."""

from __future__ import annotations

from typing import Any

from llm_contracts.clients.observation import Observation
from llm_contracts.parity.compare import ABSENT, compare
from tests.harness.parity.samples import failure, generation, observation


def reported(metadata: dict[str, Any] | None, **changes: Any) -> Observation:
    return observation(generations=(generation(metadata=metadata),), **changes)


def found(ours: Observation, theirs: Observation) -> list[tuple[str, str, Any, Any]]:
    comparison = compare(ours, theirs, (), scope="s")
    return [(str(d.kind), d.where, d.reference, d.candidate) for d in comparison.divergences]


def test_lost_reasoning_is_located_whatever_else_the_metadata_holds() -> None:
    where = "generation.metadata.reasoning"
    for lost in ({"temperature": 1}, {"reasoning": ""}, None):
        assert found(reported({"reasoning": "because"}), reported(lost)) == [
            ("telemetry", where, "because", ABSENT)
        ]


def test_reasoning_that_was_told_is_not_counted_as_other_metadata() -> None:
    assert found(reported({"reasoning": "a"}), reported({"reasoning": "a"})) == []
    comparison = compare(reported({"reasoning": "a"}), reported({"reasoning": "b"}), (), scope="s")
    assert "telemetry-metadata" not in comparison.normalised


def test_reasoning_that_was_not_reached_follows_from_the_failure() -> None:
    comparison = compare(reported({"reasoning": "a"}), reported({}, failure=failure()), (), scope="s")
    assert [str(d.kind) for d in comparison.divergences] == ["error"]
    assert comparison.normalised["after-error"] >= 1
