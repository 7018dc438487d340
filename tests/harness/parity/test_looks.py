"""Several runs put together: one run shows a difference; what hangs on time needs every one of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llm_contracts.clients.observation import Observation
from llm_contracts.parity.compare import Comparison, compare
from llm_contracts.parity.compare.finding import Finding
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.parity.looks import Looks, may_be_chance
from tests.harness.parity.samples import failure, observation


def divergence(kind: Kind = Kind.TEXT, where: str = "text[0]", value: object = 1) -> Divergence:
    return Finding(kind=kind, where=where, reference=value, candidate=2).seal("s")


TEXT, LATE = divergence(), divergence(Kind.DELIVERY_LAG, "delta[0]")
LATER = divergence(Kind.DELIVERY_LAG, "delta[3]")
PAUSE, REQUESTS = divergence(Kind.ATTEMPTS, "pauses[0]"), divergence(Kind.ATTEMPTS, "requests")
LEFT, CHANGED = divergence(Kind.SIDE_EFFECT, "threads"), divergence(Kind.SIDE_EFFECT, "call.messages")
UNFAITHFUL = divergence(Kind.UNFAITHFUL, "error")


def named(name: str) -> Observation:
    return observation(client=name)


def seen(*found: tuple[Divergence, ...], controls: tuple[tuple[Divergence, ...], ...] = ((),)) -> Looks:
    """The reference run once more often than it has controls, the candidate once for each of `found`."""
    answers = {("r", "c"): iter(found), ("r", "r"): iter(controls)}

    def compare(one: Observation, other: Observation) -> Comparison:
        return Comparison(
            divergences=next(answers[one.client[0], other.client[0]]),
            normalised={f"{one.client}{other.client}": 1},
        )

    looks = Looks(compare=compare)
    for number in range(max(len(found), len(controls) + 1)):
        looks = looks.of(named(f"r{number}"))
    for number in range(len(found)):
        looks = looks.by(named(f"c{number}"))
    return looks


@pytest.mark.parametrize(
    ("divergence", "chance"),
    [
        (TEXT, False),
        (LATE, True),
        (PAUSE, True),
        (REQUESTS, False),
        (LEFT, True),
        (CHANGED, False),
        (UNFAITHFUL, False),
    ],
)
def test_what_hangs_on_time_or_happens_once_may_be_chance(divergence: Divergence, chance: bool) -> None:
    assert may_be_chance(divergence) is chance


def test_what_one_run_of_two_shows_is_a_difference() -> None:
    for found in (((TEXT,), ()), ((), (TEXT,)), ((TEXT,), (TEXT,))):
        assert seen(*found).divergences == (TEXT,)


def test_what_may_be_chance_is_a_difference_only_if_every_run_shows_it() -> None:
    assert seen((LATE, TEXT), (TEXT,)).divergences == (TEXT,)
    assert seen((), (LATE,)).divergences == ()
    assert seen((LATE,), (LATE,)).divergences == (LATE,)
    assert seen((LATE,), (LATE,), (), controls=((), ())).divergences == ()


def test_what_a_client_prints_when_it_is_first_called_may_be_set_up_but_not_what_it_prints_later() -> None:
    printed = divergence(Kind.SIDE_EFFECT, "stdout")
    assert seen((printed,), ()).divergences == ()
    assert seen((), (printed,)).divergences == (printed,)
    assert seen((), (LEFT,)).divergences == ()


def test_a_place_is_the_same_whatever_its_number_and_is_told_as_the_first_run_has_it() -> None:
    other = divergence(value=7)
    assert seen((LATE,), (LATER,)).divergences == (LATE,)
    assert seen((TEXT,), (other,)).divergences == (TEXT,)
    assert seen((TEXT, divergence(where="text[9]")), ()).divergences == (TEXT, divergence(where="text[9]"))
    assert seen((TEXT,), (REQUESTS,)).divergences == (TEXT, REQUESTS)


def test_the_reference_at_odds_with_itself_is_noise_but_not_what_both_runs_show_alike() -> None:
    assert seen((), controls=((TEXT, UNFAITHFUL, LEFT),)).noise == (TEXT,)
    assert seen((), controls=((LATE,), ())).noise == ()


def test_another_run_is_needed_while_chance_is_left_on_either_side() -> None:
    assert seen((LATE,)).doubtful
    assert seen((), controls=((LATE,),)).doubtful
    assert not seen((LATE,), ()).doubtful
    assert not seen((TEXT,), controls=((REQUESTS,),)).doubtful


def test_what_each_of_three_runs_waits_for_in_vain_is_late_and_what_is_left_behind_is_looked_at_again() -> (
    None
):
    assert seen((LATE,), (LATE,), controls=((),)).doubtful
    assert not seen((LATE,), (LATE,), (LATE,), controls=((), ())).doubtful
    assert seen((LATE, LEFT), (LATE, LEFT), (LATE, LEFT), controls=((), ())).doubtful


def test_a_client_that_hung_twice_is_not_waited_for_again() -> None:
    def looks(*categories: str) -> Looks:
        found = Looks(compare=lambda *_: Comparison(divergences=(LEFT,), normalised={}))
        for category in categories:
            hung = replace(named("c"), failure=failure(category=category))
            found = found.of(named("r")).by(hung)
        return found

    assert [looks(*ends).hung for ends in (("hang",), ("hang", "timeout"), ("hang", "hang"))] == [
        False,
        False,
        True,
    ]
    assert looks("hang", "timeout").doubtful
    assert not looks("hang", "hang").doubtful


def test_each_run_is_held_against_the_reference_s_run_of_the_same_number_and_it_against_the_one_before() -> (
    None
):
    pairs: list[tuple[str, str]] = []

    def compare(one: Observation, other: Observation) -> Comparison:
        pairs.append((one.client, other.client))
        return Comparison(divergences=(), normalised={"role": len(pairs)})

    looks = Looks(compare=compare)
    for number in range(3):
        looks = looks.of(named(f"r{number}"))
    looks = looks.by(named("c0")).by(named("c1"))
    assert pairs == [("r0", "r1"), ("r1", "r2"), ("r0", "c0"), ("r1", "c1")]
    assert ([each.client for each in looks.references], [each.client for each in looks.candidates]) == (
        ["r0", "r1", "r2"],
        ["c0", "c1"],
    )
    assert looks.normalised == {"role": 3}


def waiting(name: str, *runs: dict[str, float]) -> tuple[Observation, ...]:
    return tuple(observation(client=name, waits=run, pauses=()) for run in runs)


def looked(references: tuple[Observation, ...], candidates: tuple[Observation, ...]) -> Looks:
    looks = Looks(compare=lambda one, other: compare(one, other, (), scope="s"))
    for each in references:
        looks = looks.of(each)
    for each in candidates:
        looks = looks.by(each)
    return looks


def test_a_client_that_load_delays_at_another_place_in_each_run_does_not_wait() -> None:
    delayed = waiting("candidate", {"stream[3]": 0.9}, {"stream[700]": 1.3}, {"stream[41]": 0.6})
    looks = looked(waiting("reference", {}, {}, {}), delayed)
    assert all(each.divergences for each in looks.found)
    assert (looks.divergences, looks.doubtful) == ((), False)


def test_a_client_that_waits_at_the_same_place_in_each_run_waits_for_the_shortest_of_these() -> None:
    late = waiting(
        "candidate",
        {"stream[3]": 0.9, "stream[70]": 2.0},
        {"stream[3]": 0.7},
        {"stream[3]": 1.1, "stream[41]": 0.6},
    )
    (found,) = looked(waiting("reference", {}, {"stream[3]": 3.0}, {}), late).divergences
    assert (found.kind, found.where, found.reference, found.candidate) == (
        Kind.DELIVERY_LAG,
        "pauses.stream",
        0.0,
        0.7,
    )


def test_a_measured_pause_between_attempts_is_as_long_as_its_shortest() -> None:
    def paused(name: str, *seconds: float) -> tuple[Observation, ...]:
        return tuple(observation(client=name, waits={"pauses[0]": each}, pauses=(each,)) for each in seconds)

    assert looked(paused("reference", 0.5, 0.6), paused("candidate", 2.0, 0.55)).divergences == ()
    (found,) = looked(paused("reference", 0.5, 0.6), paused("candidate", 2.0, 2.5)).divergences
    assert (found.where, found.reference, found.candidate) == ("pauses[0]", 0.5, 2.0)
