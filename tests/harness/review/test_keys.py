"""What keys do, without a terminal: a state goes in, a state comes out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from llm_contracts.parity.decision_groups import queue
from llm_contracts.parity.divergence import Kind
from llm_contracts.review.decisions import Choice, Decision, Scope
from llm_contracts.review.tui import forms
from llm_contracts.review.tui.keys import Effect, Frame, press
from llm_contracts.review.tui.page import View
from llm_contracts.review.tui.screens import group_lines
from llm_contracts.review.tui.state import ReviewState, Screen, begin, lapses, onward, tally
from tests.harness.review.samples import LOST, MODEL, member, state

WINDOW = Frame(top=5, height=10, following=30)


def after(start: ReviewState, *keys: str) -> ReviewState:
    for key in keys:
        start = press(start, key, WINDOW)[0]
    return start


def effect(start: ReviewState, *keys: str) -> Effect | None:
    return press(after(start, *keys[:-1]), keys[-1], WINDOW)[1]


def kind(start: ReviewState) -> Kind:
    assert start.group is not None
    return start.group.kind


def test_the_breaking_group_comes_first_and_enter_does_not_accept_it() -> None:
    start = state()
    assert kind(start) is Kind.USAGE_MISSING
    pressed = after(start, "enter")
    assert pressed.screen is Screen.GROUP
    assert "breaking" in pressed.message
    assert after(start, "a").form is not None


def test_enter_accepts_what_is_not_breaking() -> None:
    pressed = after(state(*MODEL), "enter")
    assert pressed.form is not None
    assert pressed.form.choice is Choice.ACCEPT


def test_in_the_list_beside_what_shares_a_place_with_the_line_above_is_told_by_its_change() -> None:
    ends = [("Timeout", "APIError"), ("Timeout", "NotFound"), ("Timeout", "Unknown")]
    found = [member(f"acme/{new}", Kind.ERROR, "error.category", old, new) for old, new in ends]
    lines = [line.plain.rstrip() for line in group_lines(state(*found, *LOST), 6)]
    assert [line.rsplit(maxsplit=1)[0] for line in lines if line] == [
        "▶  usage_missing at usage",
        "   error at error.category",
        "     Timeout → NotFound",
        "     Timeout → Unknown",
    ]


def test_an_acceptance_of_something_breaking_is_asked_about_once_more_and_enter_is_no() -> None:
    filled = after(state(), "a", *"why")
    asked = after(filled, "enter")
    assert asked.form is not None
    assert asked.form.asked
    for key in ("enter", "esc", "n"):
        answered, effect = press(asked, key, WINDOW)
        assert effect is None
        assert answered.form == replace(asked.form, asked=False)
    assert press(asked, "y", WINDOW)[1] is Effect.ACCEPT


def test_what_is_not_breaking_is_accepted_by_enter_in_the_form() -> None:
    assert effect(state(*MODEL), "a", *"why", "enter") is Effect.ACCEPT


def test_nothing_is_accepted_without_a_reason() -> None:
    pressed, done = press(after(state(*MODEL), "a"), "enter", WINDOW)
    assert done is None
    assert "why" in pressed.message


def test_what_was_typed_survives_leaving_the_form() -> None:
    left = after(state(*MODEL), "a", *"half a", " ", *"reason", "esc")
    assert left.screen is Screen.GROUP
    again = after(left, "a")
    assert again.form is not None
    assert again.form.text("reason") == "half a reason"


def test_scopes_are_chosen_by_arrow_or_number_and_the_preview_follows() -> None:
    narrow = after(state(), "a", "tab", "left")
    assert narrow.form is not None
    assert narrow.form.scope is Scope.RECORDING
    assert len(forms.coverage(narrow).meant) == 1
    assert len(forms.coverage(after(state(), "a", "tab", "4")).meant) == 3


def test_skipped_groups_are_passed_over_and_come_again_when_nothing_else_waits() -> None:
    start = state()
    assert kind(after(start, "s")) is Kind.MODEL_NAME
    again = after(start, "s", " ", "s")
    assert (kind(again), again.message) == (Kind.USAGE_MISSING, "Only what you skipped is left.")
    assert kind(after(again, "s")) is Kind.MODEL_NAME


def test_a_note_reaches_as_far_as_its_scope() -> None:
    other = after(state(), "]", "r", *"broken", "tab")
    assert other.form is not None
    assert other.form.scope is Scope.GROUP
    for key, count in (("1", 1), ("2", 3), ("3", 2)):
        assert len(forms.decision(after(other, key)).fingerprints) == count
    assert after(other, "4").form == other.form


def test_back_and_forward_go_to_neighbours_even_if_they_are_decided() -> None:
    start = state()
    assert kind(after(start, "s", "k")) is Kind.USAGE_MISSING
    assert kind(after(start, "j", "j", "j")) is Kind.CHUNK_COUNT


def test_a_member_is_opened_from_the_list() -> None:
    opened = after(state(), "g", "j", "j", "k", "enter")
    assert (opened.screen, opened.focus) == (Screen.GROUP, LOST[1])
    assert after(state(), "g", "end").choosing == 2


def test_views_take_turns_and_begin_with_the_one_that_shows_the_kind_best() -> None:
    start = state()
    seen = [after(start, *["v"] * n).shown_view for n in range(5)]
    assert seen == [View.LANES, View.WIRE, View.REQUEST, View.TIME, View.LANES]


def test_n_scrolls_to_the_next_difference_and_other_keys_from_where_the_screen_is() -> None:
    start = state()
    assert after(start, "n").scroll == 30
    assert after(start, "down").scroll == 6
    assert after(start, "pgdn").scroll == 15
    assert after(start, "home").scroll == 0
    assert press(start, "n", Frame())[0].message == "Nothing differs in this view."


def test_a_filter_narrows_the_queue_and_one_that_fits_nothing_changes_nothing() -> None:
    start = state()
    found = after(start, "/", *"model", "enter")
    assert [group.kind for group in found.groups] == [Kind.MODEL_NAME]
    missed = after(start, "/", *"nonsense", "enter")
    assert len(missed.groups) == 3
    assert "nonsense" in missed.message


@pytest.mark.parametrize("key", ["a", "r", "x"])
def test_where_nothing_may_be_decided_every_decision_says_why(key: str) -> None:
    refused = after(state(read_only="read only here"), key)
    assert (refused.form, refused.message) == (None, "read only here")


@pytest.mark.parametrize(("key", "message"), [("a", "no waivers"), ("r", "")])
def test_where_waivers_mean_nothing_marks_still_do(key: str, message: str) -> None:
    assert after(state(no_waivers="no waivers"), key).message == message


def test_counters_count_decisions_and_the_first_day_on_which_one_lapses() -> None:
    start = state()
    waiver = forms.coverage(after(start, "a", *"why")).rows[0]
    accepted = dict.fromkeys((m.fingerprint for m in LOST), replace(waiver, until=date(2026, 12, 1)))
    noted = {MODEL[0].fingerprint: Decision(choice=Choice.FIX, fingerprints=(MODEL[0].fingerprint,))}
    decided = state(accepted=accepted, noted=noted)
    assert tally(decided) == {"accepted": 1, "": 2, "decided": 1, "left": 2}
    assert lapses(decided) == date(2026, 12, 1)


def test_a_group_of_which_something_is_left_waits_and_a_decided_one_does_not() -> None:
    noted = {m.fingerprint: Decision(choice=Choice.NOISE, fingerprints=(m.fingerprint,)) for m in LOST[:2]}
    start = state(noted=noted)
    (group, *_) = queue(LOST)
    assert (start.standing(group), len(start.left(group))) == ("", 1)
    done = state(noted={**noted, LOST[2].fingerprint: noted[LOST[0].fingerprint]})
    assert done.standing(group) == "noise"
    assert kind(begin(done)) is Kind.MODEL_NAME


def test_esc_goes_back_and_decides_nothing() -> None:
    start = state()
    for key in ("a", "?", "g", "/"):
        left = after(start, key, "esc")
        assert (left.form, left.screen) == (None, Screen.GROUP)
    assert (after(start, "esc").form, after(start, "esc").screen) == (None, Screen.GROUP)
    assert len(after(start, "/", *"model", "enter", "esc").groups) == 3


def test_what_is_typed_first_replaces_a_default_and_then_adds_to_it() -> None:
    named = replace(state(), by="Somebody Else")
    form = after(named, "a", "backtab", *"Ada", " ", "L").form
    assert form is not None
    assert form.text("by") == "Ada L"
    shortened = after(named, "a", "backtab", "backspace").form
    assert shortened is not None
    assert shortened.text("by") == "Somebody Els"


@pytest.mark.parametrize(
    ("keys", "text", "cursor"),
    [
        (("left", "left", "X"), "abcXde", 4),
        (("home", "delete", "right", "backspace"), "cde", 0),
        (("home", "Z", "end", "Y"), "ZabcdeY", 7),
        ((" ", "f", " ", "ctrl-w"), "abcde ", 6),
        (("left", "ctrl-u"), "", 0),
        (("left", "pasted:12", "3"), "abcd123e", 7),
        (("f5", "insert", "home", "left", "backspace"), "abcde", 0),
    ],
)
def test_a_field_has_a_cursor(keys: tuple[str, ...], text: str, cursor: int) -> None:
    form = after(state(), "r", *"abcde", *keys).form
    assert form is not None
    assert (form.text("note"), form.fields["note"].cursor_position) == (text, cursor)


def test_any_key_leaves_the_help_and_ctrl_c_leaves_from_anywhere() -> None:
    assert after(state(), "?", "x").screen is Screen.GROUP
    for keys in ((), ("a",), ("?",), ("/",), ("g",)):
        assert effect(state(), *keys, "ctrl-c") is Effect.QUIT


def test_the_end_comes_when_nothing_waits() -> None:
    noted = {m.fingerprint: Decision(choice=Choice.FIX, fingerprints=(m.fingerprint,)) for m in LOST}
    assert "Nothing waits" in onward(state(*LOST, noted=noted), 1).message
