"""The odd things that providers send, in every dialect: each script does what its name says."""

from __future__ import annotations

import json

import pytest

from tests.harness.simulator.playing import (
    MODELS,
    ask,
    choices,
    each_dialect,
    finishes,
    play,
    simulated,
    text,
)


def sent(dialect: str, script: str) -> bytes:
    return b"".join(play(dialect, script, ask(MODELS[dialect])).pieces)


@each_dialect
def test_an_empty_answer_has_an_end_and_no_text(dialect: str, model: str) -> None:
    stream = simulated(dialect, "empty-answer", model)
    assert (text(stream), finishes(stream)) == ("", ["stop"])


@each_dialect
def test_equal_chunks_are_150_in_a_row(dialect: str, model: str) -> None:
    deltas = [c["delta"].get("content") for c in choices(simulated(dialect, "equal-chunks", model))]
    assert [delta for delta in deltas if delta] == ["-"] * 150


@each_dialect
def test_a_tool_call_comes_in_pieces_that_make_json(dialect: str, model: str) -> None:
    stream = simulated(dialect, "tool-calls", model)
    calls = [call for choice in choices(stream) for call in choice["delta"].get("tool_calls", ())]
    assert calls[0]["function"]["name"] == "weather"
    assert calls[0]["id"].startswith("call_")
    assert sum(bool(call.get("id")) for call in calls) == 1
    assert json.loads("".join(call["function"]["arguments"] for call in calls)) == {"城市": "杭州"}
    assert finishes(stream) == ["tool_calls"]


def test_openai_and_qwen_begin_a_tool_call_in_the_first_chunk_and_qwen_names_empty_ids() -> None:
    for dialect in MODELS:
        first, second, *_ = choices(simulated(dialect, "tool-calls", MODELS[dialect]))
        assert ("tool_calls" in first["delta"]) is (dialect not in {"deepseek", "silicon"}), dialect
        assert (second["delta"]["tool_calls"][0].get("id") == "") is (dialect == "qwen")


@each_dialect
def test_text_can_come_as_a_list_of_parts(dialect: str, model: str) -> None:
    contents = [c["delta"].get("content") for c in choices(simulated(dialect, "content-list", model))]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    assert "".join(part["text"] for part in parts).startswith("记得，")
    assert not any(isinstance(content, str) and content for content in contents)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("finish-normal", "normal"),
        ("finish-no-resources", "insufficient_system_resource"),
        ("finish-network-error", "network_error"),
        ("finish-function-call", "function_call"),
    ],
)
@each_dialect
def test_a_providers_own_finish_reason_ends_the_answer(
    dialect: str, model: str, script: str, reason: str
) -> None:
    assert finishes(simulated(dialect, script, model)) == [reason]


def test_an_empty_finish_reason_can_stand_until_the_end() -> None:
    *earlier, last = choices(simulated("silicon", "finish-empty-until-the-end", MODELS["silicon"]))
    assert {choice["finish_reason"] for choice in earlier} == {""}
    assert last["finish_reason"] == "stop"


@each_dialect
def test_totals_can_have_a_chunk_of_their_own_after_the_last_choice(dialect: str, model: str) -> None:
    *earlier, last = simulated(dialect, "usage-own-chunk", model)
    assert last["choices"] == []
    assert last["usage"]
    assert not any(chunk.get("usage") for chunk in earlier)


@each_dialect
def test_totals_can_come_with_every_chunk_counted_so_far(dialect: str, model: str) -> None:
    stream = simulated(dialect, "usage-every-chunk", model)
    counts = [chunk["usage"]["completion_tokens"] for chunk in stream]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
    assert all(chunk["choices"] for chunk in stream)


@each_dialect
def test_totals_can_be_inside_the_last_choice(dialect: str, model: str) -> None:
    *earlier, last = simulated(dialect, "usage-inside-choice", model)
    assert last["choices"][0]["usage"]["total_tokens"] > 0
    assert not any("usage" in choice for choice in choices(earlier))
    assert not any(chunk.get("usage") for chunk in (*earlier, last))


def test_comments_come_before_the_first_chunk_and_between_chunks() -> None:
    pieces = play("deepseek", "keep-alive", ask(MODELS["deepseek"])).pieces
    assert pieces[:2] == (b": keep-alive\n\n", b": keep-alive\n\n")
    assert pieces.count(b": keep-alive\n\n") == 3


@each_dialect
def test_an_unknown_event_comes_between_whole_chunks(dialect: str, model: str) -> None:
    pieces = play(dialect, "unknown-event", ask(model)).pieces
    place = pieces.index(b'event: status\ndata: {"type":"status","progress":50}\n\n')
    assert 2 < place < len(pieces) - 2


@each_dialect
def test_a_broken_event_has_half_a_chunk_and_the_rest_follows_in_the_same_write(
    dialect: str, model: str
) -> None:
    *_, last = play(dialect, "broken-event", ask(model)).pieces
    broken, *rest = last.split(b"\n\n")
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(broken.removeprefix(b"data: "))
    assert len(rest) > 5
    assert last.endswith(b"[DONE]\n\n")


@pytest.mark.parametrize("status", [403, 404, 408, 409, 422, 503, 529])
@each_dialect
def test_a_status_keeps_the_providers_type_of_answer(dialect: str, model: str, status: int) -> None:
    reply = play(dialect, f"status-{status}", ask(model))
    assert reply.status == status
    assert reply.headers[0] == ("Content-Type", "application/json")
    assert json.loads(reply.pieces[0])


@each_dialect
def test_a_gateway_answers_with_a_page(dialect: str, model: str) -> None:
    reply = play(dialect, "status-502-page", ask(model))
    assert (reply.status, reply.headers[0]) == (502, ("Content-Type", "text/html"))
    assert b"<h1>502 Bad Gateway</h1>" in sent(dialect, "status-502-page")


@each_dialect
def test_an_error_can_come_under_status_200(dialect: str, model: str) -> None:
    reply = play(dialect, "error-with-200", ask(model))
    refused = play(dialect, "server-error", ask(model))
    assert reply.status == 200
    assert len(reply.pieces) == len(refused.pieces) == 1
    assert set(json.loads(reply.pieces[0])) == set(json.loads(refused.pieces[0]))
