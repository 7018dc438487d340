"""The situations we exercise, whoever the provider.

Each has the same id for all, so that a row of the report reads across.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from llm_contracts import Function

Messages = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """One situation. From `live` on, the fields are those of `Scenario`, but for the last two.

    Attributes:
        only: the providers that it can happen with; empty is all of them.
        elsewhere: why it cannot happen with the others.
    """

    id: str
    messages: Messages = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    function: Function = Function.INVOKE
    model: Literal["chat", "thinking", "unknown", "none"] = "chat"
    live: bool = True
    key: str = "valid"
    expects: Literal["answer", "failure"] = "answer"
    finish: str | None = None
    only: tuple[str, ...] = ()
    elsewhere: str = ""


def _user(text: str) -> Mapping[str, Any]:
    return {"role": "user", "content": text}


def _system(text: str) -> Mapping[str, Any]:
    return {"role": "system", "content": text}


GREETING = (_user("用两句话描写春天的茶园，带上表情符号 👩‍🚀，再写出 café 和 Zürich。"),)
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

_PARTS = (
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "用一句话描写茶园。"},
            {"type": "text", "text": "带上表情符号。"},
        ],
    },
)
_TOOLS = (
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "查询一个城市的天气",
            "parameters": {"type": "object", "properties": {"城市": {"type": "string"}}},
        },
    },
)

_LISTING = Situation(id="list-models", function=Function.LIST_MODELS, model="none")

_FIRST: tuple[Situation, ...] = (
    Situation(id="plain-stream", messages=GREETING),
    Situation(id="multi-turn-chat", messages=_HISTORY, function=Function.CHAT, params={"temperature": 0.5}),
    Situation(id="system-prompt", messages=_LESSON),
    Situation(id="json-mode", messages=_WEATHER, params={"response_format": {"type": "json_object"}}),
    Situation(id="long-stream", messages=_ESSAY),
    # A chat, because `invoke` adds a temperature, which OpenAI's thinking models refuse.
    Situation(id="reasoning", messages=_APPLES, function=Function.CHAT, model="thinking"),
    Situation(id="finish-length", messages=GREETING, params={"max_tokens": 16}, finish="length"),
    Situation(id="content-filter", messages=_FORBIDDEN, live=False, finish="content_filter"),
    Situation(id="prompt-filter", messages=_FORBIDDEN, live=False, expects="failure"),
    # A chat, because `invoke` always asks for the totals.
    Situation(id="no-usage", messages=_HISTORY, function=Function.CHAT),
    Situation(id="wrong-key", messages=GREETING, key="wrong", expects="failure"),
    Situation(id="unknown-model", messages=GREETING, model="unknown", expects="failure"),
    Situation(id="bad-parameter", messages=GREETING, params={"top_p": 7}, expects="failure"),
    Situation(id="rate-limit", messages=GREETING, live=False, expects="failure"),
    Situation(id="rate-limit-retry-after", messages=GREETING, live=False),
    Situation(id="server-error", messages=GREETING, live=False, expects="failure"),
    Situation(id="mid-stream-error", messages=GREETING, live=False, expects="failure"),
    Situation(id="no-done", messages=GREETING, live=False),
    _LISTING,
    replace(_LISTING, id="list-models-wrong-key", key="wrong", expects="failure"),
    replace(_LISTING, id="list-models-server-error", live=False, expects="failure"),
)

_ODD = Situation(id="", messages=GREETING, live=False)
_REFUSED = replace(_ODD, expects="failure")
_PLACED = "it puts the totals there anyway, or has never been seen to"


def _finish(situation: str, reason: str, *only: str) -> Situation:
    return replace(_ODD, id=situation, finish=reason, only=only, elsewhere="it has no such finish reason")


_ODDITIES: tuple[Situation, ...] = (
    replace(_ODD, id="empty-answer"),
    replace(_ODD, id="equal-chunks", messages=_ESSAY),
    replace(_ODD, id="think-tags", messages=_APPLES),
    replace(_ODD, id="tool-calls", params={"tools": list(_TOOLS)}, finish="tool_calls"),
    # A chat, because `invoke` takes a text and no parts.
    replace(_ODD, id="content-parts", messages=_PARTS, function=Function.CHAT),
    # Mistral's models answer so; Silicon stands here for whoever passes on the models of others.
    replace(_ODD, id="content-list", only=("silicon",), elsewhere="its models send text as a string"),
    replace(_ODD, id="unknown-event"),
    replace(_ODD, id="broken-event"),
    replace(_ODD, id="keep-alive", only=("deepseek",), elsewhere="it is not known to send comments"),
    _finish("finish-normal", "normal", "ernie"),
    _finish("finish-no-resources", "insufficient_system_resource", "deepseek"),
    _finish("finish-network-error", "network_error", "glm"),
    _finish("finish-function-call", "function_call", "openai", "ark"),
    _finish("finish-recitation", "RECITATION", "gemini"),
    _finish("finish-malformed-call", "MALFORMED_FUNCTION_CALL", "gemini"),
    replace(_ODD, id="finish-empty-until-the-end", only=("silicon",), elsewhere="it says null, or nothing"),
    replace(_ODD, id="usage-own-chunk", only=("deepseek",), elsewhere=_PLACED),
    replace(_ODD, id="usage-every-chunk", only=("ark", "ernie"), elsewhere=_PLACED),
    # Moonshot's own API does it, and Silicon passes Moonshot's models on.
    replace(_ODD, id="usage-inside-choice", only=("silicon",), elsewhere=_PLACED),
    replace(_REFUSED, id="overloaded", only=("glm", "ark"), elsewhere="its overload is status-503"),
    *(
        replace(_REFUSED, id=name)
        for name in (
            "too-long",
            "unpaid",
            "status-403",
            "status-404",
            "status-408",
            "status-409",
            "status-422",
            "status-502-page",
            "status-503",
            "status-529",
            "error-with-200",
        )
    ),
)

SITUATIONS = _FIRST + _ODDITIES
