"""The queue of decisions, and what an acceptance covers."""

from __future__ import annotations

from typing import Any

import pytest

from llm_contracts.parity.compare import ABSENT
from llm_contracts.parity.decision_groups import Member, look_up, members_of, narrowed, queue
from llm_contracts.parity.divergence import Kind, Severity
from llm_contracts.parity.result import Item
from llm_contracts.parity.value_class import change_of
from llm_contracts.review.coverage import chosen, cover
from llm_contracts.review.decisions import Scope
from tests.harness.review.samples import EMPTY, LOST, MODEL, TERMS, member


def test_what_breaks_comes_first_then_what_is_frequent() -> None:
    rare = member("acme/plain", Kind.TEXT, "text", "a", "b")
    groups = queue((*EMPTY, *MODEL, rare, *LOST))
    assert [(group.severity, len(group.members)) for group in groups] == [
        (Severity.BREAKING, 3),
        (Severity.BREAKING, 1),
        (Severity.VISIBLE, 3),
        (Severity.COSMETIC, 1),
    ]


def test_numbers_in_a_place_do_not_part_what_is_the_same_decision() -> None:
    (group,) = queue([member("a/b", Kind.DELTAS, f"delta[{n}]", "x", "y") for n in (3, 17)])
    assert (group.where, len(group.members)) == ("delta[*]", 2)


@pytest.mark.parametrize(
    ("kind", "old", "new", "change"),
    [
        (Kind.USAGE, 7, ABSENT, ("number", "absent")),
        (Kind.USAGE, 7, 9, ("number", "more")),
        (Kind.USAGE, 9, 7, ("number", "fewer")),
        (Kind.TEXT, "a", "", ("text", "empty text")),
        (Kind.REQUEST_BODY, None, {"a": 1}, ("null", "object")),
        (Kind.REQUEST_BODY, True, [], ("true", "empty list")),
        (Kind.ERROR, "RateLimitError", "APIError", ("RateLimitError", "APIError")),
        (Kind.ERROR, 401, None, ("401", "null")),
        (Kind.ERROR, ABSENT, {"category": "Timeout", "status": 408}, ("absent", "Timeout")),
        (Kind.FINISH_REASON, ["length"], [], ("length", "empty list")),
    ],
)
def test_a_change_is_told_by_the_class_of_its_values_and_errors_by_their_names(
    kind: Kind, old: Any, new: Any, change: tuple[str, str]
) -> None:
    assert change_of(member("a/b", kind, "x", old, new).divergence) == change


def test_what_both_paths_agree_on_against_the_bytes_is_told_once() -> None:
    value = {"shown": "a normal end", "bytes": "an error"}
    (group,) = queue([member("a/b", Kind.UNFAITHFUL, "error", value, value)])
    assert group.title == "unfaithful at error: both a normal end"


def test_a_group_keeps_its_id_whoever_is_in_it() -> None:
    (whole,) = queue(LOST)
    (part,) = queue(LOST[:1])
    assert whole.id == part.id
    assert len(whole.id) == 8


def test_a_filter_finds_groups_by_any_word_and_leaves_their_members_alone() -> None:
    groups = queue((*MODEL, *LOST))
    (found,) = narrowed(groups, "breaking zenith")
    assert len(found.members) == 3
    assert narrowed(groups, "nothing") == ()


def test_an_id_means_a_group_a_fingerprint_one_difference_and_a_recording_all_that_differs_in_it() -> None:
    groups = queue((*MODEL, *LOST))
    assert look_up(groups, groups[0].id[:5]) == (groups[0],)
    (alone,) = look_up(groups, LOST[1].fingerprint)
    assert alone.members == (LOST[1],)
    assert [len(group.members) for group in look_up(groups, "zenith/plain")] == [1, 1]
    for name in {m.item for group in groups for m in group.members}:
        assert {m.item for group in look_up(groups, name) for m in group.members} == {name}


