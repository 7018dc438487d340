"""What a changed judge got past; see docs/mutation.md."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.clients.observation import Chunk, Observation, Usage
from llm_contracts.clients.surface import MAPPING
from llm_contracts.parity.compare import ABSENT, Comparison, Rules, compare
from llm_contracts.parity.compare.finding import Finding, ObservationPair
from llm_contracts.parity.compare.pauses import quietest
from llm_contracts.parity.decision_groups import by_meaning, queue, without
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.result import Item
from llm_contracts.parity.waiver import Waiver
from llm_contracts.parity.waivers import load_waivers
from llm_contracts.wire.facts import WireFacts, read_answer, read_facts
from llm_contracts.wire.interaction import Interaction, Request, Response
from tests.harness.parity.samples import (
    BODY,
    URL,
    chunks,
    facts,
    failure,
    generation,
    observation,
    request,
    usage,
)
from tests.harness.review.samples import member

JSON = (("Content-Type", "application/json"),)
STREAM = (("Content-Type", "text/event-stream"),)


def compared(ours: Observation, theirs: Observation, **more: Any) -> Comparison:
    return compare(ours, theirs, (facts(),), scope="s", **more)


def values(found: Comparison) -> list[tuple[str, Any, Any]]:
    return [(one.where, one.reference, one.candidate) for one in found.divergences]


def answered(body: bytes, headers: tuple[tuple[str, str], ...] = JSON, status: int = 200) -> WireFacts:
    return read_facts(Response(status=status, headers=headers, body=body))


@pytest.mark.parametrize(
    ("one", "other", "shown"),
    [
        ("model", "assistant", ("choices[0].delta.role", ["model"], ["assistant"])),
        ("assistant", None, ("choices[0].delta.role", ["assistant"], ABSENT)),
        (None, "model", ("choices[0].delta.role", ABSENT, ["model"])),
    ],
)
def test_roles_are_shown_as_they_are(one: str | None, other: str | None, shown: Any) -> None:
    ours, theirs = (
        observation(chunks=tuple(replace(c, role=role if c.role else None) for c in observation().chunks))
        for role in (one, other)
    )
    assert values(compared(ours, theirs)) == [shown]


def test_a_client_that_adds_empty_chunks_does_not_hide_what_it_changed() -> None:
    ours = (Chunk(text="Hel", rest={"tier": "a"}), Chunk(text="lo"))
    theirs = (Chunk(), Chunk(text="Hel", rest={"tier": "b"}), Chunk(text="lo"))
    found = compared(observation(chunks=ours), observation(chunks=theirs))
    assert ("tier", "a", "b") in values(found)


@pytest.mark.parametrize(("ours", "theirs"), [({"n": None}, {}), ({}, {"n": None}), ({"n": []}, {})])
def test_an_empty_value_of_one_side_alone_is_counted(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    sides = (observation(chunks=(Chunk(text="Hello", rest=rest),)) for rest in (ours, theirs))
    found = compared(*sides)
    assert values(found) == []
    assert sum(count for name, count in found.normalised.items() if name in ("null", "empty-value")) == 1


@pytest.mark.parametrize(("empty", "name"), [(None, "null"), ([], "empty-value")])
@pytest.mark.parametrize("first", [True, False])
def test_an_empty_value_among_another_number_of_chunks_is_counted(
    empty: Any, name: str, *, first: bool
) -> None:
    one = observation(chunks=(Chunk(text="Hel", rest={"n": empty}), Chunk(text="lo")))
    other = observation(chunks=(Chunk(text="Hello"),))
    found = compared(*((one, other) if first else (other, one)))
    assert (found.normalised.get(name), "n" in {where for where, _, _ in values(found)}) == (1, False)
    assert name not in compared(one, replace(one, chunks=(*one.chunks, Chunk(text="!")))).normalised


def test_requests_in_another_order_are_counted_and_in_the_same_are_not() -> None:
    asked = [request({**BODY, "user": name}) for name in "ab"]
    same = compared(observation(requests=tuple(asked)), observation(requests=tuple(asked)))
    other = compared(observation(requests=tuple(asked)), observation(requests=tuple(reversed(asked))))
    assert set(other.normalised) - set(same.normalised) == {"request-order"}


def test_requests_of_one_body_to_two_addresses_belong_together_by_these() -> None:
    asked = [request(uri=f"{URL}{end}") for end in ("/a", "/b")]
    found = compared(observation(requests=tuple(asked)), observation(requests=tuple(reversed(asked))))
    assert (values(found), dict(found.normalised)) == ([], {"request-order": 1})


def test_the_names_of_an_object_in_a_body_in_another_order_are_not_numbers_spelt_otherwise() -> None:
    ours, theirs = ({**BODY, "metadata": {"a": 1, "b": 2}}, {**BODY, "metadata": {"b": 2, "a": 1}})
    found = compared(observation(requests=(request(ours),)), observation(requests=(request(theirs),)))
    assert (values(found), dict(found.normalised)) == ([], {"body-spelling": 1})


def test_an_error_of_a_class_above_is_not_caught_as_before() -> None:
    both = ("openai.RateLimitError", "openai.APIStatusError", "builtins.Exception")
    ours = failure(category="RateLimitError", named=False, classes=both)
    theirs = failure(category="APIStatusError", named=False, classes=both[1:])
    above, below = (
        compared(observation(chunks=(), failure=one), observation(chunks=(), failure=other))
        for one, other in ((ours, theirs), (theirs, ours))
    )
    assert ("error.category", "RateLimitError", "APIStatusError") in values(above)
    assert "error-subclass" not in above.normalised
    assert "error.category" not in {where for where, _, _ in values(below)}


def test_a_category_counts_where_the_error_itself_names_it_and_its_class_is_meant() -> None:
    """An error without a category is called by its class, which may have another category's name."""
    ours = failure(category="limit", named=False, classes=("shop.Limit",))
    theirs = failure(category="limit", named=True, classes=("shop.Other",))
    one, other = (observation(chunks=(), failure=each) for each in (ours, theirs))
    assert ("error.category", "Limit", "Other") in values(compared(one, other))
    named = [replace(each, named=True) for each in (ours, theirs)]
    one, other = (observation(chunks=(), failure=each) for each in named)
    rules = Rules(categories=("shop.Limit",))
    assert ("error.category", "Limit", "Other") in values(compared(one, other, rules=rules))


