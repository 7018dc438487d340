"""What the page is made of, before a browser sees it."""

from __future__ import annotations

import base64
import gzip
import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_contracts.clients.observation import Chunk, Usage
from llm_contracts.parity.divergence import Kind
from llm_contracts.reporting.align import word_diff
from llm_contracts.reporting.answer import answer, state
from llm_contracts.reporting.html.detail import detail
from llm_contracts.reporting.html.page import group_rows, in_full, item_rows, matrix, packed, script_json
from llm_contracts.reporting.item_view import LaneRow, WireEvent, rows, wire_events
from llm_contracts.reporting.lines import visible
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import Interaction, Response
from tests.harness.reporting.html.runs import (
    HOSTILE,
    answered,
    changed_word,
    event,
    found,
    item,
    said,
    whole_run,
)

words = st.lists(st.sampled_from(["a", "bb", " ", "茶", "園", "\n", "é"]), max_size=12).map("".join)


def sent(exchange: Interaction) -> tuple[WireEvent, ...]:
    return tuple(wire_events([exchange], [read_facts(exchange.response)]))


def wire(*texts: str) -> tuple[WireEvent, ...]:
    return sent(answered([event({"content": text}) for text in texts]))


def chunks(*texts: str) -> list[Chunk]:
    return [Chunk(text=text) for text in texts]


# Words


@given(words, words)
def test_pieces_put_together_are_the_texts_and_what_is_shared_is_shared(left: str, right: str) -> None:
    one, other = word_diff(left, right)
    assert "".join(one) == left
    assert "".join(other) == right
    assert one[::2] == other[::2]


def test_the_word_that_differs_is_marked_and_not_the_line() -> None:
    assert word_diff("the red fox", "the blue fox") == (["the ", "red", " fox"], ["the ", "blue", " fox"])
    assert word_diff("春天的茶园", "春天的茶山") == (["春天的茶", "园"], ["春天的茶", "山"])


def test_texts_too_long_to_compare_are_marked_between_what_begins_and_ends_alike() -> None:
    left, right = (f"a{'-' * 30_000}{middle}z" for middle in ("left", "right"))
    one, other = word_diff(left, right)
    assert (one[1], other[1]) == ("lef", "righ")


# Rows


def test_each_event_stands_beside_the_chunk_that_was_made_from_it() -> None:
    found_rows = rows(chunks("a", "b", "c"), wire("a", "b", "c"), chunks("a", "b", "c"))
    assert [(row.left, row.wire, row.right) for row in found_rows] == [
        (0, (0, 1), 0),
        (1, (1, 2), 1),
        (2, (2, 3), 2),
    ]


def test_one_chunk_made_of_three_events_has_all_of_them_beside_it() -> None:
    found_rows = rows(chunks("a", "b", "c"), wire("a", "b", "c"), chunks("abc"))
    assert sum(row.wire[1] - row.wire[0] for row in found_rows) == 3
    assert next(row for row in found_rows if row.right == 0).wire[1] == 3


def test_events_that_reached_nobody_come_at_the_end() -> None:
    assert rows(chunks("a"), wire("a", "b"), chunks("a"))[-1] == LaneRow(
        left=None, right=None, equal=True, wire=(1, 2)
    )


@given(
    st.lists(st.sampled_from("abc"), max_size=6),
    st.lists(st.sampled_from("abc"), max_size=6),
    st.lists(st.sampled_from("abc"), max_size=6),
)
def test_nothing_is_left_out_of_the_rows_and_nothing_changes_places(
    left: list[str], sent: list[str], right: list[str]
) -> None:
    found_rows = rows(chunks(*left), wire(*sent), chunks(*right))
    assert [row.left for row in found_rows if row.left is not None] == list(range(len(left)))
    assert [row.right for row in found_rows if row.right is not None] == list(range(len(right)))
    covered = [place for row in found_rows for place in range(*row.wire)]
    assert covered == list(range(len(sent)))


# The wire


def test_events_say_what_they_are_and_when_their_last_byte_came() -> None:
    datas = [event({"role": "assistant"}), event({"content": "hi"}), "half {", "[DONE]"]
    seen = sent(answered(datas))
    assert [(each.kind, each.at_ms) for each in seen] == [
        ("role", 10.0),
        ("content", 20.0),
        ("unread", 30.0),
        ("done", 40.0),
    ]


def test_other_dialects_say_the_same() -> None:
    seen = sent(
        answered(
            [
                '{"candidates": [{"content": {"parts": [{"text": "hi"}]}}]}',
                '{"promptFeedback": {"blockReason": "SAFETY"}}',
            ]
        )
    )
    assert [each.kind for each in seen] == ["content", "error"]
    assert seen[0].chunk is not None
    assert seen[0].chunk.text == "hi"


def test_without_recorded_times_there_are_none() -> None:
    assert [each.at_ms for each in sent(answered([event({"content": "a"})], every_ms=None))] == [None]


def test_an_answer_that_is_no_stream_is_one_event() -> None:
    refused = Response(status=429, body=b'{"error": {"message": "slow down"}}')
    [seen] = sent(Interaction(request=whole_run().items[0].exchanges[0].request, response=refused))
    assert (seen.kind, seen.data) == ("error", '{"error": {"message": "slow down"}}')


# Details


def test_a_detail_holds_the_three_voices_on_totals_and_the_end() -> None:
    held = detail(changed_word())
    assert held["usage"][0] == ("prompt_tokens", 3, 3, None)
    ends = {row[0]: row[1:] for row in held["ends"]}
    assert ends["connection"] == ("complete, with [DONE]", None, None)
    assert ends["requests made"] == (None, 1, 1)
    assert held["text"]["same"] == {"reference": True, "candidate": False}


