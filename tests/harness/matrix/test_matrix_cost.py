"""The costs of each pair in the table."""

from __future__ import annotations

from llm_contracts.cost.model import Measure, cost_document
from llm_contracts.matrix.run import cost_measures
from tests.harness.cost.samples import cost, pair, provider_cost


def test_the_table_has_the_median_of_the_providers_and_how_far_they_are_apart() -> None:
    costs = cost(provider_cost("acme", 2.0), provider_cost("zenith", 13.0), provider_cost("third", 4.0))
    assert cost_measures({"cost": cost_document(costs)}) == {
        "CPU per chunk, times the reference": "4.0 (2.0 to 13.0)",
        "CPU per call, times the reference": "4.0 (2.0 to 13.0)",
        "time to first delta, times the reference": "4.0 (2.0 to 13.0)",
        "peak memory, times the reference": "4.0 (2.0 to 13.0)",
    }


def test_what_was_not_measured_is_not_shown_as_nothing_spent() -> None:
    costs = cost(provider_cost(found={Measure.CPU_PER_CALL: pair(1.0, 3.0)}))
    assert list(cost_measures({"cost": cost_document(costs)}).values()) == ["–", "3.0", "–", "–"]


def test_without_costs_the_table_has_no_rows_for_them() -> None:
    assert cost_measures({"items": []}) == {}
