"""Bisection: it finds the release, tries few, and goes round what cannot be tried."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from llm_contracts.matrix.bisect import BisectTarget, Bracket, Releases, bisect, narrowed, target
from llm_contracts.parity.divergence import Kind
from tests.harness.matrix.cells import cell, difference, pair

ALL = [f"1.{minor}.{patch}" for minor in range(80, 110) for patch in range(8)]
VERSIONS = {version: Version(version) for version in ALL}
LOW, HIGH = pair("1.80.0"), pair("1.109.7")
GOAL = BisectTarget(kind=Kind.USAGE, appears=True, scenarios=("acme/plain",))


def index(requirement: str) -> str | None:
    """The newest release of a made-up index that meets a requirement such as `litellm>1.80,<1.82`."""
    low, high = (Version(part) for part in requirement.removeprefix("litellm>").split(",<"))
    return max((v for v in VERSIONS if low < VERSIONS[v] < high), key=VERSIONS.__getitem__, default=None)


LISTED = Releases(package="litellm", newest=index)


@given(st.integers(1, len(ALL) - 1), st.booleans())
def test_the_release_is_found_wherever_it_is_and_few_are_tried(place: int, appears: bool) -> None:
    goal = BisectTarget(kind=Kind.USAGE, appears=appears, scenarios=())
    found = bisect((ALL[0], ALL[-1]), goal, lambda version: (ALL.index(version) >= place) is appears, LISTED)
    assert (found.before, found.after, found.untried) == (ALL[place - 1], ALL[place], ())
    assert len(found.tried) <= math.ceil(math.log2(30)) + math.ceil(math.log2(8)) + 1


@given(st.integers(1, 19), st.sets(st.integers(1, 18)))
def test_what_cannot_be_tried_is_gone_round_and_named(place: int, broken: set[int]) -> None:
    releases = [f"1.{n}" for n in range(20)]

    def probe(version: str) -> bool | None:
        number = releases.index(version)
        return None if number in broken else number >= place

    ends = Bracket(before=releases[0], after=releases[-1])
    found = narrowed(ends, releases[1:-1], GOAL, probe)
    first, last = releases.index(found.before), releases.index(found.after)
    assert first < place <= last
    assert [releases.index(version) for version in found.untried] == list(range(first + 1, last))
    assert set(range(first + 1, last)) <= broken
    assert len(found.tried) == len(set(found.tried))


def test_the_kind_is_looked_for_where_only_one_end_has_it() -> None:
    """Both ends know the kind: what is new at the later one is what was asked about."""
    low = cell(LOW, difference())
    high = cell(HIGH, difference(), difference(item="acme/other"))
    assert target(Kind.USAGE, low, high) == BisectTarget(
        kind=Kind.USAGE, appears=True, scenarios=("acme/other",)
    )
    assert target(Kind.USAGE, high, low) == BisectTarget(
        kind=Kind.USAGE, appears=False, scenarios=("acme/other",)
    )
    assert target(Kind.USAGE, low, low) is None


def test_accepted_differences_are_differences_to_a_bisection() -> None:
    found = target(Kind.USAGE, cell(LOW), cell(HIGH, difference(accepted=True)))
    assert found is not None


@pytest.mark.parametrize(
    ("item", "kind", "shown"),
    [("acme/plain", Kind.USAGE, True), ("acme/other", Kind.USAGE, False), ("acme/plain", Kind.TEXT, False)],
)
def test_a_probe_looks_at_the_kind_in_the_scenarios_in_question(item: str, kind: Kind, shown: bool) -> None:
    assert GOAL.shown_by(cell(LOW, difference(kind, item))) is shown


def test_a_pair_that_did_not_run_says_nothing() -> None:
    from llm_contracts.matrix.table import Cell, CellState

    assert GOAL.shown_by(Cell(pair=LOW, state=CellState.FAILED, reason="No.")) is None


def test_the_newest_of_each_line_is_listed_and_the_ends_are_not() -> None:
    assert LISTED.lines("1.80.3", "1.83.1") == ("1.80.7", "1.81.7", "1.82.7", "1.83.0")
    assert LISTED.lines("1.80.3", "1.80.4") == ()
    assert LISTED.between("1.80.5", "1.81.2") == ("1.80.6", "1.80.7", "1.81.0", "1.81.1")