@pytest.mark.parametrize(
    ("ours", "theirs", "shown"),
    [
        (("id", ""), ("id", "id"), ("on the first delta", "on the first delta and on later ones")),
        (("id", ""), ("", "id"), ("on the first delta", " and on later ones")),
    ],
)
def test_it_is_shown_on_which_deltas_a_call_is_named(
    ours: tuple[str, str], theirs: tuple[str, str], shown: tuple[str, str]
) -> None:
    def calling(ids: tuple[str, str]) -> Observation:
        pieces = zip(ids, ('{"a"', ": 1}"), strict=True)
        deltas = [{"index": 0, "id": name or None, "name": "f", "arguments": part} for name, part in pieces]
        return observation(chunks=tuple(Chunk(tool_calls=(delta,)) for delta in deltas))

    found = compared(calling(ours), calling(theirs))
    assert ("tool_calls[0].id", *shown) in values(found)


def test_large_equal_totals_of_two_spans_are_equal() -> None:
    spans = [generation(usage={"input": int("1000"), "output": 2, "total": int("1002")}) for _ in range(2)]
    one, other = (observation(generations=(span,)) for span in spans)
    assert values(compared(one, other)) == []


def test_text_of_one_answer_in_another_order_is_not_what_was_sent() -> None:
    shown = observation(chunks=chunks("lo", "Hel", told=usage()))
    assert "text[0]" in {where for where, _, _ in values(compared(shown, shown))}


def test_a_part_that_is_a_mapping_is_called_one() -> None:
    names = ("content", "role")
    ours, theirs = (observation(surface={"error": each}) for each in (names, MAPPING))
    assert ("error", "an object", "a mapping") in values(compared(ours, theirs))


