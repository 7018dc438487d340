"""What goes out beyond the caller's wish: thinking switched off by provider, and output limits.

The right values are what the application sends at its newest state (ai-shifu, b3d3e4c89), over the providers'
own protocols.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.adapter.conftest import AS_ASKED, MakeAdapter
from tests.adapter.provider import Provider

DISABLED = {"thinking": {"type": "disabled"}}
NOT_ENABLED = {"enable_thinking": False}
NO_TABLE = {"LLM_DEFAULT_OUTPUT_LIMIT": "none"}


def sent(make_adapter: MakeAdapter, provider: Provider, model: str, **params: Any) -> dict[str, Any]:
    return _sent(make_adapter(**NO_TABLE), provider, model, **params)


def _sent(adapter: Any, provider: Provider, model: str, **params: Any) -> dict[str, Any]:
    list(adapter.invoke_llm(None, "u", None, model, "hi", **params))
    known = {"model", "messages", "stream", "stream_options"}
    return {name: value for name, value in provider.body.items() if name not in known}


@pytest.mark.parametrize(
    ("model", "extra"),
    [
        ("deepseek-chat", DISABLED),
        ("deepseek-reasoner", DISABLED),
        ("deepseek-v4-flash", DISABLED),
        ("glm/glm-4.5-air", DISABLED),
        ("glm/GLM-4.6", DISABLED),
        ("glm/glm-5", DISABLED),
        ("ark/doubao-seed-1-6-250615", DISABLED),
        ("ark/deepseek-v3-2", DISABLED),
        ("ark/ep-2024", DISABLED),
        ("qwen/qwen-plus", NOT_ENABLED),
        ("qwen/qwen3-max", NOT_ENABLED),
        ("qwen/deepseek-v4-flash", NOT_ENABLED),
        ("qwen/qwen3-8b", NOT_ENABLED),
        ("silicon/Qwen/Qwen3-8B", NOT_ENABLED),
        ("silicon/deepseek-ai/DeepSeek-V3.2", NOT_ENABLED),
        ("silicon/zai-org/GLM-5", NOT_ENABLED),
        ("silicon/Pro/zai-org/GLM-4.7", NOT_ENABLED),
        ("gpt-4o-mini", {}),
        ("gpt-4.1", {}),
        ("gpt-5-chat-latest", {}),
        ("glm/glm-4-flash", {}),
        ("ernie/ernie-4.0-8k", {}),
    ],
)
def test_thinking_is_off_by_provider(
    make_adapter: MakeAdapter, provider: Provider, model: str, extra: dict[str, Any]
) -> None:
    assert sent(make_adapter, provider, model) == {"temperature": 0.8, **extra}


@pytest.mark.parametrize(
    "model",
    [
        "glm/glm-5.3",
        "qwen/qwen3-30b-a3b-thinking-2507",
        "ark/doubao-seed-1-6-thinking",
        "silicon/Qwen/Qwen2.5-7B-Instruct",
        "silicon/Qwen/Qwen3-30B-A3B-Instruct-2507",
        "silicon/Qwen/Qwen3-235B-A22B-Thinking-2507",
        "silicon/Qwen/Qwen3-Coder-480B-A35B-Instruct",
        "silicon/deepseek-ai/DeepSeek-R1-0528-Qwen3-8B",
    ],
)
def test_who_is_known_to_refuse_the_switch_is_not_sent_it(
    make_adapter: MakeAdapter, provider: Provider, model: str
) -> None:
    assert sent(make_adapter, provider, model) == {"temperature": 0.8}


@pytest.mark.parametrize(
    ("model", "temperature", "effort"),
    [
        ("gpt-5", 1.0, "minimal"),
        ("gpt-5-mini", 1.0, "minimal"),
        ("gpt-5-nano", 1.0, "minimal"),
        ("gpt-5.1", 0.2, "none"),
        ("gpt-5.2", 0.2, "none"),
        ("gpt-5.4-mini", 0.2, "none"),
        ("gpt-5.6-luna", 0.2, "none"),
    ],
)
def test_gpt_5_thinks_as_little_as_it_can_and_takes_a_temperature_only_without_thinking(
    make_adapter: MakeAdapter, provider: Provider, model: str, temperature: float, effort: str
) -> None:
    expected = {"temperature": temperature, "reasoning_effort": effort}
    assert sent(make_adapter, provider, model, temperature=0.2, reasoning_effort="high") == expected


SWITCHES: list[dict[str, Any]] = [
    {"extra_body": {"enable_thinking": True, "thinking": {"type": "enabled"}, "reasoning_effort": "high"}},
    {"reasoning_effort": "high"},
    {"thinking": {"type": "enabled"}},
    {"enable_thinking": True},
]


@pytest.mark.parametrize("switch", SWITCHES)
def test_the_policy_beats_whatever_the_caller_says_about_thinking(
    make_adapter: MakeAdapter, provider: Provider, switch: dict[str, Any]
) -> None:
    assert sent(make_adapter, provider, "qwen/qwen-plus", **switch) == {"temperature": 0.8, **NOT_ENABLED}


def test_what_else_the_caller_puts_into_the_body_stays(make_adapter: MakeAdapter, provider: Provider) -> None:
    body = {"top_k": 3, "enable_thinking": True}
    assert sent(make_adapter, provider, "qwen/qwen-plus", extra_body=body) == {
        "temperature": 0.8,
        "top_k": 3,
        **NOT_ENABLED,
    }


@pytest.mark.parametrize("model", ["qwen/qwen-plus", "ark/ep-1", "deepseek-v4-flash", "gpt-4o"])
def test_the_caller_can_be_given_the_say_about_thinking(
    make_adapter: MakeAdapter, provider: Provider, model: str
) -> None:
    adapter = make_adapter(**AS_ASKED)
    assert _sent(adapter, provider, model) == {"temperature": 0.8}
    own = {"enable_thinking": True, "top_k": 3}
    assert _sent(adapter, provider, model, extra_body=own) == {"temperature": 0.8, **own}
    assert _sent(adapter, provider, model, enable_thinking=True)["enable_thinking"] is True


def test_where_the_caller_has_the_say_gpt_5_still_gets_the_only_temperature_that_thinking_takes(
    make_adapter: MakeAdapter, provider: Provider
) -> None:
    sent = _sent(make_adapter(**AS_ASKED), provider, "gpt-5.2", temperature=0.2, reasoning_effort="low")
    assert sent == {"temperature": 1.0, "reasoning_effort": "low"}


def test_a_conversation_without_a_temperature_stays_without(
    make_adapter: MakeAdapter, provider: Provider
) -> None:
    list(make_adapter().chat_llm(None, "u", None, "gpt-5", [{"role": "user", "content": "hi"}]))
    assert "temperature" not in provider.body


def test_the_legacy_path_sends_what_it_is_given(make_adapter: MakeAdapter, provider: Provider) -> None:
    for model in ("gpt-5", "qwen/qwen3-8b"):
        assert _sent(make_adapter("legacy"), provider, model) == {"temperature": 0.8}


def limits(provider: Provider) -> dict[str, Any]:
    return {name: value for name, value in provider.body.items() if name.startswith("max_")}


@pytest.mark.parametrize("backend", ["legacy", "litellm"])
@pytest.mark.parametrize(
    ("model", "params", "expected"),
    [
        ("qwen/ep", {}, {"max_tokens": 5}),
        ("gpt-5", {}, {"max_completion_tokens": 6}),
        ("qwen/other", {}, {}),
        ("qwen/ep", {"max_tokens": 4}, {"max_tokens": 4}),
        ("qwen/ep", {"max_tokens": 9}, {"max_tokens": 5}),
        ("qwen/ep", {"max_tokens": 0}, {"max_tokens": 5}),
        ("qwen/ep", {"max_tokens": None}, {"max_tokens": 5}),
        ("qwen/ep", {"max_completion_tokens": 9}, {"max_completion_tokens": 5}),
    ],
)
def test_a_configured_limit_is_sent_and_is_the_most_that_a_caller_gets(
    make_adapter: MakeAdapter,
    provider: Provider,
    backend: str,
    model: str,
    params: dict[str, Any],
    expected: dict[str, int],
) -> None:
    environ = {**NO_TABLE, "LLM_MODEL_MAX_OUTPUT_TOKENS": '{"qwen/ep": 5, "gpt-5": 6}'}
    list(make_adapter(backend, **environ).invoke_llm(None, "u", None, model, "hi", **params))
    assert limits(provider) == expected


@pytest.mark.parametrize(
    ("model", "params", "expected"),
    [
        ("gpt-4o", {}, {"max_tokens": 16384}),
        ("gpt-4o", {"max_tokens": 100}, {"max_tokens": 100}),
        ("gpt-4o", {"max_tokens": 99999}, {"max_tokens": 16384}),
        ("gpt-5", {}, {"max_completion_tokens": 128000}),
        ("qwen/of-nobody-s-table", {}, {}),
        ("ark/ep-20260101000000-abcde", {}, {}),
    ],
)
def test_other_models_are_asked_for_the_most_that_litellm_s_table_has_for_them(
    make_adapter: MakeAdapter,
    provider: Provider,
    model: str,
    params: dict[str, Any],
    expected: dict[str, int],
) -> None:
    """Some providers cut answers at a small default of their own. A model that is not there fails nothing."""
    list(make_adapter().invoke_llm(None, "u", None, model, "hi", **params))
    assert limits(provider) == expected
    list(make_adapter("legacy").invoke_llm(None, "u", None, model, "hi", **params))
    assert limits(provider) == params