def test_a_member_is_noisy_where_the_control_differed_at_the_same_place() -> None:
    found = member("a/b", Kind.DELTAS, "delta[3]", "x", "y").divergence
    noise = member("a/b", Kind.DELTAS, "delta[9]", "x", "z").divergence
    item = Item(id="a/b", provider="a", scenario="b", divergences=(found,), noise=(noise,))
    assert [m.noisy for m in members_of(item)] == [True]


# What an acceptance covers


def names(rows: Any) -> list[tuple[str, str]]:
    return [(row.provider, row.scenario) for row in rows]


def test_a_group_is_accepted_by_rows_that_name_its_recordings_and_no_others() -> None:
    stranger = member("zenith/chat")
    found = cover(LOST, Scope.GROUP, (*LOST, stranger), TERMS)
    assert names(found.rows) == [("acme", "chat|plain"), ("zenith", "plain")]
    assert found.others == ()
    assert not found.open_ended


def test_providers_with_the_same_scenarios_share_a_row() -> None:
    both = (*LOST[:1], *LOST[2:])
    assert names(cover(both, Scope.GROUP, LOST, TERMS).rows) == [("acme|zenith", "plain")]


def test_scenarios_with_the_same_providers_share_a_row_where_that_is_shorter() -> None:
    common = [member(f"{p}/{s}") for p in ("acme", "apex", "zenith") for s in ("chat", "plain", "tools")]
    own = [member("acme/a"), member("apex/b"), member("zenith/c")]
    found = cover((*common, *own), Scope.GROUP, (*common, *own, member("apex/a")), TERMS)
    assert names(found.rows)[0] == ("acme|apex|zenith", "chat|plain|tools")
    assert (len(found.rows), found.others) == (4, ())


def test_a_wide_scope_shows_what_else_it_would_cover() -> None:
    stranger = member("zenith/chat", old=3, new=None)
    found = cover(LOST[:1], Scope.FIELD, (*LOST, stranger, *MODEL), TERMS)
    assert names(found.rows) == [("*", "*")]
    assert {m.item for m in found.others} == {"acme/chat", "zenith/plain", "zenith/chat"}
    assert {group.now for group in found.other_groups} == {"absent", "null"}
    assert found.open_ended


def test_another_change_at_the_same_place_of_the_same_recording_is_shown_as_covered_too() -> None:
    """A waiver knows no classes of values, so the number that became null goes with the group."""
    first = member("a/b", Kind.DELTAS, "delta[1]", "x", ABSENT)
    second = member("a/b", Kind.DELTAS, "delta[2]", "x", "y")
    assert cover((first,), Scope.GROUP, (first, second), TERMS).others == (second,)


def test_one_recording_is_accepted_at_its_very_places() -> None:
    first = member("a/b", Kind.DELTAS, "delta[1]", "x", "y")
    second = member("a/b", Kind.DELTAS, "delta[2]", "x", "y")
    found = cover((first,), Scope.RECORDING, (first, second), TERMS)
    assert [row.where for row in found.rows] == ["delta[1]"]
    assert found.others == ()


@pytest.mark.parametrize("scope", [Scope.GROUP, Scope.PROVIDER, Scope.FIELD])
def test_a_variant_of_a_recording_is_accepted_as_a_variant_and_its_recording_is_not(scope: Scope) -> None:
    variant = member("acme/plain~cut@3")
    found = cover((variant,), scope, (variant, LOST[0]), TERMS)
    assert [row.covers("acme", "plain~cut@3") for row in found.rows] == [True]
    assert found.others == ()


@pytest.mark.parametrize(
    ("scope", "meant"),
    [
        (Scope.RECORDING, LOST[:1]),
        (Scope.PROVIDER, LOST[:2]),
        (Scope.GROUP, LOST),
        (Scope.FIELD, LOST),
    ],
)
def test_a_scope_is_seen_from_the_member_that_is_looked_at(scope: Scope, meant: tuple[Member, ...]) -> None:
    (group,) = queue(LOST)
    assert chosen(group, LOST[0], scope) == meant