def test_a_label_that_only_an_empty_chunk_lacks_is_not_lost_where_there_are_more_chunks() -> None:
    ours = observation()
    theirs = observation(chunks=(Chunk(), *ours.chunks))
    assert "model" not in {where for where, _, _ in values(compared(ours, theirs))}
    first, *rest = ours.chunks
    begins = (Chunk(id="r1", model="m"), first, *rest)
    lacks = (Chunk(), first, *rest)
    lost = compared(observation(chunks=begins), observation(chunks=lacks))
    assert ("model", "on 5 of 5 chunks", "on 4 of 5 chunks") in values(lost)


def test_what_a_failure_cut_off_is_not_another_order_and_what_came_before_is() -> None:
    thought, text, finish = Chunk(reasoning="hm"), Chunk(text="Hello"), Chunk(finish_reason="stop")
    whole = observation(chunks=(thought, text, thought, finish))
    cut = observation(chunks=(thought, text), failure=failure())
    turned = observation(chunks=(text, thought), failure=failure())
    places = [{d.where for d in compared(whole, other).divergences} for other in (cut, turned)]
    assert ["order.text" in found or "order.reasoning" in found for found in places] == [False, True]


def test_of_several_runs_the_first_is_shown() -> None:
    runs = [
        observation(chunks=chunks(text), waits={"stream": wait}) for text, wait in (("a", 2.0), ("b", 1.0))
    ]
    quiet = quietest(runs)
    assert (quiet.text, quiet.waits) == ("a", {"stream": 1.0})


@pytest.mark.parametrize("changes", [{}, {"reference": "rate_limit"}, {"candidate": "auth"}])
def test_a_failure_is_accepted_only_by_both_its_values(changes: dict[str, Any]) -> None:
    found = Finding(
        kind=Kind.ERROR, where="error", reference={"category": "rate_limit"}, candidate=ABSENT
    ).seal("glm/plain")
    terms: dict[str, Any] = {"kind": Kind.ERROR, "provider": "glm", "reason": "r", "by": "b"}
    until = date(2026, 12, 31)
    assert not Waiver(**terms, until=until, scenario="plain", **changes).accepts(found)
    assert not Waiver(**terms, until=until, scenario="*~cut@*", **changes).accepts(found)
    both: dict[str, Any] = {"reference": "rate_limit", "candidate": "absent"}
    assert Waiver(**terms, until=until, scenario="plain", **both).accepts(found)
    alike = replace(found, candidate={"category": "server"})
    assert [Waiver(**terms, until=until, scenario=name).accepts(alike) for name in ("plain", "*~cut@*")] == [
        False,
        True,
    ]


@pytest.mark.parametrize(("days", "fault"), [(366, False), (367, True), (4000, True)])
def test_more_than_a_year_is_a_fault(tmp_path: Path, days: int, fault: bool) -> None:
    today = date(2026, 6, 1)
    file = tmp_path / "waivers.toml"
    until = today + timedelta(days=days)
    terms = 'kind = "text"\nprovider = "glm"\nscenario = "plain"\nreason = "r"\nby = "b"'
    file.write_text(f"[[waiver]]\n{terms}\nuntil = {until}\n")
    waivers = load_waivers(file, today)
    assert (bool(waivers.complaints), len(waivers.entries)) == (fault, 0 if fault else 1)


def test_groups_that_mean_the_same_share_a_place_or_count_them_and_are_gone_with_their_members() -> None:
    one, other = (member(f"a/{name}", Kind.DELTAS, name, "x", "y") for name in ("text", "refusal"))
    (alone,) = by_meaning(queue([one]))
    assert (alone.where, alone.ids) == ("text", ("a/text",))
    (group,) = queue([one])
    assert (group.ids, group.fingerprints, group.providers) == (("a/text",), (one.fingerprint,), {"a": 1})
    assert without(group, lambda each: each.item == "a/text") is None
    left = without(group, lambda each: each.item == "a/refusal")
    assert left is not None
    assert left.members == (one,)
    assert {same.where for same in by_meaning(queue([one, other]))} <= {"text", "refusal", "2 places"}


