"""Each dialect against what is known of the provider: real streams where they are at hand, and facts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.simulator.ask import ParsedRequest
from llm_contracts.simulator.dialects import DIALECTS
from llm_contracts.simulator.engine import KEY, words_for
from llm_contracts.simulator.script import Refusal, Refused
from llm_contracts.simulator.scripts import SCRIPTS
from tests.harness.simulator.playing import (
    CHAT,
    ask,
    choices,
    chunks,
    each_dialect,
    finishes,
    play,
    simulated,
    text,
)

STREAMS = Path(__file__).parents[4] / "shared" / "real-streams" / "streams"
Shape = tuple[object, ...]


def delta_shape(choice: dict[str, Any]) -> Shape:
    delta = choice["delta"]
    calls = tuple((tuple(call), tuple(call["function"])) for call in delta.get("tool_calls", ()))
    return (*((key, value is None) for key, value in delta.items()), calls)


def shape(chunk: dict[str, Any]) -> Shape:
    """What a chunk looks like whatever it says: its keys in their order, and which of the values are null."""
    nulls = tuple((key, value is None) for key, value in chunk.items() if key != "system_fingerprint")
    inside = [
        (tuple(choice), delta_shape(choice), choice.get("finish_reason")) for choice in chunk["choices"]
    ]
    totals = tuple(chunk["usage"] or ()) if "usage" in chunk else None
    return nulls, tuple(inside), totals


REAL = [
    ("openai", "openai-020", "plain-stream", {"model": "gpt-4o-mini"}),
    ("openai", "openai-055", "plain-stream", {"model": "gpt-4o"}),
    ("openai", "openai-018", "finish-length", {"model": "gpt-5-nano", "max_completion_tokens": 1}),
    ("deepseek", "deepseek-003", "plain-stream", {"model": "deepseek-chat", "usage": False}),
    ("deepseek", "deepseek-004", "reasoning", {"model": "deepseek-reasoner"}),
    ("deepseek", "deepseek-066", "finish-length", {"model": "deepseek-chat", "max_tokens": 8}),
    ("qwen", "alibaba-000", "plain-stream", {"model": "qwen3-max"}),
]


@pytest.mark.real_streams
@pytest.mark.parametrize(("dialect", "stream", "script", "how"), REAL, ids=[row[1] for row in REAL])
def test_the_chunks_of_a_dialect_look_as_the_provider_sent_them(
    dialect: str, stream: str, script: str, how: dict[str, Any]
) -> None:
    file = STREAMS / f"{stream}.sse"
    if not file.is_file():
        pytest.skip(f"needs the real stream {stream} in {STREAMS}")
    real = {shape(chunk) for chunk in chunks(file.read_bytes())}
    assert {shape(chunk) for chunk in simulated(dialect, script, **how)} == real


CALLS = [
    ("openai", "openai-024", {"model": "gpt-4o-mini", "usage": False}),
    ("qwen", "alibaba-001", {"model": "qwen3-max"}),
]


@pytest.mark.real_streams
@pytest.mark.parametrize(("dialect", "stream", "how"), CALLS, ids=[row[1] for row in CALLS])
def test_the_chunks_of_a_tool_call_look_as_the_provider_sent_them(
    dialect: str, stream: str, how: dict[str, Any]
) -> None:
    file = STREAMS / f"{stream}.sse"
    if not file.is_file():
        pytest.skip(f"needs the real stream {stream} in {STREAMS}")
    # The real ones have more shapes: Qwen's have a last piece unlike all others.
    assert {shape(chunk) for chunk in simulated(dialect, "tool-calls", **how)} <= {
        shape(chunk) for chunk in chunks(file.read_bytes())
    }


@each_dialect
def test_the_same_request_gets_the_same_bytes(dialect: str, model: str) -> None:
    assert play(dialect, "plain-stream", ask(model)) == play(dialect, "plain-stream", ask(model))


@each_dialect
def test_every_piece_is_whole_utf8_and_letters_are_cut_from_their_marks(dialect: str, model: str) -> None:
    reply = play(dialect, "plain-stream", ask(model))
    deltas = [text(chunks(piece)) for piece in reply.pieces]
    assert "\u0301" in deltas
    assert "👩" in deltas
    assert "\u200d🚀" in deltas


@each_dialect
def test_the_long_stream_has_a_thousand_pieces_with_more_than_a_hundred_equal_ones_in_a_row(
    dialect: str, model: str
) -> None:
    deltas = [piece for chunk in simulated(dialect, "long-stream", model) if (piece := text([chunk]))]
    assert len(deltas) == 1000
    start = deltas.index("----")
    assert set(deltas[start : start + 120]) == {"----"}


@each_dialect
def test_json_mode_is_answered_with_an_object_and_otherwise_with_prose(dialect: str, model: str) -> None:
    asked: dict[str, Any] = {"response_format": {"type": "json_object"}}
    assert json.loads(text(simulated(dialect, "json-mode", model, **asked)))["城市"] == "杭州"
    assert text(simulated(dialect, "json-mode", model)).startswith("你好")


@each_dialect
def test_max_tokens_ends_the_answer_with_length(dialect: str, model: str) -> None:
    stream = simulated(dialect, "finish-length", model, max_tokens=8)
    assert finishes(stream) == ["length"]
    assert 0 < len(text(stream)) < len(text(simulated(dialect, "finish-length", model)))


@each_dialect
def test_a_script_can_withhold_the_totals_that_were_asked_for(dialect: str, model: str) -> None:
    assert not any(chunk.get("usage") for chunk in simulated(dialect, "no-usage", model))
    assert any(chunk.get("usage") for chunk in simulated(dialect, "plain-stream", model))


def test_openai_shows_no_thoughts_and_counts_them() -> None:
    stream = simulated("openai", "reasoning", "gpt-5-nano")
    assert not any("reasoning_content" in c["delta"] for c in choices(stream))
    assert stream[-1]["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0


@pytest.mark.parametrize(
    ("dialect", "model", "more"),
    [
        ("deepseek", "deepseek-reasoner", {}),
        ("deepseek", "deepseek-chat", {"thinking": {"type": "enabled"}}),
        ("qwen", "qwen-plus", {"enable_thinking": True}),
        ("qwen", "qwq-plus", {}),
        ("ernie", "ernie-x1-turbo-32k", {}),
        ("glm", "glm-4.5-flash", {"thinking": {"type": "enabled"}}),
        ("ark", "doubao-seed-1-6-250615", {}),
        ("silicon", "Qwen/Qwen3-8B", {"enable_thinking": True}),
    ],
)
def test_thoughts_come_before_the_answer(dialect: str, model: str, more: dict[str, Any]) -> None:
    deltas = [choice["delta"] for choice in choices(simulated(dialect, "reasoning", model, **more))]
    said = [delta for delta in deltas if delta.get("content") or delta.get("reasoning_content")]
    thinking = [bool(delta.get("reasoning_content")) for delta in said]
    assert thinking == sorted(thinking, reverse=True)
    assert thinking[0]
    assert not thinking[-1]


def test_thinking_can_be_switched_off() -> None:
    stream = simulated("qwen", "reasoning", "qwq-plus", enable_thinking=False)
    assert not any("reasoning_content" in c["delta"] for c in choices(stream))


def test_openai_pads_its_chunks_unless_told_not_to() -> None:
    asked: dict[str, Any] = {"stream_options": {"include_usage": True, "include_obfuscation": False}}
    assert all("obfuscation" in chunk for chunk in simulated("openai", "plain-stream", "gpt-4o-mini"))
    padded = simulated("openai", "plain-stream", "gpt-4o-mini", usage=False, **asked)
    assert not any("obfuscation" in chunk for chunk in padded)


def test_openais_filter_ends_the_answer_with_its_own_finish_reason() -> None:
    assert finishes(simulated("openai", "content-filter", "gpt-4o-mini")) == ["content_filter"]


def test_deepseeks_filter_refuses_the_request() -> None:
    reply = play("deepseek", "content-filter", ask("deepseek-chat"))
    assert (reply.status, json.loads(reply.pieces[0])["error"]["message"]) == (400, "Content Exists Risk")


def test_qwens_filter_breaks_the_stream_off_with_an_error_and_no_done() -> None:
    reply = play("qwen", "content-filter", ask("qwen-plus"))
    assert b"data_inspection_failed" in reply.pieces[-1]
    assert len(reply.pieces) > 2


def test_qwen_can_refuse_with_one_server_sent_event_under_status_400() -> None:
    reply = play("qwen", "prompt-filter", ask("qwen-plus"))
    assert reply.status == 400
    assert reply.pieces[0].startswith(b'data: {"error":{"code":"data_inspection_failed"')


@each_dialect
@pytest.mark.parametrize("script", ["mid-stream-error", "no-done"])
def test_a_stream_that_breaks_off_has_no_done(dialect: str, model: str, script: str) -> None:
    pieces = play(dialect, script, ask(model)).pieces
    assert not any(b"[DONE]" in piece for piece in pieces)
    assert (b'"error"' in pieces[-1]) is (script == "mid-stream-error")


@each_dialect
def test_after_a_429_with_retry_after_the_next_request_is_answered(dialect: str, model: str) -> None:
    first, second = (play(dialect, "rate-limit-retry-after", ask(model), number) for number in (0, 1))
    assert first.status == 429
    assert ("Retry-After", "1") in first.headers
    assert second.status == 200


@each_dialect
def test_a_429_without_retry_after_stays(dialect: str, model: str) -> None:
    replies = [play(dialect, "rate-limit", ask(model), number) for number in range(5)]
    assert {reply.status for reply in replies} == {429}
    assert not any(name == "Retry-After" for reply in replies for name, _ in reply.headers)


REFUSALS: list[tuple[str, str, dict[str, Any], int, str | None]] = [
    ("openai", "gpt-4o-mini", {"key": None}, 401, None),
    ("openai", "gpt-4o-mini", {"key": "sk-no"}, 401, "invalid_api_key"),
    ("openai", "gpt-9", {}, 404, "model_not_found"),
    ("openai", "gpt-4o-mini", {"top_p": 7}, 400, "decimal_above_max_value"),
    ("deepseek", "deepseek-chat", {"key": None}, 401, "invalid_request_error"),
    ("deepseek", "deepseek-chat", {"key": "sk-no"}, 401, "invalid_request_error"),
    ("deepseek", "deepseek-9", {}, 400, "invalid_request_error"),
    ("deepseek", "deepseek-chat", {"temperature": 3}, 400, "invalid_request_error"),
    ("qwen", "qwen-plus", {"key": None}, 401, "invalid_api_key"),
    ("qwen", "qwen-plus", {"key": "sk-no"}, 401, "invalid_api_key"),
    ("qwen", "qwen-9", {}, 404, "model_not_found"),
    ("qwen", "qwen-plus", {"top_p": -1}, 400, "invalid_parameter_error"),
]


@pytest.mark.parametrize(("dialect", "model", "how", "status", "code"), REFUSALS)
def test_a_faulty_request_is_refused_with_the_providers_status_and_code(
    dialect: str, model: str, how: dict[str, Any], status: int, code: str | None
) -> None:
    reply = play(dialect, "plain-stream", ask(model, **how))
    assert (reply.status, json.loads(reply.pieces[0])["error"]["code"]) == (status, code)


@each_dialect
def test_three_providers_refuse_json_mode_without_the_word_json(dialect: str, model: str) -> None:
    asked = ask(model, messages=[{"role": "user", "content": "?"}], response_format={"type": "json_object"})
    insists = dialect in {"openai", "deepseek", "qwen"}
    assert play(dialect, "json-mode", asked).status == (400 if insists else 200)


@each_dialect
def test_a_body_that_is_no_object_is_refused(dialect: str, model: str) -> None:
    assert play(dialect, "plain-stream", ParsedRequest(path=CHAT, key=KEY, body=None)).status == 400


@each_dialect
def test_a_refusal_never_echoes_the_whole_key(dialect: str, model: str) -> None:
    key = "sk-made-up-and-long-enough-to-be-real"
    assert key not in play(dialect, "plain-stream", ask(model, key=key)).pieces[0].decode()


@each_dialect
def test_only_qwen_puts_a_request_id_beside_the_error(dialect: str, model: str) -> None:
    body = json.loads(play(dialect, "server-error", ask(model)).pieces[0])
    assert ("request_id" in body) is (dialect == "qwen")


def rows(dialect: str) -> Iterator[dict[str, Any]]:
    reply = play(dialect, "list-models", ParsedRequest(path="/models", key=KEY))
    yield from json.loads(reply.pieces[0])["data"]


_UNSAID = {"ernie": {Refused.UNPAID}}
"""Of these nobody knows the words, or they cannot happen."""


def test_deepseek_lists_models_without_created_and_openai_lists_more_than_chat_models() -> None:
    assert not any("created" in row for row in rows("deepseek"))
    assert any(not row["id"].startswith("gpt") for row in rows("openai"))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_listing_can_be_refused_too(dialect: str) -> None:
    refused = 400 if dialect == "gemini" else 401
    assert play(dialect, "list-models", ParsedRequest(path="/models", key="sk-no")).status == refused
    assert play(dialect, "list-models-server-error", ParsedRequest(path="/models", key=KEY)).status == 500


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_has_words_for_every_refusal_it_can_be_told(dialect: str) -> None:
    told = {turn.why for script in SCRIPTS.values() for turn in script if isinstance(turn, Refusal)}
    by_request = {Refused.NO_KEY, Refused.WRONG_KEY, Refused.UNKNOWN_MODEL, Refused.BAD_REQUEST}
    for why in (told | by_request | {Refused.MID_STREAM}) - _UNSAID.get(dialect, set()):
        assert words_for(DIALECTS[dialect], why).message
