"""What families of models get beyond the caller's wish, and that all others get nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.adapter.conftest import MakeAdapter
from tests.adapter.provider import Provider

OFF = {"thinking": {"type": "disabled"}}
QUIET = {"enable_thinking": False}


def extras(make_adapter: MakeAdapter, provider: Provider, model: str, **params: Any) -> dict[str, Any]:
    list(make_adapter().invoke_llm(None, "u", None, model, "hi", **params))
    known = {"model", "messages", "stream", "stream_options"}
    return {name: value for name, value in provider.body.items() if name not in known}


@pytest.mark.parametrize(
    "model",
    [
        "gpt-4o-mini",
        "gpt-4.1",
        "gpt-5-chat-latest",
        "deepseek-chat",
        "deepseek-reasoner",
        "qwen/qwen-plus",
        "qwen/qwen3-235b-a22b-instruct-2507",
        "qwen/qwen3-30b-a3b-thinking-2507",
        "qwen/qwen3-coder-plus",
        "qwen/qwen3-max",
        "qwen/deepseek-v3",
        "ernie/ernie-4.0-8k",
        "glm/glm-4-flash",
        "glm/glm-4.1v-thinking",
        "glm/glm-5.3",
        "ark/ep-2024",
        "ark/doubao-1-5-pro",
        "ark/doubao-seed-1-6-thinking",
        "silicon/Qwen/Qwen2.5-7B-Instruct",
        "silicon/Qwen/Qwen3-235B-A22B-Thinking-2507",
        "silicon/deepseek-ai/DeepSeek-R1",
    ],
)
def test_models_outside_the_table_get_nothing_extra(
    make_adapter: MakeAdapter, provider: Provider, model: str
) -> None:
    assert extras(make_adapter, provider, model) == {"temperature": 0.8}


@pytest.mark.parametrize(
    ("model", "extra"),
    [
        ("deepseek-v4-flash", OFF),
        ("glm/glm-4.5-air", OFF),
        ("glm/GLM-4.6", OFF),
        ("glm/glm-5", OFF),
        ("ark/doubao-seed-1-6-250615", OFF),
        ("qwen/qwen3-8b", QUIET),
        ("qwen/qwen3.5-plus", QUIET),
        ("silicon/Qwen/Qwen3-8B", QUIET),
        ("silicon/Pro/zai-org/GLM-4.7", QUIET),
    ],
)
def test_thinking_is_off_where_it_would_be_on(
    make_adapter: MakeAdapter, provider: Provider, model: str, extra: dict[str, Any]
) -> None:
    assert extras(make_adapter, provider, model) == {"temperature": 0.8, **extra}


def test_the_caller_s_own_extra_body_wins_key_by_key(make_adapter: MakeAdapter, provider: Provider) -> None:
    own = {"enable_thinking": True, "top_k": 3}
    assert extras(make_adapter, provider, "qwen/qwen3-8b", extra_body=own) == {"temperature": 0.8, **own}
    assert extras(make_adapter, provider, "qwen/qwen3-8b", extra_body={"top_k": 3}) == {
        "temperature": 0.8,
        "top_k": 3,
        **QUIET,
    }


@pytest.mark.parametrize("model", ["gpt-5", "gpt-5-mini", "gpt-5.2", "gpt-5.6-luna"])
def test_gpt_5_gets_the_only_temperature_it_takes(
    make_adapter: MakeAdapter, provider: Provider, model: str
) -> None:
    assert extras(make_adapter, provider, model, temperature=0.2) == {"temperature": 1.0}


def test_a_conversation_without_a_temperature_stays_without(
    make_adapter: MakeAdapter, provider: Provider
) -> None:
    list(make_adapter().chat_llm(None, "u", None, "gpt-5", [{"role": "user", "content": "hi"}]))
    assert "temperature" not in provider.body


def test_the_legacy_path_sends_what_it_is_given(make_adapter: MakeAdapter, provider: Provider) -> None:
    for model in ("gpt-5", "qwen/qwen3-8b"):
        list(make_adapter("legacy").invoke_llm(None, "u", None, model, "hi"))
        assert provider.body["temperature"] == 0.8
        assert "enable_thinking" not in provider.body


@pytest.mark.parametrize("backend", ["legacy", "litellm"])
@pytest.mark.parametrize(
    ("model", "params", "sent"),
    [
        ("qwen/ep", {}, {"max_tokens": 5}),
        ("gpt-5", {}, {"max_completion_tokens": 6}),
        ("qwen/other", {}, {}),
        ("qwen/ep", {"max_tokens": 9}, {"max_tokens": 9}),
        ("qwen/ep", {"max_completion_tokens": 9}, {"max_completion_tokens": 9}),
    ],
)
def test_a_configured_limit_is_sent_unless_the_caller_has_one(
    make_adapter: MakeAdapter,
    provider: Provider,
    backend: str,
    model: str,
    params: dict[str, Any],
    sent: dict[str, int],
) -> None:
    """Some providers cut answers at a small default of their own; nothing is looked up in any table."""
    adapter = make_adapter(backend, LLM_MODEL_MAX_OUTPUT_TOKENS='{"qwen/ep": 5, "gpt-5": 6}')
    list(adapter.invoke_llm(None, "u", None, model, "hi", **params))
    assert {name: value for name, value in provider.body.items() if name.startswith("max_")} == sent