def test_what_only_the_candidate_leaves_behind_is_shown_and_nothing_else() -> None:
    ours, theirs = ["a"], ["a", "b"]
    found = compared(*(observation(effects={"files": files}) for files in (ours, theirs)))
    assert values(found) == [("files", ["a"], ["b"])]
    assert values(compared(*(observation(effects={"files": files}) for files in (theirs, ours)))) == []
    one, two = (observation(effects={"connections": number}) for number in (1, 2))
    assert values(compared(one, two)) == [("connections", 1, 2)]
    assert values(compared(two, one)) == []


def test_properties_of_a_schema_in_another_order_are_counted() -> None:
    def asking(*names: str) -> Observation:
        tool = {"type": "function", "parameters": {"properties": {name: {} for name in names}}}
        return observation(requests=(request({**BODY, "tools": [tool]}),))

    assert compared(asking("a", "b"), asking("b", "a")).normalised["key-order"] == 1
    assert "key-order" not in compared(asking("a", "b"), asking("a", "b")).normalised


def test_a_key_that_stands_twice_in_a_body_and_a_blank_value_of_a_query_are_told() -> None:
    once, twice = (replace(request(), body=body) for body in (b'{"a": 2}', b'{"a": 1, "a": 2}'))
    found = compared(observation(requests=(once,)), observation(requests=(twice,)))
    assert values(found) == [("body.twice", ABSENT, ["a"])]
    blank, none = (observation(requests=(request(uri=f"{URL}?{query}"),)) for query in ("a=&b=1", "b=1"))
    assert values(compared(blank, none)) == [("target.query", "a=&b=1", "b=1")]


def test_attempts_that_errors_count_are_shown_side_by_side() -> None:
    ours, theirs = (observation(chunks=(), failure=failure(attempts=number)) for number in (3, 1))
    assert ("error.attempts", 3, 1) in values(compared(ours, theirs))


def test_of_three_answers_an_agent_may_show_the_last_alone() -> None:
    asked = tuple(request({**BODY, "user": name}) for name in "abc")
    answers = tuple(facts(text=text, ids=(text,)) for text in ("one", "two", "three"))
    places = []
    for text in ("three", "two"):
        shown = observation(requests=asked, chunks=chunks(text, told=usage()))
        found = compare(shown, shown, answers, scope="s").divergences
        places.append(any(each.where.startswith("text[") for each in found))
    assert places == [False, True]


def test_a_chunk_that_is_a_mapping_is_counted_and_an_error_that_is_one_is_told() -> None:
    whole = observation(surface={"chunk": ("choices", "id")})
    mapped = compared(whole, observation(surface={"chunk": MAPPING}))
    assert (values(mapped), dict(mapped.normalised)) == ([], {"object-type": 1})


def test_a_range_of_releases_holds_for_candidates_of_releases() -> None:
    until = date(2026, 12, 31)
    terms: dict[str, Any] = {"kind": Kind.TEXT, "provider": "*", "scenario": "a", "reason": "r", "by": "b"}
    waiver = Waiver(**terms, until=until, litellm=">=1.80")
    assert [waiver.applies({"litellm": release}) for release in ("1.90.0rc1", "1.79.0", "1.80")] == [
        True,
        False,
        True,
    ]


def test_an_item_says_what_it_was_held_against_also_without_its_observations() -> None:
    item = Item(id="a/b", provider="a", scenario="b", reference=observation(client="old"))
    assert item.held_against == "old"
    outcomes = {"reference": {"client": "older"}, "candidate": None}
    assert replace(item, reference=None, outcomes=outcomes).held_against == "older"
    assert replace(item, reference=None).held_against is None


def test_an_array_of_chunks_is_a_stream() -> None:
    parts = [{"candidates": [{"content": {"parts": [{"text": text}]}}]} for text in ("Hel", "lo")]
    found = answered(json.dumps(parts).encode())
    assert (found.text, found.events, found.streamed) == ("Hello", 2, True)


def test_a_key_that_is_gone_is_told() -> None:
    ours, theirs = (
        observation(requests=(request(None, Authorization=value),)) for value in ("Bearer sk-one", "Bearer ")
    )
    assert [where for where, _, _ in values(compared(ours, theirs))] == ["headers.authorization"]
    none = observation(requests=(request(None, Authorization=""),))
    assert values(compared(ours, none)) == [("headers.authorization", "Bearer (a key)", "(empty)")]


