"""Both backends send a provider the same request, whatever the caller asks for.

The ids are those of the catalogue of LiteLLM's differences: what it would do to each of these by itself.
"""

from __future__ import annotations

from typing import Any

import pytest

from llm_adapter import Category, LLMNotConfiguredError, RequestFailedError
from tests.adapter.conftest import AS_ASKED, MakeAdapter
from tests.adapter.provider import KEY, Asked, Provider

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
HI = {"role": "user", "content": "hi"}

PARAMS: dict[str, dict[str, Any]] = {
    "N1 user is dropped": {"user": "bob"},
    "N2 nulls are left out": {"seed": None, "max_tokens": None},
    "N5 metadata is never sent": {"metadata": {"trace": "7"}, "store": True},
    "N6 extra_query goes into the body": {"extra_query": {"api-version": "2"}},
    "N7 more than four stops are cut": {"stop": list("abcdef")},
    "N8 max_tokens is renamed": {"max_tokens": 5},
    "N9 unknown names raise or vanish": {
        "verbosity": "low",
        "reasoning_effort": "low",
        "logit_bias": {"1": 2},
    },
    "N9 prompt_cache_key": {"prompt_cache_key": "k", "safety_identifier": "s", "service_tier": "auto"},
    "extra_body": {"extra_body": {"top_k": 3, "thinking": {"type": "enabled"}, "enable_thinking": None}},
    "extra_body wins": {"temperature": 0.1, "extra_body": {"temperature": 0.2}},
    "extra_headers": {"extra_headers": {"X-Team": "blue"}},
    "tools": {"tools": [TOOL], "tool_choice": "auto", "parallel_tool_calls": False},
    "response_format": {
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}
    },
    "numbers": {"n": 2, "top_p": 0.5, "presence_penalty": 1, "frequency_penalty": -1, "logprobs": True},
    "a timeout": {"timeout": 7},
    "stream options": {"stream_options": {"include_usage": False}},
}

MESSAGES: dict[str, list[dict[str, Any]]] = {
    "N3 content None is removed": [
        HI,
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "1", "content": "x"},
    ],
    "N4 developer becomes system": [{"role": "developer", "content": "d"}, HI],
    "N4 image_url becomes an object": [
        {"role": "user", "content": [{"type": "image_url", "image_url": "http://x/"}]}
    ],
    "cache_control is stripped": [
        {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]}
    ],
    "two users in a row": [HI, HI],
    "unknown keys": [{"role": "user", "content": "a", "partial": True, "name": "n"}],
    "odd text": [{"role": "user", "content": "\u0000 😀 \u2028"}],
}

MODELS = [
    "gpt-4o-mini",
    "gpt-4o",
    "gpt-3.5-turbo-instruct",
    "gpt-4-turbo-2024",
    "deepseek-chat",
    "deepseek-reasoner",
    "qwen/qwen-plus",
    "qwen/openai/gpt-4o",
    "qwen/azure/x",
    "ernie/ernie-4.0-8k",
    "glm/glm-4-flash",
    "ark/ep-2024",
    "silicon/Qwen/Qwen2.5-7B-Instruct",
    "silicon/openai/gpt-4o",
    "silicon/cohere/command-r-plus",
    "glm/o3-deep-research",
    "silicon/deepseek-ai/DeepSeek-R1",
    "silicon/meta-llama/llama-3-8b",
]


def sent(asked: Asked) -> dict[str, Any]:
    """What means something to a provider."""
    names = ("authorization", "content-type", "accept", "user-agent", "x-team", "x-stainless-retry-count")
    return {
        "target": asked.target,
        "body": asked.body,
        "headers": {name: asked.headers.get(name) for name in names},
        "timeout": float(asked.headers["x-stainless-read-timeout"]),
    }


@pytest.mark.parametrize("params", PARAMS.values(), ids=list(PARAMS))
def test_parameters(make_adapter: MakeAdapter, provider: Provider, params: dict[str, Any]) -> None:
    for backend in ("legacy", "litellm"):
        list(make_adapter(backend, **AS_ASKED).invoke_llm(None, "u", None, "gpt-4o", "hi", **params))
    legacy, litellm = map(sent, provider.asked)
    assert litellm == legacy


@pytest.mark.parametrize("messages", MESSAGES.values(), ids=list(MESSAGES))
def test_messages(make_adapter: MakeAdapter, provider: Provider, messages: list[dict[str, Any]]) -> None:
    for backend in ("legacy", "litellm"):
        list(
            make_adapter(backend, **AS_ASKED).chat_llm(
                None, "u", None, "qwen/qwen-plus", messages, stream_options={}
            )
        )
    legacy, litellm = map(sent, provider.asked)
    assert litellm == legacy


