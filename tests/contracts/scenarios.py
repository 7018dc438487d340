# ruff: noqa: RUF001 - the prompts hold full-width marks, as our users' do
"""What we exercise: a table of situations, one of providers, and what does not make sense for whom.

A situation has the same id for every provider, so that a row of the report reads across. Models are plain
chat models where thinking is not the point: neither path adds anything of its own to their requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, Literal

from llm_contracts.paths.call import Function
from llm_contracts.scenario import Scenario

Messages = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Models:
    """One provider's models, by the names our product gives them, and how thinking is asked for."""

    chat: str
    thinking: str
    unknown: str
    think: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """One situation, whoever the provider. `live` and the last three fields are those of `Scenario`."""

    id: str
    messages: Messages = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    function: Function = Function.INVOKE
    model: Literal["chat", "thinking", "unknown", "none"] = "chat"
    live: bool = True
    key: str = "valid"
    expects: Literal["answer", "failure"] = "answer"
    finish: str | None = None


def _user(text: str) -> Mapping[str, Any]:
    return {"role": "user", "content": text}


def _system(text: str) -> Mapping[str, Any]:
    return {"role": "system", "content": text}


_ENABLED = {"extra_body": {"thinking": {"type": "enabled"}}}
_ENABLE = {"extra_body": {"enable_thinking": True}}

MODELS: Mapping[str, Models] = {
    "openai": Models(chat="gpt-4o-mini", thinking="gpt-5-nano", unknown="gpt-4o-nonexistent"),
    "deepseek": Models(chat="deepseek-chat", thinking="deepseek-reasoner", unknown="deepseek-nonexistent"),
    "qwen": Models(
        chat="qwen/qwen-plus", thinking="qwen/qwen-plus", unknown="qwen/qwen-nonexistent", think=_ENABLE
    ),
    "ernie": Models(
        chat="ernie/ernie-4.5-turbo-128k",
        thinking="ernie/ernie-x1-turbo-32k",
        unknown="ernie/ernie-nonexistent",
    ),
    "glm": Models(
        chat="glm/glm-4-flash", thinking="glm/glm-4.5-flash", unknown="glm/glm-nonexistent", think=_ENABLED
    ),
    "ark": Models(
        chat="ark/doubao-1-5-lite-32k-250115",
        thinking="ark/doubao-seed-1-6-250615",
        unknown="ark/doubao-nonexistent",
        think=_ENABLED,
    ),
    "silicon": Models(
        chat="silicon/Qwen/Qwen2.5-7B-Instruct",
        thinking="silicon/Qwen/Qwen3-8B",
        unknown="silicon/Qwen/Qwen-nonexistent",
        think=_ENABLE,
    ),
}

_GREETING = (_user("用两句话描写春天的茶园，带上表情符号 👩‍🚀，再写出 café 和 Zürich。"),)
_HISTORY = (
    _system("你是一位茶艺老师。"),
    _user("我想学泡绿茶。"),
    {"role": "assistant", "content": "好的，绿茶宜用八十度的水。🍵"},
    _user("我刚才问的是什么茶？"),
)
_LESSON = (_system("你是一位数学老师，回答分三步。"), _user("鸡兔同笼怎么做？"))
_WEATHER = (_system("只输出 JSON 对象。"), _user("用 json 给出杭州的天气，键是城市和温度。"))
_ESSAY = (_user("写一首很长的叙事诗，至少一千字，中间画一条长长的分隔线。"),)
_APPLES = (_user("我有三个苹果，吃掉一个，还剩几个？"),)
_FORBIDDEN = (_user("讲一个内容审查会拦下的故事。"),)

_LISTING = Situation(id="list-models", function=Function.LIST_MODELS, model="none")

SITUATIONS: tuple[Situation, ...] = (
    Situation(id="plain-stream", messages=_GREETING),
    Situation(id="multi-turn-chat", messages=_HISTORY, function=Function.CHAT, params={"temperature": 0.5}),
    Situation(id="system-prompt", messages=_LESSON),
    Situation(id="json-mode", messages=_WEATHER, params={"response_format": {"type": "json_object"}}),
    Situation(id="long-stream", messages=_ESSAY),
    # A chat, because `invoke` adds a temperature, which OpenAI's thinking models refuse.
    Situation(id="reasoning", messages=_APPLES, function=Function.CHAT, model="thinking"),
    Situation(id="finish-length", messages=_GREETING, params={"max_tokens": 16}, finish="length"),
    Situation(id="content-filter", messages=_FORBIDDEN, live=False, finish="content_filter"),
    Situation(id="prompt-filter", messages=_FORBIDDEN, live=False, expects="failure"),
    # A chat, because `invoke` always asks for the totals.
    Situation(id="no-usage", messages=_HISTORY, function=Function.CHAT),
    Situation(id="wrong-key", messages=_GREETING, key="wrong", expects="failure"),
    Situation(id="unknown-model", messages=_GREETING, model="unknown", expects="failure"),
    Situation(id="bad-parameter", messages=_GREETING, params={"top_p": 7}, expects="failure"),
    Situation(id="rate-limit", messages=_GREETING, live=False, expects="failure"),
    Situation(id="rate-limit-retry-after", messages=_GREETING, live=False),
    Situation(id="server-error", messages=_GREETING, live=False, expects="failure"),
    Situation(id="mid-stream-error", messages=_GREETING, live=False, expects="failure"),
    Situation(id="no-done", messages=_GREETING, live=False),
    _LISTING,
    replace(_LISTING, id="list-models-wrong-key", key="wrong", expects="failure"),
    replace(_LISTING, id="list-models-server-error", live=False, expects="failure"),
)

_NO_LISTING = "our list of its models is static: nobody is asked"
_ALWAYS_USAGE = "it sends the totals whether or not they are asked for"

NOT_APPLICABLE: Mapping[tuple[str, str], str] = {
    ("deepseek", "prompt-filter"): "its content filter always refuses the prompt: that is content-filter",
    ("ernie", "list-models"): _NO_LISTING,
    ("ernie", "list-models-wrong-key"): _NO_LISTING,
    ("ernie", "list-models-server-error"): _NO_LISTING,
    ("glm", "no-usage"): _ALWAYS_USAGE,
    ("silicon", "no-usage"): _ALWAYS_USAGE,
}

# Where a provider answers otherwise than most. Of the last four, no content filter has been seen at work.
_OTHERWISE: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("deepseek", "content-filter"): {"expects": "failure", "finish": None},  # 400
    ("qwen", "content-filter"): {"expects": "failure", "finish": None},  # an error event in mid-stream
    ("deepseek", "no-usage"): {"live": False},  # the real one always sends the totals
}


def _scenario(provider: str, situation: Situation) -> Scenario:
    models = MODELS[provider]
    model = "" if situation.model == "none" else getattr(models, situation.model)
    think = models.think if situation.model == "thinking" else {}
    scenario = Scenario(
        id=situation.id,
        provider=provider,
        model=model,
        messages=situation.messages,
        params={**situation.params, **think},
        function=situation.function,
        live=situation.live,
        key=situation.key,
        expects=situation.expects,
        finish=situation.finish,
    )
    return replace(scenario, **_OTHERWISE.get((provider, situation.id), {}))


SCENARIOS: tuple[Scenario, ...] = tuple(
    _scenario(provider, situation)
    for provider, situation in product(MODELS, SITUATIONS)
    if (provider, situation.id) not in NOT_APPLICABLE
)
