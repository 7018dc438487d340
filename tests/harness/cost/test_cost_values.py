"""Figures side by side, limits, and the document."""

from __future__ import annotations

import json

import pytest

from llm_contracts.cost.model import Cost, Measure, Spread, cost_document, cost_from, side_by_side, spread
from tests.harness.cost.samples import cost, provider_cost

CHUNK = Measure.CPU_PER_CHUNK


def test_ratios_are_taken_within_a_round_so_that_a_busy_machine_weighs_on_both() -> None:
    found = side_by_side((1.0, 10.0), (2.0, 20.0))
    assert found is not None
    assert found.ratio == spread((2.0,))
    assert (found.reference, found.candidate) == (1.0, 2.0)


def test_the_figures_that_are_shown_are_those_of_the_round_in_the_middle() -> None:
    """Medians of each side for itself would say 0.93 beside a ratio of 1.1."""
    found = side_by_side((320.0, 100.0, 400.0), (352.0, 60.0, 1000.0))
    assert found is not None
    assert (found.reference, found.candidate) == (320.0, 352.0)
    assert found.ratio == Spread(median=1.1, low=0.6, high=2.5)


def test_of_an_even_number_of_rounds_the_lower_one_in_the_middle_counts() -> None:
    found = side_by_side((1.0, 1.0, 1.0, 1.0), (4.0, 1.0, 3.0, 2.0))
    assert found is not None
    assert (found.candidate, found.ratio.median) == (2.0, 2.0)


def test_a_reference_that_noise_has_swallowed_gives_no_ratio() -> None:
    assert side_by_side((1.0, -0.1), (2.0, 2.0)) is None


def test_a_limit_is_kept_up_to_the_ratio_itself() -> None:
    assert not cost(at_most={CHUNK: 2.0}).exceeded
    (excess,) = cost(at_most={CHUNK: 1.99}).exceeded
    assert str(excess) == "acme: cpu_per_chunk is 2.00 times the reference's, and at most 1.99 is asked for."


def test_what_could_not_be_measured_is_not_taken_for_cheap() -> None:
    row = provider_cost(found={}, missing={CHUNK: "it is too short"})
    (excess,) = cost(row, at_most={CHUNK: 2.0}).exceeded
    assert (excess.ratio, "could not be measured" in str(excess)) == (None, True)


def test_limits_do_not_hold_where_a_provider_has_a_reference_of_its_own() -> None:
    own = provider_cost("gemini", 40.0, reference="by-hand")
    found = cost(provider_cost(ratio=1.0), own, at_most={CHUNK: 2.0})
    assert not found.exceeded
    assert found.typical(CHUNK) == spread((1.0,))


def test_the_typical_ratio_is_the_middle_of_the_providers() -> None:
    rows = [provider_cost(f"p{ratio}", ratio) for ratio in (1.0, 3.0, 8.0)]
    assert cost(*rows).typical(CHUNK) == spread((1.0, 3.0, 8.0))
    assert cost(provider_cost(found={})).typical(CHUNK) is None


@pytest.mark.parametrize(
    "costs",
    [
        cost(at_most={CHUNK: 1.5}),
        cost(provider_cost(found={}, recording=None, missing={CHUNK: "why"}), load=None),
    ],
)
def test_costs_survive_as_a_document(costs: Cost) -> None:
    assert cost_from(json.loads(json.dumps(cost_document(costs)))) == costs


def test_the_document_names_measures_units_and_limits() -> None:
    document = cost_document(cost(at_most={CHUNK: 1.5}))
    found = document["providers"]["acme"]["measures"]["cpu_per_chunk"]
    assert found == {
        "unit": "µs",
        "reference": 10.0,
        "candidate": 20.0,
        "ratio": {"median": 2.0, "low": 2.0, "high": 2.0},
    }
    assert document["exceeded"] == [
        {"provider": "acme", "measure": "cpu_per_chunk", "at_most": 1.5, "ratio": 2.0}
    ]
