"""How long paths mean to wait between attempts: as asked, or alike but for chance."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from llm_contracts.clients.observation import Observation
from llm_contracts.parity.compare import Comparison, compare
from tests.harness.parity.samples import facts, observation, request

REFUSED = facts(status=429, text="", error={"message": "slow down"}, finish_reasons=(), usage=None)


def asked_to_wait(seconds: float) -> Any:
    return facts(status=429, text="", error={"message": "later"}, finish_reasons=(), retry_after=seconds)


def trying(*pauses: float) -> Observation:
    return observation(requests=(request(),) * (len(pauses) + 1), pauses=pauses)


def compared(ours: Observation, theirs: Observation, *before: Any) -> Comparison:
    return compare(ours, theirs, (*before, facts()), scope="s")


def places(comparison: Comparison) -> list[tuple[str, str]]:
    return [(str(d.kind), d.where) for d in comparison.divergences]


@pytest.mark.parametrize(("one", "other"), [(0.375, 0.5), (0.5, 0.375), (1.0, 0.75), (0.4, 0.41)])
def test_back_off_that_differs_by_chance_is_the_same_and_counted(one: float, other: float) -> None:
    found = compared(trying(one), trying(other), REFUSED)
    assert (places(found), found.normalised) == ([], {"pause-jitter": 1})


@pytest.mark.parametrize(("one", "other"), [(0.5, 0.37), (0.5, 1.0), (0.5, 0.0), (0.0, 0.5), (8.0, 0.5)])
def test_more_than_chance_is_a_difference(one: float, other: float) -> None:
    found = compared(trying(one), trying(other), REFUSED)
    assert places(found) == [("attempts", "pauses[0]")]
    assert (found.divergences[0].reference, found.divergences[0].candidate) == (one, other)


def test_each_pause_is_held_against_the_one_at_its_place() -> None:
    ours, theirs = trying(0.5, 1.0), trying(0.5, 0.5)
    assert places(compared(ours, theirs, REFUSED, REFUSED)) == [("attempts", "pauses[1]")]


@pytest.mark.parametrize("other", [0.9, 1.002, 1.3])
def test_what_the_provider_asked_for_is_waited_for_to_the_millisecond(other: float) -> None:
    assert places(compared(trying(1.0), trying(other), asked_to_wait(1.0))) == [("attempts", "pauses[0]")]
    assert places(compared(trying(other), trying(1.0), asked_to_wait(1.0))) == [("attempts", "pauses[0]")]


def test_a_wish_that_both_met_is_no_chance_and_one_that_neither_met_is_back_off() -> None:
    met = compared(trying(1.0), trying(1.0), asked_to_wait(1.0))
    ignored = compared(trying(0.5), trying(0.4), asked_to_wait(900.0))
    assert (places(met), met.normalised) == ([], {})
    assert (places(ignored), ignored.normalised) == ([], {"pause-jitter": 1})


def test_no_pause_on_either_is_no_difference() -> None:
    found = compared(trying(0.0), trying(0.0), REFUSED)
    assert (places(found), found.normalised) == ([], {})


def test_without_knowing_one_s_pauses_nothing_is_said() -> None:
    unknown = observation(requests=(request(),) * 2)
    assert places(compared(trying(0.5), unknown, REFUSED)) == []
    assert places(compared(unknown, trying(0.5), REFUSED)) == []


def test_another_number_of_requests_is_said_once_and_what_both_have_is_compared() -> None:
    found = compared(trying(0.5, 1.0), trying(8.0), REFUSED, REFUSED)
    assert places(found) == [("attempts", "requests"), ("attempts", "pauses[0]")]


def test_chance_is_no_part_of_a_difference_s_name() -> None:
    one = compared(trying(0.51), trying(0.0), REFUSED).divergences[0]
    other = compared(trying(0.42), trying(0.0), REFUSED).divergences[0]
    assert one.fingerprint == other.fingerprint


def test_a_recording_without_any_answer_asks_for_nothing() -> None:
    assert places(compare(trying(0.5), trying(0.4), (), scope="s")) == []


def test_the_last_answer_is_given_again_with_what_it_asks_for() -> None:
    """More pauses than answers: the recording's last refusal comes back, and its wish with it."""
    ours = trying(0.0, 2.0, 2.0)
    for theirs, expected in ((trying(0.0, 2.0, 2.0), []), (trying(0.0, 2.0, 2.3), ["pauses[2]"])):
        found = compare(ours, theirs, (REFUSED, asked_to_wait(2.0)), scope="s")
        assert [where for kind, where in places(found) if kind == "attempts"] == expected
        assert "pause-jitter" not in found.normalised


def test_after_a_pause_that_the_clock_has_measured_the_next_is_compared() -> None:
    ours = replace(trying(0.5, 1.0), waits={"pauses[0]": 0.5})
    assert places(compared(ours, trying(0.7, 4.0), REFUSED, REFUSED)) == [("attempts", "pauses[1]")]
    assert places(compared(ours, trying(1.0, 1.0), REFUSED, REFUSED)) == [("attempts", "pauses[0]")]


@pytest.mark.parametrize(
    ("waits", "theirs", "found"),
    [
        ({}, {"before": 0.5}, [("attempts", "pauses.before")]),
        ({"before": 0.5}, {}, []),
        ({"before": 2.0}, {"before": 2.5}, []),
        ({"before": 2.0}, {"before": 2.7}, [("attempts", "pauses.before")]),
        ({}, {"stream[0]": 0.2, "stream[1]": 0.2}, [("delivery_lag", "pauses.stream")]),
        ({}, {"stream[0]": 0.1, "stream[1]": 0.1}, []),
    ],
)
def test_a_longer_wait_of_the_candidate_is_told_by_where_it_was(
    waits: dict[str, float], theirs: dict[str, float], found: list[tuple[str, str]]
) -> None:
    one, other = observation(waits=waits), observation(waits=theirs)
    assert places(compared(one, other)) == found


def test_how_long_a_wait_was_is_no_part_of_its_fingerprint() -> None:
    (short,), (long,) = (
        compared(observation(), observation(waits={"before": seconds})).divergences for seconds in (0.5, 3.0)
    )
    assert short.fingerprint == long.fingerprint