def test_a_cause_is_the_class_right_below() -> None:
    ours, theirs = (
        observation(chunks=(), failure=failure(classes=("a.E",), below=below))
        for below in (("a.Cause", "builtins.OSError"), ("a.Cause",))
    )
    assert "error-cause" not in compared(ours, theirs).normalised


def test_what_only_an_empty_chunk_carried_is_lost_with_it() -> None:
    ours = observation(chunks=(Chunk(rest={"tier": "a"}), Chunk(text="Hello")))
    theirs = observation(chunks=(Chunk(text="Hello"),))
    assert ("tier", "a", ABSENT) in values(compared(ours, theirs))


def test_one_failure_is_not_two() -> None:
    sides = [observation(), observation(failure=failure())]
    found = [
        (pair.one_failed, pair.both_failed)
        for one in sides
        for other in sides
        for pair in [ObservationPair(reference=one, candidate=other, facts=(), rules=Rules())]
    ]
    assert found == [(False, False), (True, False), (True, False), (False, True)]


def test_events_that_a_failure_cut_off_are_not_another_order_and_others_are() -> None:
    def typed(*kinds: str, **more: Any) -> Observation:
        return observation(chunks=tuple(Chunk(is_event=True, rest={"type": kind}) for kind in kinds), **more)

    whole = typed("begin", "text", "end")
    cut, turned = typed("begin", "text", failure=failure()), typed("text", "begin", failure=failure())
    places = [{d.where for d in compared(whole, other).divergences} for other in (cut, turned)]
    assert ["order.type" in found for found in places] == [False, True]


def test_what_a_failure_cut_off_hides_nothing_else_that_differs() -> None:
    ours = Chunk(text="Hel", extra={"refusal": "no", "reasoning": ["x"]}), Chunk(extra={"refusal": "t"})
    theirs = (Chunk(text="Hel", extra={"refusal": "no", "reasoning": ["y"]}),)
    found = compared(observation(chunks=ours), observation(chunks=theirs, failure=failure()))
    assert ("reasoning[0]", ["x"], ["y"]) in values(found)
    assert "refusal[1]" not in {where for where, _, _ in values(found)}


@pytest.mark.parametrize("left", [1, 2])
def test_events_of_an_unknown_api_are_late_only_where_both_hand_on_as_many(left: int) -> None:
    ours = observation(chunks=tuple(Chunk(rest={"n": n}, position=n) for n in (1, 2, 3)))
    theirs = observation(chunks=tuple(Chunk(rest={"n": n}, position=3) for n in (1, 2, 3)[:left]))
    sent = (facts(protocol="generic", text=""),)
    kinds = {each.kind for each in compare(ours, theirs, sent, scope="s").divergences}
    assert Kind.DELIVERY_LAG not in kinds
    as_many = observation(chunks=tuple(replace(chunk, position=3) for chunk in ours.chunks))
    assert Kind.DELIVERY_LAG in {each.kind for each in compare(ours, as_many, sent, scope="s").divergences}


def test_an_error_that_is_caught_no_longer_is_shown_with_its_own_class() -> None:
    ours, theirs = (
        failure(classes=(f"{package}.RateLimitError", f"{package}.APIError", "builtins.Exception"))
        for package in ("openai", "shop")
    )
    sides = (observation(chunks=(), failure=each) for each in (ours, theirs))
    lost = ["openai.RateLimitError", "openai.APIError"]
    assert ("error.except", lost, ["shop.RateLimitError"]) in values(compared(*sides))


@pytest.mark.parametrize(
    ("protocol", "told"), [("openai-chat", True), ("anthropic-messages", True), ("generic", False)]
)
def test_text_that_both_change_is_told_of_every_api_whose_text_is_known(protocol: str, told: bool) -> None:
    shown = observation(chunks=chunks("Hexlo", told=usage()))
    sent = (facts(protocol=protocol),)
    found = compare(shown, shown, sent, scope="s").divergences
    assert ("text[2]" in {each.where for each in found}) is told


