"""What the calls promise, on both backends."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

import llm_adapter
from llm_adapter import Adapter, Category, RequestFailedError, functions
from tests.adapter.conftest import AS_ASKED, MakeAdapter
from tests.adapter.provider import DONE, USAGE, End, Provider, Reply, answer, chunk

Ask = Callable[..., list[str]]
TEXT_PARTS = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]
HISTORY = [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}]


def test_nothing_is_sent_before_the_first_next(adapter: Adapter, provider: Provider) -> None:
    stream = adapter.invoke_llm(None, "u", None, "gpt-4o", "hi")
    assert provider.asked == []
    next(stream)
    assert len(provider.asked) == 1
    stream.close()


def test_a_mistaken_model_is_told_on_the_first_next_only(adapter: Adapter) -> None:
    stream = adapter.chat_llm(None, "u", None, "nonsense", HISTORY)
    with pytest.raises(llm_adapter.ModelNotSupportedError):
        next(stream)


@pytest.mark.parametrize("model", [None, 5, "", "  "])
def test_a_model_that_is_no_name_is_not_supported(adapter: Adapter, model: Any) -> None:
    with pytest.raises(llm_adapter.ModelNotSupportedError):
        list(adapter.invoke_llm(None, "u", None, model, "hi"))


def test_pieces_can_be_made_by_position_with_totals_as_a_mapping() -> None:
    """As applications make them in their own tests."""
    totals = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    given: tuple[Any, ...] = ("1", True, False, "a", "stop", totals)
    piece = llm_adapter.LLMStreamResponse(*given)
    assert (piece.id, piece.is_end, piece.is_truncated, piece.result) == ("1", True, False, "a")
    assert piece.usage == llm_adapter.LLMStreamaUsage(1, 2, 3)


def test_only_text_is_yielded_and_each_piece_as_it_came(adapter: Adapter, provider: Provider) -> None:
    provider.say(answer("你", "", "👩‍👩", "e\u0301", " "))
    pieces = list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi"))
    assert [piece.result for piece in pieces] == ["你", "👩‍👩", "e\u0301", " "]
    assert {piece.id for piece in pieces} == {"chatcmpl-1"}
    assert {(piece.is_end, piece.finish_reason, piece.is_truncated, piece.usage) for piece in pieces} == {
        (False, None, False, None)
    }


def test_a_finish_reason_is_told_only_where_it_rides_on_text(adapter: Adapter, provider: Provider) -> None:
    provider.say(Reply(pieces=(chunk("a"), chunk("b", finish="length"), DONE)))
    first, last = adapter.invoke_llm(None, "u", None, "gpt-4o", "hi")
    assert (first.is_end, first.finish_reason) == (False, None)
    assert (last.is_end, last.finish_reason) == (True, "length")


def test_an_empty_finish_reason_is_none(adapter: Adapter, provider: Provider) -> None:
    provider.say(Reply(pieces=(chunk("a", finish=""), DONE)))
    (piece,) = adapter.invoke_llm(None, "u", None, "silicon/m", "hi")
    assert (piece.is_end, piece.finish_reason) == (False, None)


def test_a_stream_without_a_finish_ends_without_one(ask: Ask, provider: Provider) -> None:
    provider.say(Reply(pieces=(chunk("a"),)))
    assert ask() == ["a"]


def test_two_hundred_equal_pieces_are_no_error(ask: Ask, provider: Provider) -> None:
    """LiteLLM's own guard would stop at the 101st."""
    provider.say(answer(*["哈哈哈"] * 200))
    assert ask() == ["哈哈哈"] * 200


def test_content_that_is_no_text_is_left_out(ask: Ask, provider: Provider) -> None:
    provider.say(Reply(pieces=(chunk(content=[{"type": "thinking"}]), chunk("a"), DONE)))
    assert ask() == ["a"]


@pytest.mark.parametrize("stream", [True, False, None])
def test_the_stream_argument_is_never_honoured(ask: Ask, provider: Provider, stream: bool | None) -> None:
    assert ask(stream=stream) == ["Hel", "lo"]
    assert provider.body["stream"] is True


@pytest.mark.parametrize("backend", ["legacy", "litellm"])
def test_invoke_sends_system_text_temperature_and_asks_for_usage(
    make_adapter: MakeAdapter, provider: Provider, backend: str
) -> None:
    list(make_adapter(backend, **AS_ASKED).invoke_llm(None, "u", None, " gpt-4o\n", "hi", "be kind"))
    assert provider.body == {
        "model": "gpt-4o",
        "messages": HISTORY,
        "stream": True,
        "temperature": 0.8,
        "stream_options": {"include_usage": True},
    }
    assert provider.asked[-1].target == "/v1/chat/completions"
    assert provider.asked[-1].headers["authorization"].startswith("Bearer ")


