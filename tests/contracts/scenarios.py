"""What we exercise: every situation with every provider, and what does not make sense for whom.

Models are plain chat models where thinking is not the point: neither client adds anything of its own to their
requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from llm_contracts import Scenario
from tests.contracts import handwritten
from tests.contracts.situations import SITUATIONS as COMMON
from tests.contracts.situations import Situation

SITUATIONS = COMMON + handwritten.SITUATIONS


@dataclass(frozen=True, kw_only=True, slots=True)
class Models:
    """One provider's models, by the names our product gives them, and how thinking is asked for."""

    chat: str
    thinking: str
    unknown: str
    think: Mapping[str, Any] = field(default_factory=dict)


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
    "gemini": Models(
        chat="gemini-2.5-flash-lite",
        thinking="gemini-2.5-flash",
        unknown="gemini-nonexistent",
        think={"reasoning_effort": "low"},
    ),
    "ernie_v1": Models(chat="ERNIE-4.0-8K", thinking="ERNIE-4.0-8K", unknown="ERNIE-nonexistent"),
    "dify": Models(chat="dify", thinking="dify", unknown="dify-nonexistent"),
}

_NO_LISTING = "our list of its models is static: nobody is asked"
_ALWAYS_USAGE = "it sends the totals whether or not they are asked for"

_FILTERS_PROMPTS = "its content filter always refuses the prompt: that is content-filter"

NOT_APPLICABLE: Mapping[tuple[str, str], str] = {
    ("deepseek", "prompt-filter"): _FILTERS_PROMPTS,
    ("silicon", "prompt-filter"): _FILTERS_PROMPTS,
    ("ernie", "list-models"): _NO_LISTING,
    ("ernie", "list-models-wrong-key"): _NO_LISTING,
    ("ernie", "list-models-server-error"): _NO_LISTING,
    ("ernie", "unpaid"): "nobody knows what it says to an account without money",
    ("glm", "no-usage"): _ALWAYS_USAGE,
    ("silicon", "no-usage"): _ALWAYS_USAGE,
    ("gemini", "no-usage"): _ALWAYS_USAGE,
    ("gemini", "no-done"): "it never says [DONE]: that is every one of its streams",
    **handwritten.NOT_APPLICABLE,
    **{
        (provider, situation.id): situation.elsewhere
        for provider, situation in product(MODELS, SITUATIONS)
        if situation.only and provider not in situation.only
    },
}

# Where a provider answers otherwise than most. Of Ernie and Ark, no content filter has been seen at work.
_OTHERWISE: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("deepseek", "content-filter"): {"expects": "failure", "finish": None},  # 400
    ("qwen", "content-filter"): {"expects": "failure", "finish": None},  # an error event in mid-stream
    ("silicon", "content-filter"): {"expects": "failure", "finish": None},  # 451
    ("glm", "content-filter"): {"finish": "sensitive"},
    ("gemini", "content-filter"): {"finish": "SAFETY"},
    ("gemini", "finish-length"): {"finish": "MAX_TOKENS"},
    ("gemini", "tool-calls"): {"finish": "STOP"},
    ("deepseek", "no-usage"): {"live": False},  # the real one always sends the totals
    **handwritten.OTHERWISE,
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