@pytest.mark.parametrize("model", MODELS)
def test_models(make_adapter: MakeAdapter, provider: Provider, model: str) -> None:
    """Names that LiteLLM reads something into (N8, N10, N13) lead to the same place with the same body."""
    for backend in ("legacy", "litellm"):
        list(make_adapter(backend, **AS_ASKED).invoke_llm(None, "u", None, model, "hi", max_tokens=9))
    legacy, litellm = map(sent, provider.asked)
    assert litellm == legacy


@pytest.mark.parametrize("model", ["gpt-5-pro", "gpt-5-codex", "gpt-5.1-codex-max", "gpt-5.4"])
def test_no_model_is_asked_elsewhere_than_at_chat_completions(
    make_adapter: MakeAdapter, provider: Provider, model: str
) -> None:
    """LiteLLM's table sends these to `/responses`, with another body."""
    list(
        make_adapter(**AS_ASKED).chat_llm(None, "u", None, model, [HI], tools=[TOOL], reasoning_effort="low")
    )
    assert provider.asked[-1].target == "/v1/chat/completions"
    assert provider.body["model"] == model
    assert provider.body["reasoning_effort"] == "low"


def test_a_name_that_litellm_would_read_as_an_endpoint_is_refused(
    make_adapter: MakeAdapter, provider: Provider
) -> None:
    """`responses/x` would go to `/responses` as `x`, whatever the table says."""
    with pytest.raises(RequestFailedError, match="LLM_BACKEND_ARK=legacy") as caught:
        list(make_adapter().invoke_llm(None, "u", None, "ark/responses/x", "hi"))
    assert caught.value.category is Category.BAD_REQUEST
    assert provider.asked == []


@pytest.mark.parametrize("backend", ["legacy", "litellm"])
def test_what_is_no_parameter_is_refused_by_name(
    make_adapter: MakeAdapter, provider: Provider, backend: str
) -> None:
    """Typing errors, and things of the application that no provider is to see."""
    adapter = make_adapter(backend, **AS_ASKED)
    with pytest.raises(RequestFailedError, match="no request parameter is called learner, top_k") as caught:
        list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi", top_k=3, learner={"name": "Ada"}))
    assert caught.value.category is Category.BAD_REQUEST
    assert provider.asked == []
    list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi", extra_body={"top_k": 3}))
    assert provider.body["top_k"] == 3


@pytest.mark.parametrize("backend", ["legacy", "litellm"])
def test_the_application_s_own_arguments_go_to_no_provider(
    make_adapter: MakeAdapter, provider: Provider, backend: str
) -> None:
    own: dict[str, Any] = {"usage_context": object(), "usage_scene": 1, "billable": 1, "request_id": "r"}
    own |= {"trace_id": "t", "usage_metadata": {"learner": "Ada"}}
    list(make_adapter(backend).invoke_llm(None, "u", None, "gpt-4o", "hi", **own))
    list(make_adapter(backend).chat_llm(None, "u", None, "gpt-4o", [HI], **own))
    assert [name for asked in provider.asked for name in own if name in asked.body] == []


@pytest.mark.parametrize("backend", ["litellm", "legacy"])
@pytest.mark.parametrize(
    ("model", "said"), [("gpt-4o", "half a \ud83d"), ("gpt-\ud83d", "hi"), ("gemini-\ud83d", "hi")]
)
def test_text_that_cannot_be_sent_is_the_request_s_fault(
    make_adapter: MakeAdapter, provider: Provider, backend: str, model: str, said: str
) -> None:
    with pytest.raises(RequestFailedError) as caught:
        list(make_adapter(backend).invoke_llm(None, "u", None, model, said))
    assert (caught.value.category, provider.asked) == (Category.BAD_REQUEST, [])


@pytest.mark.parametrize("backend", ["legacy", "litellm"])
def test_what_is_not_json_is_refused_by_name(make_adapter: MakeAdapter, backend: str) -> None:
    with pytest.raises(RequestFailedError, match="not JSON: metadata, extra_body") as caught:
        list(
            make_adapter(backend).invoke_llm(
                None, "u", None, "gpt-4o", "hi", metadata={"a": object()}, extra_body={"b": object()}
            )
        )
    assert caught.value.category is Category.BAD_REQUEST