def test_a_temperature_given_as_text_becomes_a_number(adapter: Adapter, provider: Provider) -> None:
    list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi", temperature="0.3"))
    assert provider.body["temperature"] == 0.3
    list(adapter.chat_llm(None, "u", None, "gpt-4o", HISTORY, temperature="0.4"))
    assert provider.body["temperature"] == 0.4


def test_json_mode_is_invoke_s_alone(adapter: Adapter, provider: Provider) -> None:
    list(adapter.invoke_llm(None, "u", None, "gpt-4o", "json", json=True))
    assert provider.body["response_format"] == {"type": "json_object"}
    list(adapter.chat_llm(None, "u", None, "gpt-4o", HISTORY, json=True))
    assert "response_format" not in provider.body


def test_chat_sends_no_temperature_of_its_own(adapter: Adapter, provider: Provider) -> None:
    list(adapter.chat_llm(None, "u", None, "gpt-4o", iter(HISTORY)))
    assert provider.body["messages"] == HISTORY
    assert "temperature" not in provider.body


@pytest.mark.parametrize(("backend", "asked_for"), [("legacy", None), ("litellm", {"include_usage": True})])
def test_chat_asks_for_usage_on_the_new_path_only(
    make_adapter: Callable[..., Adapter], provider: Provider, backend: str, asked_for: Any
) -> None:
    list(make_adapter(backend).chat_llm(None, "u", None, "gpt-4o", HISTORY))
    assert provider.body.get("stream_options") == asked_for


def test_nothing_of_the_caller_s_is_changed(adapter: Adapter) -> None:
    messages = [{"role": "user", "content": [{"type": "image_url", "image_url": "http://x/y.png"}]}]
    params: dict[str, Any] = {"metadata": {"a": "b"}, "extra_body": {"top_k": 3}, "stop": list("abcdef")}
    before = copy.deepcopy((messages, params))
    list(adapter.chat_llm(None, "u", None, "qwen/qwen3-8b", messages, **params))
    assert (messages, params) == before


def test_message_objects_of_the_sdk_are_accepted(adapter: Adapter, provider: Provider) -> None:
    from openai.types.chat import ChatCompletionMessage

    told = ChatCompletionMessage(role="assistant", content="yes")
    list(adapter.chat_llm(None, "u", None, "gpt-4o", [told]))
    assert provider.body["messages"] == [{"role": "assistant", "content": "yes"}]


def test_a_message_that_is_none_of_these_is_refused(adapter: Adapter) -> None:
    with pytest.raises(RequestFailedError, match="a message is a mapping") as caught:
        list(adapter.chat_llm(None, "u", None, "gpt-4o", ["hi"]))
    assert caught.value.category is Category.BAD_REQUEST


def test_leaving_early_ends_the_exchange_at_once(adapter: Adapter, provider: Provider) -> None:
    provider.say(Reply(pieces=(chunk("a"),), end=End.STALL))
    stream = adapter.invoke_llm(None, "u", None, "gpt-4o", "hi")
    next(stream)
    stream.close()
    assert provider.left.wait(60)


@pytest.mark.parametrize("backend", ["legacy", "litellm"])
def test_the_functions_read_the_environment_for_each_call(
    backend: str, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a running process can be switched."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-environ-1")
    monkeypatch.setenv("OPENAI_BASE_URL", provider.url)
    monkeypatch.setenv("LLM_BACKEND", "litellm" if backend == "legacy" else "legacy")
    monkeypatch.setenv("LLM_BACKEND_OPENAI", backend)
    app = SimpleNamespace(logger=logging.getLogger("app"))
    try:
        pieces = llm_adapter.invoke_llm(app, "u", None, "gpt-4o", "hi")
        assert "".join(piece.result for piece in pieces) == "Hello"
        list(llm_adapter.chat_llm(app, "u", None, "gpt-4o", HISTORY))
        assert "deepseek-chat" not in llm_adapter.get_current_models(app)  # that one has no key here
        raw = provider.asked[-2].headers.get("x-stainless-raw-response")
        assert (raw == "true") is (backend == "litellm")  # the mark that LiteLLM leaves
    finally:
        functions.default_adapter().close()


def test_usage_with_text_on_the_same_chunk_changes_nothing(ask: Ask, provider: Provider) -> None:
    provider.say(Reply(pieces=(chunk("a", usage=USAGE), chunk(finish="stop", usage=USAGE), DONE)))
    assert ask() == ["a"]


def test_text_in_a_list_of_parts_is_text_and_the_thoughts_beside_it_are_not(
    adapter: Adapter, provider: Provider
) -> None:
    """As Mistral's reasoning models send it."""
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    parts = (chunk(content=[thought]), chunk(content=TEXT_PARTS))
    provider.say(Reply(pieces=(*parts, chunk(" you"), chunk(finish="stop"))))
    assert [r.result for r in adapter.invoke_llm(None, "u", None, "gpt-4o", "hi")] == ["Hello", " you"]