@pytest.mark.parametrize(("status", "told"), [(200, True), (399, True), (400, False), (500, False)])
def test_two_failures_on_a_status_of_failure_are_right(status: int, told: bool) -> None:
    failed = observation(chunks=(), failure=failure())
    found = compare(failed, failed, (facts(status=status),), scope="s").divergences
    assert (("unfaithful", "error") in {(str(each.kind), each.where) for each in found}) is told


def test_a_body_that_is_not_json_does_not_hide_that_totals_are_asked_for() -> None:
    asks = request({**BODY, "stream_options": {"include_usage": True}})
    shown = observation(requests=(replace(asks, body=b"\xff"), asks), chunks=chunks("Hel", "lo"))
    assert "usage" in {where for where, _, _ in values(compared(shown, shown))}


def test_a_run_with_fewer_pauses_takes_no_part_in_the_later_ones() -> None:
    waits = {"pauses[1]": 3.0}
    runs = [observation(pauses=pauses, waits=waits) for pauses in ((1.0, 3.0), (1.0,), (1.0, 2.0))]
    assert quietest(runs).pauses == (1.0, 2.0)


def test_text_is_a_list_only_where_it_came_as_one() -> None:
    def sent(content: Any) -> bytes:
        return (
            b"data: %s\n\n" % json.dumps({"choices": [{"index": 0, "delta": {"content": content}}]}).encode()
        )

    assert not answered(sent("hi"), STREAM).list_content
    assert answered(sent([{"type": "text", "text": "hi"}]), STREAM).list_content


def test_an_error_is_the_first_of_a_list_whatever_follows_it() -> None:
    found = answered(b'[{"error": {"message": "no"}}, 1]').error
    assert found is not None
    assert found["message"] == "no"


@pytest.mark.parametrize(("body", "protocol"), [(b"[1, 2]", "generic"), (b'"x"', "generic"), (b"hello", "")])
def test_json_that_is_not_an_object_is_an_answer_and_other_text_is_not(body: bytes, protocol: str) -> None:
    assert answered(body).protocol == protocol


@pytest.mark.parametrize(("flag", "error"), [(True, True), (False, False), (1, False)])
def test_an_error_that_is_a_flag_is_one_where_it_is_set(flag: Any, error: bool) -> None:
    body = {"error": flag, "message": "no such model"}
    assert (answered(json.dumps(body).encode()).error == body) is error


def test_whose_a_refusal_is_says_its_address_and_whose_an_answer_is_says_the_answer() -> None:
    def at(uri: str, body: bytes, status: int) -> str:
        asked = Request(method="POST", uri=uri, headers=JSON, body=b"{}")
        answer = Response(status=status, headers=JSON, body=body)
        return read_answer(Interaction(request=asked, response=answer)).protocol

    messages = "https://api.anthropic.example/v1/messages"
    assert at(messages, b'{"error": {"message": "no"}}', 401) == "anthropic-messages"
    chat = b'{"choices": [{"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}]}'
    assert at(messages, chat, 200) == "openai-chat"


def test_of_two_errors_the_first_says_how_long_to_wait() -> None:
    waits = [{"error": {"message": "no", "details": [{"retryDelay": f"{n}s"}]}} for n in (3, 7)]
    body = b"".join(b"data: %s\n\n" % json.dumps(each).encode() for each in waits)
    assert answered(body, STREAM).retry_after == 3.0


@pytest.mark.parametrize(
    ("totals", "total"),
    [({"input_tokens": 4}, None), ({"output_tokens": 2}, None), ({"input_tokens": 4, "output_tokens": 2}, 6)],
)
def test_a_sum_of_tokens_needs_both_parts(totals: dict[str, int], total: int | None) -> None:
    from llm_contracts.parity.compare.across import _usage

    names = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens"}
    given: dict[str, Any] = {
        **dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens")),
        **{names[name]: number for name, number in totals.items()},
    }
    common = _usage(Usage(**given, details={"server_tool_use.requests": 2}), "anthropic-messages")
    assert (common.total_tokens, common.details) == (total, {})
