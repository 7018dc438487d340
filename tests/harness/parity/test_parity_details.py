"""The finer rules of comparison: what follows from an error, what the bytes decide, what is only shape."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from llm_contracts.clients.observation import Chunk, Observation, Usage
from llm_contracts.clients.surface import MAPPING
from llm_contracts.parity.compare import compare
from llm_contracts.parity.compare.finding import ABSENT
from llm_contracts.parity.compare.stream import assemble
from llm_contracts.wire.facts import WireFacts
from llm_contracts.wire.interaction import End
from tests.harness.parity.samples import (
    BODY,
    SENT,
    chunks,
    facts,
    failure,
    generation,
    observation,
    request,
    usage,
)


def found(reference: Observation, candidate: Observation, *sent: WireFacts) -> list[tuple[str, str]]:
    """Kind and place of each divergence."""
    divergences = compare(reference, candidate, sent or (facts(),), scope="s").divergences
    return [(str(d.kind), d.where) for d in divergences]


def hidden(reference: Observation, candidate: Observation, *sent: WireFacts) -> dict[str, int]:
    return dict(compare(reference, candidate, sent or (facts(),), scope="s").normalised)


def with_chunks(*extra: Chunk) -> Observation:
    plain = observation()
    return replace(plain, chunks=(*extra, *plain.chunks))


# What follows from an error is counted, not reported as well.


def test_a_failure_of_one_path_is_the_only_divergence_however_much_it_never_reached() -> None:
    told = generation(output="", level="ERROR", usage=None)
    opened = observation(chunks=(), failure=failure(), generations=(told,))
    whole = observation(generations=(generation(),))
    assert found(whole, opened) == [("error", "error")]
    # text, finish reason, id, model, usage, and the generation's output, level and usage
    assert hidden(whole, opened) == {"after-error": 8}


def test_a_failing_path_that_had_said_something_else_is_told_apart_in_text() -> None:
    broken = observation(chunks=chunks("Help", finish=None), failure=failure())
    assert found(observation(), broken) == [("error", "error"), ("text", "text[3]")]


def test_pieces_are_compared_as_far_as_both_got() -> None:
    broken = observation(chunks=chunks("He", finish=None), failure=failure())
    assert ("deltas", "delta[0]") in found(observation(), broken)


def test_a_finish_reason_before_the_failure_is_compared() -> None:
    broken = observation(chunks=chunks("Hel", "lo", finish="length"), failure=failure())
    assert ("finish_reason", "finish_reason.changed") in found(observation(), broken)


def test_tool_calls_extras_and_empty_chunks_that_were_never_reached_are_counted() -> None:
    whole = with_chunks(Chunk(tool_calls=({"index": 0, "name": "f"},), extra={"refusal": "no"}), Chunk())
    broken = observation(chunks=(), failure=failure())
    assert found(whole, broken) == [("error", "error")]
    assert hidden(whole, broken)["after-error"] == 8


def _broken(*said: Chunk) -> Observation:
    return observation(chunks=said, failure=failure())


BREAKS = facts(error={"message": "slow down"}, finish_reasons=(), usage=None)
CALL = Chunk(tool_calls=({"index": 0, "name": "f", "arguments": "{}"},))
OTHER = {"index": 1, "text": "Uno", "finish_reason": "stop"}


def test_nothing_at_all_of_what_came_before_the_same_failure_is_lost() -> None:
    said = (*chunks("Hel", "lo", finish=None), Chunk(reasoning="so"), CALL, Chunk(others=(OTHER,)))
    lost = {("text", "text[0]"), ("reasoning", "reasoning[0]"), ("tool_calls", "tool_calls[0]")}
    lost |= {("text", "choices[1].text"), ("finish_reason", "choices[1].finish_reason")}
    assert lost | {("error_position", "error.position")} == set(found(_broken(*said), _broken(), BREAKS))


def test_who_fails_earlier_in_the_same_way_lacks_the_rest() -> None:
    said = (*chunks("Hel", "lo", finish=None), Chunk(others=(OTHER,)))
    part = (*chunks("Hel", finish=None), Chunk(others=({"index": 1, "text": "U"},)))
    assert set(found(_broken(*said), _broken(*part), BREAKS)) == {
        ("error_position", "error.position"),
        ("finish_reason", "choices[1].finish_reason"),
    }


def test_who_goes_on_where_the_reference_fails_lacks_nothing_of_what_came_before() -> None:
    said = (*chunks("Hel", "lo", finish=None), CALL)
    assert set(found(_broken(*said), observation(chunks=()), BREAKS)) == {
        ("error", "error"),
        ("text", "text[0]"),
        ("tool_calls", "tool_calls[0]"),
        ("response_id", "id"),
        ("model_name", "model"),
        ("fields", "choices[0].delta.role"),
    }
    assert found(_broken(), observation(chunks=said), BREAKS) == [("error", "error")]


def test_who_fails_earlier_makes_up_what_only_he_has() -> None:
    made_up = (*chunks("Hel"), Chunk(usage=usage()))
    said = chunks("Hel", "lo", finish=None)
    assert set(found(_broken(*said), _broken(*made_up), BREAKS)) == {
        ("error_position", "error.position"),
        ("finish_reason", "finish_reason.invented"),
        ("usage_invented", "usage"),
    }


def test_another_answer_beside_the_first_is_compared_before_a_failure() -> None:
    said = (*chunks("Hel", "lo", finish=None), Chunk(others=(OTHER,)))
    other = (*chunks("Hel", finish=None), Chunk(others=({**OTHER, "text": "Due"},)))
    assert ("text", "choices[1].text") in found(_broken(*said), _broken(*other))


def test_failures_that_read_differently_fail_alike_and_are_told() -> None:
    ours = observation(chunks=(), failure=failure(provider_code="1302"))
    theirs = observation(chunks=(), failure=failure(message="litellm: slow down"))
    refused = facts(status=429, error={"message": "slow down"})
    assert found(ours, theirs, refused) == [("fields", "error.provider_code")]


def test_attempts_that_a_failure_tells_of_are_compared() -> None:
    ours = observation(chunks=(), failure=failure(attempts=3))
    theirs = observation(chunks=(), failure=failure(attempts=1))
    refused = facts(status=429, error={"message": "slow down"})
    assert found(ours, theirs, refused) == [("attempts", "error.attempts")]


# Shape is hidden, by name.


@pytest.mark.parametrize(
    ("extra", "name"),
    [
        (Chunk(role="assistant", text=""), "role"),
        (Chunk(finish_reason=""), "finish-empty"),
    ],
)
def test_shape_is_counted_by_name(extra: Chunk, name: str) -> None:
    assert hidden(observation(), with_chunks(extra)).get(name)


def test_a_role_under_another_name_is_told() -> None:
    renamed = tuple(replace(c, role="model") if c.role else c for c in observation().chunks)
    assert found(observation(), observation(chunks=renamed)) == [("fields", "choices[0].delta.role")]


@pytest.mark.parametrize(("one", "other"), [("model", "assistant"), ("assistant", None), (None, "model")])
def test_a_role_is_told_unless_only_the_candidate_names_the_usual_one(
    one: str | None, other: str | None
) -> None:
    ours, theirs = (
        observation(chunks=tuple(replace(c, role=role if c.role else None) for c in observation().chunks))
        for role in (one, other)
    )
    assert found(ours, theirs) == [("fields", "choices[0].delta.role")]


def test_repeated_roles_are_counted_each() -> None:
    repeated = tuple(replace(chunk, role="assistant") for chunk in observation().chunks)
    assert hidden(observation(), observation(chunks=repeated))["role"] == len(repeated) - 1


def test_two_clients_that_hand_on_mappings_hand_on_the_same() -> None:
    mappings = observation(surface={"chunk": MAPPING, "usage": MAPPING})
    assert (found(mappings, mappings), hidden(mappings, mappings)) == ([], {})


@pytest.mark.parametrize(
    ("ours", "theirs", "places"),
    [
        ({"stream": ("__iter__", "__next__", "close")}, {"stream": ("__iter__",)}, {"__next__", "close"}),
        ({"stream": ("__iter__", "__next__", "close")}, {}, set()),  # a generator has them
        ({"chunk": MAPPING}, {"chunk": ()}, {"chunk"}),
        ({"chunk": ("id",)}, {"chunk": ()}, {"id"}),
        ({"choice": ("index",)}, {"choice": ("index",), "finish_reason: Reason": ()}, {"finish_reason"}),
        ({"finish_reason: Reason": ()}, {"finish_reason: Reason": ()}, set()),
    ],
)
def test_names_that_a_stream_or_an_item_lacks_are_told(
    ours: dict[str, Any], theirs: dict[str, Any], places: set[str]
) -> None:
    lost = found(observation(surface=ours), observation(surface=theirs))
    assert {(kind, where.rpartition(".")[2]) for kind, where in lost} == {("surface", p) for p in places}


def test_a_finish_reason_on_the_last_text_is_no_divergence() -> None:
    """LiteLLM makes two chunks of it."""
    one = observation(
        chunks=(
            Chunk(text="Hello", finish_reason="stop", id="r1", model="m"),
            Chunk(usage=usage(), id="r1", model="m"),
        )
    )
    two = observation(chunks=chunks("Hello", told=usage()))
    assert found(one, two) == []
    assert hidden(one, two) == {"finish-split": 1, "role": 1}


def test_where_the_order_parts_is_shown_from_the_part_before_whichever_client_is_first() -> None:
    text, finish, totals = chunks("Hello", told=usage())
    ours, theirs = observation(chunks=(text, finish, totals)), observation(chunks=(text, totals, finish))
    shown = {"finish": "text, finish_reason, usage", "usage": "text, usage, finish_reason"}
    for one, other, where, first, second in (
        (ours, theirs, "order.usage", shown["finish"], shown["usage"]),
        (theirs, ours, "order.finish_reason", shown["usage"], shown["finish"]),
    ):
        divergences = compare(one, other, (facts(),), scope="s").divergences
        (moved,) = (d for d in divergences if str(d.kind) == "order")
        assert (moved.where, moved.reference, moved.candidate) == (where, first, second)


def test_a_repeated_finish_reason_and_running_totals_are_another_order() -> None:
    plain = observation()
    repeated = replace(
        plain, chunks=(*plain.chunks, Chunk(finish_reason="stop", usage=usage(), id="r1", model="m"))
    )
    assert found(plain, repeated) == [("order", "order.finish_reason")]


def test_type_function_on_continuing_tool_deltas_is_counted() -> None:
    ours = with_chunks(Chunk(id="r1", model="m", tool_calls=({"index": 0, "arguments": "1"},)))
    theirs = with_chunks(
        Chunk(id="r1", model="m", tool_calls=({"index": 0, "arguments": "1", "type": "function"},))
    )
    assert found(ours, theirs, facts(arguments="1")) == []
    assert hidden(ours, theirs) == {"tool-type": 2}  # on the delta, and on the assembled call


# Tool calls


@pytest.mark.parametrize(
    ("deltas", "names"),
    [
        ([{"index": 0, "name": "a"}, {"index": 1, "name": "b"}, {"index": 0, "name": "c"}], ["ac", "b"]),
        ([{"id": "1", "name": "a"}, {"id": "2", "name": "b"}], ["a", "b"]),
        ([{"id": "1", "name": "a"}, {"name": "b"}], ["ab"]),
        ([{"name": "a"}, {"name": "b"}], ["ab"]),
        ([{"index": 0, "id": "1", "name": "a"}, {"index": 0, "id": "2", "name": "b"}], ["ab"]),
    ],
)
def test_tool_calls_are_put_together_as_an_application_would(
    deltas: list[dict[str, Any]], names: list[str]
) -> None:
    assert [call["name"] for call in assemble([Chunk(tool_calls=(delta,)) for delta in deltas])] == names


def test_arguments_given_as_an_object_are_kept_as_an_object() -> None:
    (call,) = assemble([Chunk(tool_calls=({"index": 0, "arguments": {"a": 1}},))])
    assert call["arguments"] == {"a": 1}


# Usage


def test_usage_without_known_bytes_is_judged_by_the_reference() -> None:
    silent = observation(chunks=chunks("Hel", "lo"))
    ours, theirs = observation(), silent
    assert [str(d.kind) for d in compare(ours, theirs, (), scope="s").divergences] == ["usage_missing"]
    assert [str(d.kind) for d in compare(theirs, ours, (), scope="s").divergences] == ["usage_invented"]


def test_equal_usage_that_nobody_sent_is_unfaithful() -> None:
    assert found(observation(), observation(), facts(usage=None)) == [("unfaithful", "usage")]
    assert found(observation(), observation(), facts(usage=None, vendor_usage=SENT)) == []
    less = {**SENT, "total_tokens": 2}
    assert found(observation(), observation(), facts(usage=None, vendor_usage=less)) == [
        ("unfaithful", "usage")
    ]


def test_running_totals_are_true_only_for_paths_that_failed_before_the_last_ones() -> None:
    last = {**SENT, "total_tokens": 9}
    sent = facts(usage=last, usages=(SENT, last), error={"message": "broken"}, malformed=1)
    whole = observation()
    cut = observation(failure=failure(category="protocol", status=None))
    assert ("unfaithful", "usage") in found(whole, whole, sent)
    assert ("unfaithful", "usage") not in found(cut, cut, sent)
    made_up = replace(cut, chunks=chunks("Hel", "lo", told=usage(total=7)))
    assert ("unfaithful", "usage") in found(made_up, made_up, sent)


def test_running_totals_that_a_failed_path_alone_reports_are_what_the_other_one_lost() -> None:
    last = {**SENT, "total_tokens": 9}
    sent = facts(usage=last, usages=(SENT, last), error={"message": "broken"}, malformed=1)
    silent, whole = observation(chunks=chunks("Hel", "lo")), observation()
    cut = observation(failure=failure(category="protocol", status=None))
    made_up = replace(cut, chunks=chunks("Hel", "lo", told=usage(total=7)))
    assert ("usage_missing", "reference.usage") in found(silent, cut, sent)
    assert ("usage_missing", "usage") in found(cut, silent, sent)
    vendors = facts(usage=None, vendor_usage=SENT)
    assert ("usage_missing", "reference.usage") in found(silent, whole, vendors)
    for invented in (made_up, whole):  # nobody sent these, and who read to the end knows the last ones
        assert ("usage_invented", "usage") in found(silent, invented, sent)
        assert ("usage_invented", "reference.usage") in found(invented, silent, sent)


def test_usage_that_both_lose_is_unfaithful_only_where_somebody_looks() -> None:
    silent = observation(chunks=chunks("Hel", "lo"))
    assert found(silent, silent) == []
    asked = replace(silent, requests=(request({**BODY, "stream_options": {"include_usage": True}}),))
    assert found(asked, asked) == [("unfaithful", "usage")]
    told = replace(silent, generations=(generation(usage=None),))
    assert found(told, told) == [("unfaithful", "usage")]
    cut = replace(asked, failure=failure())
    assert ("unfaithful", "usage") not in found(asked, cut)
    assert ("unfaithful", "usage") not in found(cut, asked)


def test_usage_that_both_hand_on_in_its_choice_is_not_lost() -> None:
    asked = (request({**BODY, "stream_options": {"include_usage": True}}),)
    silent = observation(chunks=chunks("Hel", "lo"), requests=asked)
    *first, last = silent.chunks
    handed_on = replace(
        silent, chunks=(*first, replace(last, rest={"choices": [{"index": 0, "usage": SENT}]}))
    )
    assert found(handed_on, handed_on) == []
    assert ("unfaithful", "usage") in found(handed_on, silent)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"stream_options": null}', b"no json"])
def test_a_body_without_stream_options_asks_for_no_usage(body: bytes) -> None:
    silent = observation(chunks=chunks("Hel", "lo"), requests=(replace(request(), body=body),))
    assert found(silent, silent) == []


def test_a_path_without_usage_in_its_chunks_reports_that_of_its_telemetry() -> None:
    ours = observation(chunks=chunks("Hel", "lo"), generations=(generation(),))
    wrong = {"input": 1, "output": 2, "total": 4, "cached_tokens": 1}
    theirs = observation(chunks=chunks("Hel", "lo"), generations=(generation(usage=wrong),))
    assert found(ours, theirs) == [("usage", "usage.total_tokens"), ("usage_details", "usage.cached_tokens")]


def test_totals_that_came_in_parts_are_true_together() -> None:
    """The prompt counted in the first object and the answer in the last: whoever reads the last lacks one."""
    sent = facts(
        usages=({"prompt_tokens": 1}, {"completion_tokens": 2, "total_tokens": 3}),
        usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    )
    together = observation()
    last = observation(chunks=chunks("Hel", "lo", told=Usage(completion_tokens=2, total_tokens=3)))
    assert found(together, together, sent) == []
    assert found(last, last, sent) == [("unfaithful", "usage")]
    assert found(last, together, sent) == [("usage", "usage.prompt_tokens")]


def test_details_that_a_poorer_object_takes_the_place_of_are_lost_to_who_reads_the_last() -> None:
    rich, poor = usage(cached_tokens=5), usage()
    both = observation(chunks=(*chunks("Hel", "lo", told=rich), Chunk(usage=poor, id="r1", model="m")))
    sent = facts(usages=({**SENT, "cached_tokens": 5}, SENT), usage={**SENT, "cached_tokens": 5})
    assert found(both, both, sent) == [("unfaithful", "usage.cached_tokens")]
    whole = observation(chunks=chunks("Hel", "lo", told=rich))
    assert found(whole, whole, sent) == []
    assert ("usage_details", "usage.cached_tokens") in found(whole, both, sent)


def test_what_totals_of_one_of_several_answers_a_client_shows_is_its_own_affair() -> None:
    asked = (request(), request({**BODY, "model": "other"}))
    rich, poor = usage(cached_tokens=5), usage()
    shown = (*chunks("Hel", "lo", told=rich), Chunk(usage=poor, id="r1", model="m"))
    sent = facts(usages=({**SENT, "cached_tokens": 5}, SENT), usage={**SENT, "cached_tokens": 5})
    both = observation(requests=asked, chunks=shown)
    assert found(both, both, facts(text=""), sent) == []


def test_a_total_under_another_name_is_missing_for_whoever_reads_the_old_name() -> None:
    old = replace(usage(), names=("prompt_tokens", "completion_tokens", "total_tokens"))
    new = replace(usage(), names=("input_tokens", "completion_tokens", "total_tokens"))
    ours, theirs = (observation(chunks=chunks("Hel", "lo", told=told)) for told in (old, new))
    (lost,) = compare(ours, theirs, (facts(),), scope="s").divergences
    assert (lost.kind, lost.where) == ("usage_missing", "usage.prompt_tokens")
    assert (lost.reference, lost.candidate) == (1, {"input_tokens": 1})
    told = observation(chunks=chunks("Hel", "lo"), generations=(generation(),))
    assert "usage_missing" not in [
        str(d.kind) for d in compare(told, told, (facts(),), scope="s").divergences
    ]


def test_running_totals_are_compared_one_by_one() -> None:
    def running(first: int) -> Observation:
        begun = Chunk(usage=usage(total=first), id="r1", model="m")
        return observation(chunks=(begun, *chunks("Hel", "lo", told=usage())))

    sent = facts(usages=({**SENT, "total_tokens": 1}, SENT))
    assert found(running(1), running(2), sent) == [("usage", "usage[0].total_tokens")]
    assert found(running(1), running(1), sent) == []


# Requests


def test_a_body_difference_is_located_and_null_is_not_absence() -> None:
    ours = observation(
        requests=(request({**BODY, "stream_options": {"include_usage": True}, "stop": ["a"]}),)
    )
    theirs = observation(requests=(request({**BODY, "stream_options": {}, "stop": ["a", "b"]}),))
    assert found(ours, theirs) == [
        ("request_body", "body.stream_options.include_usage"),
        ("request_body", "body.stop[1]"),
    ]


def test_true_is_not_one_in_a_body() -> None:
    ours, theirs = (observation(requests=(request({**BODY, "n": n}),)) for n in (1, True))
    assert found(ours, theirs) == [("request_body", "body.n")]


def test_a_body_spelt_otherwise_is_only_counted() -> None:
    spelt = replace(request(), body=json.dumps(BODY, indent=1).encode())
    assert found(observation(), observation(requests=(spelt,))) == []
    assert hidden(observation(), observation(requests=(spelt,))) == {"body-spelling": 1}


@pytest.mark.parametrize(
    ("uri", "block", "expected"),
    [
        ("https://api.anthropic.com/v1/messages", {}, []),
        ("https://api.anthropic.com/v1/messages", {"text": "Ho"}, ["messages[0].content[0].text"]),
        (
            "https://api.anthropic.com/v1/messages",
            {"cache_control": {}},
            ["messages[0].content[0].cache_control"],
        ),
        ("https://api.openai.com/v1/chat/completions", {}, ["messages[0].content"]),
    ],
)
def test_for_anthropic_a_text_is_a_list_of_one_block(
    uri: str, block: dict[str, Any], expected: list[str]
) -> None:
    def asked(content: Any) -> Observation:
        body = {"system": "Be brief.", "messages": [{"role": "user", "content": content}]}
        return observation(requests=(replace(request(body), uri=uri),))

    blocks = [{"type": "text", "text": "Hi", **block}]
    places = [("request_body", f"body.{place}") for place in expected]
    assert found(asked("Hi"), asked(blocks)) == places
    assert hidden(asked("Hi"), asked(blocks)) == ({} if places else {"body-spelling": 1})


def test_a_body_that_is_no_json_is_compared_as_text() -> None:
    ours, theirs = (observation(requests=(replace(request(), body=body),)) for body in (b"", b"a\xff"))
    (difference,) = compare(ours, theirs, (facts(),), scope="s").divergences
    assert (difference.where, difference.reference, difference.candidate) == ("body", ABSENT, "a\\xff")


def test_a_later_attempt_is_numbered_and_repeats_nothing() -> None:
    ours = observation(requests=(request(), request()))
    changed = {**BODY, "user": "u"}
    theirs = observation(requests=(request(changed), request({**changed, "n": 2})))
    assert found(ours, theirs) == [("request_body", "body.user"), ("request_body", "request[1].body.n")]
    assert hidden(ours, theirs) == {"repeated-request": 1}


@pytest.mark.parametrize(
    ("ours", "theirs", "where"),
    [
        ({"openai_organization": "o"}, {"user_agent": "1"}, "headers.openai-organization"),
        ({"openai_project": "p"}, {"user_agent": "1"}, "headers.openai-project"),
        ({"openai_project": "p"}, {"openai_project": "q"}, "headers.openai-project"),
        ({"content_type": "application/json"}, {"content_type": "text/plain"}, "headers.content-type"),
        ({"accept": "text/event-stream"}, {"accept": "*/*"}, "headers.accept"),
        ({"accept": "*/*"}, {"accept": "text/event-stream"}, "headers.accept"),
        ({"api_key": "a"}, {"user_agent": "1"}, "headers.api-key"),
        ({"x_vendor": "a"}, {"x_vendor": "b"}, "headers.x-vendor"),
        ({"accept": "x", "x_vendor": "a"}, {"accept": "x", "x_vendor": "b"}, "headers.x-vendor"),
        ({"user_agent": "1", "x_vendor": "a"}, {"user_agent": "2", "x_vendor": "b"}, "headers.x-vendor"),
        ({"authorization": "Bearer a"}, {"authorization": "Basic b"}, "headers.authorization"),
    ],
)
def test_headers_that_mean_something_are_compared(
    ours: dict[str, Any], theirs: dict[str, Any], where: str
) -> None:
    one, other = (observation(requests=(request(**headers),)) for headers in (ours, theirs))
    assert found(one, other) == [("request_headers", where)]


def test_a_header_on_two_lines_says_what_one_line_with_a_comma_says() -> None:
    twice, once, less = (
        observation(requests=(replace(request(), headers=lines),))
        for lines in ((("Beta", "a"), ("beta", "b")), (("BETA", "a, b"),), (("beta", "b"),))
    )
    assert found(twice, once) == []
    assert found(twice, less) == [("request_headers", "headers.beta")]


@pytest.mark.parametrize("value", ["Bearer sk-secret", "sk-secret", "Bearer ", ""])
@pytest.mark.parametrize("name", ["authorization", "api_key", "x_api_key"])
def test_no_secret_gets_into_a_divergence(name: str, value: str) -> None:
    given: list[dict[str, Any]] = [{name: "Bearer sk-other-secret"}, {name: value}]
    ours, theirs = (observation(requests=(request(**headers),)) for headers in given)
    (difference,) = compare(ours, theirs, (facts(),), scope="s").divergences
    assert "secret" not in repr(difference)


def test_headers_that_mean_nothing_are_counted() -> None:
    ours, theirs = (
        observation(requests=(request(user_agent=agent, x_stainless_lang=agent),)) for agent in "ab"
    )
    assert found(ours, theirs) == []
    assert hidden(ours, theirs) == {"header-without-meaning": 2}


def test_a_charset_is_no_other_content_type() -> None:
    ours, theirs = (
        observation(requests=(request(content_type=given),))
        for given in ("application/json", "application/json; charset=utf-8")
    )
    assert found(ours, theirs) == []


# Telemetry


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"model": "x"}, "generation.model"),
        ({"input": [{"role": "user", "content": "?"}]}, "generation.input[0].content"),
        ({"output": "x"}, "generation.output"),
        ({"level": "ERROR"}, "generation.level"),
        ({"ended": False}, "generation.ended"),
        ({"usage": {"input": 1, "output": 2, "total": 9}}, "generation.usage.total_tokens"),
        ({"usage": None}, "generation.usage.prompt_tokens"),
    ],
)
def test_each_field_of_a_generation_is_compared(changes: dict[str, Any], where: str) -> None:
    """Usage too, since the chunks say what the path reports and telemetry may say something else."""
    ours = observation(generations=(generation(),))
    theirs = observation(generations=(generation(**changes),))
    assert found(ours, theirs)[0] == ("telemetry", where)


def test_a_second_generation_is_a_difference_in_number() -> None:
    ours = observation(generations=(generation(),))
    assert found(ours, replace(ours, generations=(generation(), generation()))) == [
        ("telemetry", "generations")
    ]


def test_generations_are_numbered_from_the_second() -> None:
    ours = observation(generations=(generation(), generation()))
    theirs = observation(generations=(generation(), generation(name="x")))
    assert found(ours, theirs) == [("telemetry", "generation[1].name")]


def test_metadata_messages_and_the_default_level_are_no_divergence() -> None:
    ours = observation(generations=(generation(metadata={"a": 1}, level=None),))
    theirs = observation(generations=(generation(status_message="x"),))
    assert found(ours, theirs) == []
    assert hidden(ours, theirs) == {"telemetry-metadata": 1, "telemetry-message": 1}


# Both agree, but not with the bytes


@pytest.mark.parametrize(
    ("sent", "where"),
    [
        (facts(end=End.CUT, done=False), "end"),
        (facts(text="Hello!"), "text[5]"),
        (facts(finish_reasons=()), "finish_reason"),
        (facts(usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 4}), "usage"),
    ],
)
def test_agreement_against_the_bytes_is_unfaithful(sent: WireFacts, where: str) -> None:
    assert found(observation(), observation(), sent) == [("unfaithful", where)]


@pytest.mark.parametrize("sent", [facts(end=End.CUT), facts(end=End.CLIENT_LEFT, done=False)])
def test_a_cut_that_loses_nothing_is_faithful(sent: WireFacts) -> None:
    assert found(observation(), observation(), sent) == []


def test_a_refusal_that_nobody_hands_on_is_unfaithful_and_calling_it_an_error_is_not() -> None:
    sent = facts(text="", refusal="I cannot.")
    empty = observation(chunks=chunks(told=usage()))
    assert found(empty, empty, sent) == [("unfaithful", "refusal")]
    named = observation(
        chunks=(Chunk(id="r1", model="m", extra={"refusal": "I cannot."}), *chunks(told=usage()))
    )
    assert found(named, named, sent) == []
    refused = observation(chunks=(), failure=failure(category="refused", status=None))
    assert found(refused, refused, facts(text="", refusal="I cannot.", finish_reasons=())) == []


@pytest.mark.parametrize(
    ("text", "reason", "expected"),
    [
        ("", "content_filter", []),
        ("", "MALFORMED_FUNCTION_CALL", []),
        ("", "error", []),
        ("Part", "error", [("unfaithful", "error")]),
        ("Part", "content_filter", [("unfaithful", "error")]),
        ("", "STOP", [("unfaithful", "error")]),
    ],
)
def test_an_end_in_trouble_may_be_called_an_error_and_another_may_not(
    text: str, reason: str, expected: list[tuple[str, str]]
) -> None:
    ended = facts(text=text, whole_text=text, finish_reasons=(reason,))
    failed = observation(chunks=chunks(text, finish=reason), failure=failure())
    assert [each for each in found(failed, failed, ended) if each[1] == "error"] == expected


def test_bytes_of_no_event_are_unread_only_if_their_text_is_lost() -> None:
    lines = facts(streamed=False, events=0, unread=90)
    read, lost = observation(), observation(chunks=chunks(told=usage()))
    assert found(read, read, lines) == []
    assert found(lost, lost, lines) == [("unfaithful", "body.unread"), ("unfaithful", "text[0]")]
    failed = observation(chunks=(), failure=failure(category="protocol", status=None))
    assert found(failed, failed, lines) == []


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (facts(), [("unfaithful", "error")]),
        (facts(malformed=1), []),
        (facts(status=500, error={"message": "broken"}), []),
        (facts(end=End.RESET), []),
    ],
)
def test_two_failures_on_a_sound_answer_are_not_agreement(
    sent: WireFacts, expected: list[tuple[str, str]]
) -> None:
    """Otherwise two clients that never got to ask would count as equal."""
    broken = observation(chunks=(), failure=failure())
    assert found(broken, broken, sent) == expected


def test_the_last_success_among_the_attempts_made_decides() -> None:
    refused = facts(status=429, error={"message": "slow down"}, text="", usage=None, finish_reasons=())
    retried = observation(requests=(request(), request()))
    assert found(retried, retried, refused, facts()) == []
    once = observation(chunks=(), failure=failure())
    assert found(once, once, refused, facts()) == []


# Punctuality


def test_text_cut_otherwise_is_late_where_its_last_character_is() -> None:
    ours = observation(chunks=(Chunk(text="ab", position=1), Chunk(text="cd", position=2)))
    theirs = observation(chunks=(Chunk(text="abcd", position=2),))
    sent = facts(text="abcd", finish_reasons=(), usage=None)
    assert found(ours, theirs, sent) == [("deltas", "delta[0]"), ("delivery_lag", "delta[0]")]


def test_an_earlier_delivery_and_an_untimed_one_are_no_lag() -> None:
    early = tuple(replace(c, position=0) for c in observation().chunks)
    untimed = tuple(replace(c, position=None) for c in observation().chunks)
    assert found(observation(), observation(chunks=early)) == []
    assert found(observation(), observation(chunks=untimed)) == []
    assert found(observation(chunks=untimed), observation()) == []


# Identity


def test_many_ids_are_given_as_a_number() -> None:
    many = tuple(replace(c, id=f"r{i}") for i, c in enumerate(observation().chunks))
    (difference,) = compare(observation(), observation(chunks=many), (facts(),), scope="s").divergences
    assert (difference.reference, difference.candidate) == ("r1", "4 different ones")
    two = (replace(many[0], id="a"), *observation().chunks[1:])
    (difference,) = compare(observation(), observation(chunks=two), (facts(),), scope="s").divergences
    assert difference.candidate == ["a", "r1"]


def test_long_texts_are_shown_around_the_difference() -> None:
    ours, theirs = "a" * 500, "a" * 300 + "b" + "a" * 199
    one, other = (observation(chunks=chunks(text, told=usage())) for text in (ours, theirs))
    difference = compare(one, other, (facts(),), scope="s").divergences[0]
    assert difference.where == "text[300]"
    assert difference.candidate == "…" + "a" * 20 + "b" + "a" * 59 + "…"


def test_reasoning_under_another_key_is_a_difference_although_its_text_is_the_same() -> None:
    said, renamed = (
        with_chunks(Chunk(id="r1", model="m", reasoning="hm", reasoning_keys=(key,)))
        for key in ("reasoning", "reasoning_content")
    )
    assert found(said, renamed, facts(reasoning="hm")) == [("reasoning", "reasoning.key")]
    assert found(said, said, facts(reasoning="hm")) == []


def test_text_in_lists_is_lost_by_paths_that_neither_read_nor_hand_on_the_lists() -> None:
    sent = facts(text="", list_content=True, whole_text="Hello")
    reads = observation()
    loses = observation(chunks=chunks(told=usage()))
    hands_on = observation(chunks=(Chunk(extra={"content": [{"text": "Hello"}]}), *chunks(told=usage())))
    assert ("unfaithful", "text[0]") in found(loses, loses, sent)
    assert found(reads, reads, sent) == found(hands_on, hands_on, sent) == []


# Which answer decides


def test_without_a_request_the_last_success_of_the_recording_decides() -> None:
    """Who asked nobody has still not shown what was recorded."""
    silent = observation(requests=())
    sent = (facts(text="Hallo"), facts(status=500, text="", error={"message": "oops"}))
    assert found(silent, silent, *sent) == [("unfaithful", "text[1]")]


def test_the_last_success_among_those_that_were_asked_for_decides() -> None:
    first, later = facts(), facts(text="Bye")
    assert found(observation(), observation(), first, later) == []
    twice = observation(requests=(request(), request()))
    assert found(twice, twice, first, later) == [("unfaithful", "text[0]")]
    assert found(twice, twice, first, facts(status=500, text="", error={"message": "oops"})) == []
    more = observation(requests=(request(),))
    assert found(more, twice, first, later) == [("attempts", "requests"), ("unfaithful", "text[0]")]


# What no named kind has accounted for


def resting(*values: dict[str, Any]) -> Observation:
    return observation(chunks=tuple(replace(c, rest=v) for c, v in zip(chunks("Hello"), values, strict=True)))


@pytest.mark.parametrize(
    ("one", "other", "where"),
    [
        ({"flag": True}, {"flag": 1}, "flag"),
        ({"flag": 1, "on": True}, {"flag": True, "on": True}, "flag"),
        ({"score": 1}, {"score": 2}, "score"),
        ({"created": 1}, {"created": "1"}, "created"),
        ({"created": "1"}, {"created": 1}, "created"),
        ({"created": True}, {"created": 2}, "created"),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, "a.b[1]"),
        ({"choices": [{"index": 2, "x": 1}]}, {"choices": [{"index": 2, "x": 3}]}, "choices[2].x"),
        ({"choices": [{"x": 1}]}, {"choices": [{"x": 3}]}, "choices[0].x"),
        ({"parts": [{"index": 2, "x": 1}]}, {"parts": [{"index": 2, "x": 3}]}, "parts[0].x"),
    ],
)
def test_a_leaf_that_differs_is_told_by_its_path(
    one: dict[str, Any], other: dict[str, Any], where: str
) -> None:
    ours, theirs = resting(one, {}), resting(other, {})
    assert ("fields", where) in found(ours, theirs)
    assert found(ours, ours) == []


def test_when_it_was_made_and_what_says_nothing_is_hidden_and_counted() -> None:
    now = 1_760_000_000
    ours = resting({"created": now, "a": None, "b": ""}, {"created": now})
    theirs = resting({"created": now + 1, "b": []}, {"created": now + 2})
    assert found(ours, theirs) == []
    assert hidden(ours, theirs) == {"created": 2, "null": 1, "empty-value": 1}
    assert found(ours, resting({"created": 0, "b": []}, {"created": now})) == [("fields", "created")]


@pytest.mark.parametrize("extra", ["reference", "candidate"])
def test_with_another_number_of_pieces_each_path_is_compared_in_order(extra: str) -> None:
    def pieces(*texts: str, **rest: Any) -> Observation:
        return observation(chunks=tuple(replace(c, rest=rest) for c in chunks(*texts)))

    more, fewer = pieces("He", "l", "lo", tier="a"), pieces("Hel", "lo", tier="b")
    pair = (more, fewer) if extra == "reference" else (fewer, more)
    assert ("fields", "tier") in found(*pair)
    same = pieces("He", "l", "lo", tier="a"), pieces("Hel", "lo", tier="a")
    assert "fields" not in {kind for kind, _ in found(*same)}


def test_more_pieces_with_the_same_values_in_the_same_order_are_no_difference() -> None:
    more = chunks("He", "l", "lo")
    ours = observation(chunks=tuple(replace(c, rest={"tier": t}) for c, t in zip(more, "aabb", strict=True)))
    fewer = chunks("Hel", "lo")
    theirs = observation(
        chunks=tuple(replace(c, rest={"tier": t}) for c, t in zip(fewer, "abb", strict=True))
    )
    for one, other in ((ours, theirs), (theirs, ours)):
        assert "fields" not in {kind for kind, _ in found(one, other)}


@pytest.mark.parametrize(("one", "other"), [("rate_limit", "timeout"), ("timeout", "rate_limit")])
def test_another_category_of_error_is_told_whichever_it_is(one: str, other: str) -> None:
    ours, theirs = (observation(chunks=(), failure=failure(category=name)) for name in (one, other))
    refused = facts(status=429, error={"message": "slow down"})
    assert found(ours, theirs, refused) == [("error", "error.category")]


def test_what_else_an_error_carries_is_compared_but_for_how_it_was_sent() -> None:
    def refused(**fields: Any) -> Observation:
        return observation(chunks=(), failure=failure(fields=fields))

    sent = facts(status=429, error={"message": "slow down"})
    ours = refused(param="a", headers={"date": "1", "x-tier": "1"}, gone=1)
    theirs = refused(param="b", headers={"date": "2", "x-tier": "2"})
    assert found(ours, theirs, sent) == [
        ("fields", "error.param"),
        ("fields", "error.headers.x-tier"),
        ("fields", "error.gone"),
    ]
    assert found(ours, ours, sent) == []
    more = refused(param="a", headers={"x-tier": "1"}, gone=1, more="m")
    assert found(ours, more, sent) == []
    assert hidden(ours, more, sent) == {"error-added": 1}


# Against what was recorded


@pytest.mark.parametrize(
    ("uri", "where"),
    [
        ("https://api.example.com/v2/chat/completions", ["request.target.path"]),
        ("https://api.example.com/v1/chat/completions?x=1", ["request.target.query"]),
        ("http://127.0.0.1:8080/v1/chat/completions", []),
    ],
)
def test_what_both_ask_is_held_against_the_recorded_request_but_for_the_address(
    uri: str, where: list[str]
) -> None:
    asking = observation(requests=(request(uri=uri),))
    divergences = compare(asking, asking, (facts(),), scope="s", recorded=(request(),)).divergences
    assert [d.where for d in divergences] == where


def test_a_finish_reason_that_nobody_sent_is_shown_with_what_was_sent() -> None:
    both = observation(chunks=chunks("Hello", finish="length", told=usage()))
    (difference,) = compare(both, both, (facts(),), scope="s").divergences
    assert (difference.where, difference.reference) == (
        "finish_reason",
        {"shown": ["length"], "bytes": ["stop"]},
    )
    (absent,) = compare(both, both, (facts(finish_reasons=()),), scope="s").divergences
    assert absent.candidate == {"shown": ["length"], "bytes": ABSENT}


@pytest.mark.parametrize(
    ("name", "value", "found_as"),
    [
        ("text", "Hallo", ("text", "choices[1].text")),
        ("reasoning", "hm", ("reasoning", "choices[1].reasoning")),
        ("finish_reason", "length", ("finish_reason", "choices[1].finish_reason")),
        ("tool_calls", ({"index": 0, "name": "add"},), ("tool_calls", "choices[1].tool_calls")),
    ],
)
def test_each_choice_beside_the_answer_is_compared(
    name: str, value: object, found_as: tuple[str, str]
) -> None:
    """However it is cut: what the choice says in the end."""
    ours = with_chunks(
        Chunk(id="r1", model="m", others=({"index": 1, "text": "Hel"},)),
        Chunk(id="r1", model="m", others=({"index": 1, "text": "lo", "finish_reason": "stop"},)),
    )
    whole = {"index": 1, "text": "Hello", "finish_reason": "stop"}
    again = Chunk(id="r1", model="m", others=(whole,))
    assert "text" not in [kind for kind, _ in found(ours, with_chunks(again))]
    other = Chunk(id="r1", model="m", others=({**whole, name: value},))
    assert found_as in found(ours, with_chunks(other))


@pytest.mark.parametrize(
    ("error", "item", "lost"),
    [
        ({"message": "Overloaded", "code": 1}, {"error": {"message": "Overloaded"}}, False),
        ({"message": "", "code": 1}, {"base_resp": {"status_code": 1}}, False),
        ({"message": "Slow down", "code": "429"}, {"events": [{"error": {"code": 429}}]}, False),
        ({"message": "Overloaded", "code": 1}, {"created": 1, "service_tier": "tier-1"}, True),
        ({"message": "429", "code": "429"}, {"created": 1429, "system_fingerprint": "429"}, True),
        ({"message": "Over", "code": ""}, {"note": "Overloaded", "code": ""}, True),
    ],
)
def test_an_error_is_handed_on_by_its_whole_message_or_by_its_code_where_codes_stand(
    error: dict[str, Any], item: dict[str, Any], lost: bool
) -> None:
    shown = with_chunks(Chunk(id="r1", model="m", rest=item))
    assert found(shown, shown, facts(error=error)) == ([("unfaithful", "error")] if lost else [])


def test_reasoning_and_arguments_that_both_change_alike_are_unfaithful() -> None:
    both = with_chunks(
        Chunk(id="r1", model="m", reasoning="HM", tool_calls=({"index": 0, "arguments": "2"},))
    )
    sent = facts(reasoning="hm", arguments="1")
    assert found(both, both, sent) == [
        ("unfaithful", "reasoning[0]"),
        ("unfaithful", "tool_calls.arguments[0]"),
    ]
    assert found(observation(), observation(), sent) == []