ROUND: dict[str, Any] = {}
ROUND["again"] = ROUND


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("metadata", ROUND, "not JSON: metadata"),
        ("extra_body", {"a": [ROUND]}, "not JSON: extra_body"),
        ("tools", [{"limit": float("nan")}], "not JSON: tools"),
        ("extra_body", [1], "extra_body must be a mapping"),
        ("extra_query", "a=b", "extra_query must be a mapping"),
        ("extra_headers", "authorization: a key", "extra_headers must be a mapping, not str"),
        ("extra_headers", {"x-a": "a\r\nx-b: c"}, "extra_headers holds 'x-a'"),
        ("extra_headers", {"x-a": 1}, "extra_headers holds 'x-a'"),
        ("timeout", "soon", "timeout must be a number"),
        ("timeout", float("inf"), "timeout must be a number"),
        ("timeout", object(), "timeout must be a number of seconds"),
        ("deadline", True, "deadline must be a number of seconds"),
        ("max_retries", "often", "max_retries must be a number"),
        ("temperature", float("nan"), "temperature must be a number"),
    ],
)
@pytest.mark.parametrize("backend", ["legacy", "litellm"])
def test_a_value_that_makes_no_sense_is_refused_by_name_and_nobody_is_asked(
    make_adapter: MakeAdapter, provider: Provider, backend: str, name: str, value: Any, words: str
) -> None:
    for stream in (
        make_adapter(backend).invoke_llm(None, "u", None, "gpt-4o", "hi", **{name: value}),
        make_adapter(backend).chat_llm(None, "u", None, "gpt-4o", [HI], **{name: value}),
    ):
        with pytest.raises(RequestFailedError) as caught:
            list(stream)
        assert caught.value.category is Category.BAD_REQUEST
        assert words in caught.value.message
    assert provider.asked == []


def test_a_message_that_holds_itself_is_refused(make_adapter: MakeAdapter, provider: Provider) -> None:
    with pytest.raises(RequestFailedError, match="not JSON: content of a message") as caught:
        list(make_adapter().chat_llm(None, "u", None, "gpt-4o", [{"role": "user", "content": [ROUND]}]))
    assert (caught.value.category, provider.asked) == (Category.BAD_REQUEST, [])


@pytest.mark.parametrize("backend", ["legacy", "litellm"])
def test_limits_may_be_text(make_adapter: MakeAdapter, provider: Provider, backend: str) -> None:
    given: dict[str, Any] = {"timeout": "20", "deadline": "30", "max_retries": "0"}
    list(make_adapter(backend).invoke_llm(None, "u", None, "gpt-4o", "hi", **given))
    assert given.keys().isdisjoint(provider.body)


@pytest.mark.parametrize("backend", ["legacy", "litellm"])
@pytest.mark.parametrize("value", ["", "warm", [1]])
def test_a_temperature_that_is_no_number_is_refused(
    make_adapter: MakeAdapter, provider: Provider, backend: str, value: Any
) -> None:
    for stream in (
        make_adapter(backend).invoke_llm(None, "u", None, "gpt-4o", "hi", temperature=value),
        make_adapter(backend).chat_llm(None, "u", None, "gpt-4o", [HI], temperature=value),
    ):
        with pytest.raises(RequestFailedError, match="temperature must be a number") as caught:
            list(stream)
        assert caught.value.category is Category.BAD_REQUEST
    assert provider.asked == []


def test_an_invocation_with_no_temperature_is_one_without(
    make_adapter: MakeAdapter, provider: Provider
) -> None:
    list(make_adapter().invoke_llm(None, "u", None, "gpt-4o", "hi", temperature=None))
    assert provider.body["temperature"] == 0.8


def test_the_sdk_s_marks_for_not_given_are_not_sent(make_adapter: MakeAdapter, provider: Provider) -> None:
    import openai

    for backend in ("legacy", "litellm"):
        stream = make_adapter(backend, **AS_ASKED).invoke_llm(
            None, "u", None, "gpt-4o", "hi", seed=openai.NOT_GIVEN
        )
        list(stream)
        assert "seed" not in provider.body


def test_an_organisation_in_the_environment_goes_to_no_provider(
    make_adapter: MakeAdapter, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LiteLLM reads OPENAI_ORGANIZATION and writes it into the client it is given (N17, N20)."""
    monkeypatch.setenv("OPENAI_ORGANIZATION", "org-7")
    adapter = make_adapter()
    for _ in range(2):
        list(adapter.invoke_llm(None, "u", None, "glm/glm-4", "hi"))
        assert "openai-organization" not in provider.asked[-1].headers


def test_a_key_in_the_environment_is_not_used_for_another_provider(
    make_adapter: MakeAdapter, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LiteLLM takes OPENAI_API_KEY where the key is empty (N16); here nothing is sent."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-somebody-elses")
    with pytest.raises(LLMNotConfiguredError, match="QWEN_API_KEY") as caught:
        list(make_adapter(QWEN_API_KEY=" ").invoke_llm(None, "u", None, "qwen/qwen-plus", "hi"))
    assert caught.value.config_var == "QWEN_API_KEY"
    assert provider.asked == []


def test_each_provider_is_sent_its_own_key(make_adapter: MakeAdapter, provider: Provider) -> None:
    adapter = make_adapter(QWEN_API_KEY="sk-qwen-1234567")
    list(adapter.invoke_llm(None, "u", None, "qwen/qwen-plus", "hi"))
    list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi"))
    assert [asked.headers["authorization"] for asked in provider.asked] == [
        "Bearer sk-qwen-1234567",
        f"Bearer {KEY}",
    ]