def test_requests_are_compared_whatever_the_order_of_keys_and_headers() -> None:
    request = whole_run().items[0].exchanges[0].request
    other = replace(request, headers=request.headers[::-1], body=b'{"stream": true,  "model": "n"}')
    held = detail(item("a/b", candidate=said("a", requests=(other,))))
    [compared] = held["requests"]
    assert [row for row in compared["headers"] if row[1] != row[2]] == []
    assert [line for line in compared["body"] if line[0] != "="] == [
        ("<", '  "model": "m",'),
        (">", '  "model": "n",'),
    ]


def test_a_model_name_that_is_another_makes_the_row_differ() -> None:
    named = said("a", "b")
    renamed = replace(named, chunks=tuple(replace(chunk, model="other") for chunk in named.chunks))
    held = detail(item("a/b", reference=named, candidate=renamed))
    assert [row["eq"] for row in held["rows"]][:2] == [
        False,
        True,
    ]  # said where it changes, not on every chunk


def test_totals_on_a_chunk_are_shown_with_all_their_parts() -> None:
    usage = Usage(prompt_tokens=1, details={"cached": 1})
    held = detail(item("a/b", reference=said("a", usage=usage)))
    assert held["lanes"][0]["chunks"][-1]["usage"] == '1 + ? = ? {"cached": 1}'


def test_a_recording_that_could_not_be_used_has_its_problem_for_a_detail() -> None:
    assert detail(whole_run().items[4]) == {"problem": "broken.yaml: cut"}


# The first page


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (item("a/b"), "agree"),
        (item("a/b", found(Kind.TEXT, "w", 1, 2, "a/b")), "breaking"),
        (item("a/b", found(Kind.DELTAS, "w", 1, 2, "a/b")), "visible"),
        (item("a/b", found(Kind.CHUNK_COUNT, "w", 1, 2, "a/b")), "cosmetic"),
        (item("a/b", noise=(found(Kind.DELTAS, "w", 1, 2, "a/b"),)), "noise"),
        (item("a/b", problem="no"), "unreadable"),
    ],
)
def test_the_worst_that_nobody_accepted_is_the_state(made: Any, expected: str) -> None:
    assert state(made) == expected


def test_an_accepted_difference_is_a_state_of_its_own() -> None:
    assert state(whole_run().items[2]) == "accepted"


def test_groups_are_those_of_review_and_name_every_difference() -> None:
    result = whole_run()
    groups = group_rows(result.items)
    found_rows = item_rows(result, groups, ())
    assert {each["group"] for row in found_rows for each in row["found"]} == {
        group.number for group in groups
    }
    assert [row.group.severity for row in groups if row.reason is None] == ["breaking"] * 3 + ["visible"]


@pytest.mark.parametrize(
    ("providers", "word"),
    [
        (("zenith",), "GO"),
        (("acme",), "NO-GO"),
        (("acme", "zenith"), "GO for 1 of 2 providers"),
        ((), "No verdict"),
    ],
)
def test_the_headline_is_a_go_only_if_every_provider_is_ready(providers: tuple[str, ...], word: str) -> None:
    result = whole_run()
    asked = {name: result.verdicts[name] for name in providers}
    assert answer(replace(result, verdicts=asked)).word.startswith(word)


def test_a_corpus_in_which_no_two_are_alike_has_no_matrix() -> None:
    corpus = replace(whole_run(), items=tuple(item(f"p{n % 2}/s{n}") for n in range(9)), missing=())
    assert matrix(corpus) is None
    assert matrix(whole_run()) is not None


def test_of_very_many_items_only_those_with_something_to_see_are_held_in_full() -> None:
    many = replace(whole_run(), items=(*whole_run().items, *(item(f"p/{n}") for n in range(2_000))))
    assert set(in_full(many)) == {each.id for each in whole_run().items} - {"acme/agrees"}
    assert len(in_full(whole_run())) == 6


# Embedding


@pytest.mark.parametrize("text", [HOSTILE, "</SCRIPT>", "<!--<script>", "\u2028\u2029\u202e"])
def test_json_in_a_script_element_cannot_leave_it(text: str) -> None:
    embedded = script_json({"a": text})
    assert not set("<>&\u2028\u2029\u202e") & set(embedded)
    assert json.loads(embedded) == {"a": text}


def test_numbers_that_json_does_not_know_are_named() -> None:
    assert json.loads(script_json([math.nan, math.inf, 1.5])) == ["nan", "inf", 1.5]


def test_what_is_packed_comes_out_again_and_is_the_same_on_every_day() -> None:
    held = packed({"a": HOSTILE})
    assert json.loads(gzip.decompress(base64.b64decode(held))) == {"a": HOSTILE}
    assert packed({"a": HOSTILE}) == held


def test_what_hides_or_turns_is_written_out() -> None:
    assert visible("a\u202eb\x00\ud83dc\u200b") == "a⟨U+202E⟩b⟨U+0000⟩⟨U+D83D⟩c⟨U+200B⟩"
    assert visible("👩\u200d🚀 line\nnext") == "👩\u200d🚀 line\nnext"


def test_what_is_gravest_in_a_recording_comes_first() -> None:
    name = "a/b"
    kinds = (Kind.CHUNK_COUNT, Kind.MODEL_NAME, Kind.TEXT, Kind.USAGE_MISSING)
    each = [found(kind, "somewhere", 1, 2, name) for kind in kinds]
    run = replace(whole_run(), items=(item(name, *each),))
    (row,) = item_rows(run, group_rows(run.items), ())
    severities = [held["severity"] for held in row["found"]]
    assert severities == ["breaking", "breaking", "visible", "cosmetic"]
