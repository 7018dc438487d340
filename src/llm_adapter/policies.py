"""What model families may be sent beyond, or instead of, what the caller asked for: one table.

The legacy path sends what it is given. On the LiteLLM path a few families need more, because providers
changed what they accept or do by default. A model outside the table gets nothing extra.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from llm_adapter.requests import ChatRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """Models of one provider that are treated alike.

    Attributes:
        provider: the provider's key.
        pattern: what the start of the provider's name for the model looks like, in any case of letters.
        temperature: the only temperature accepted, or None where any will do.
        extra_body: what the body gets; a key that the caller's own `extra_body` has stays the caller's.
        limit_param: the name under which an output limit is accepted.
        effort: the `reasoning_effort` where the caller gives none, or None to send none.
        refused_efforts: efforts that are refused; `effort` goes in their place.
        takes_defaults: it is sent what the calls add for everybody: a temperature, the wish for totals.
    """

    provider: str
    pattern: str
    temperature: float | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    limit_param: str = "max_tokens"
    effort: str | None = None
    refused_efforts: tuple[str, ...] = ()
    takes_defaults: bool = True

    def covers(self, provider: str, model: str) -> bool:
        """Whether a model belongs to the family."""
        return provider == self.provider and re.match(self.pattern, model, re.IGNORECASE) is not None


_THINKING_OFF: Mapping[str, Any] = {"thinking": {"type": "disabled"}}
_ENABLE_THINKING_OFF: Mapping[str, Any] = {"enable_thinking": False}

# Thinking is switched off where a family thinks unless told otherwise: the first words come late, and hidden
# reasoning is billed. Variants that only think, or never do, refuse the switch and are left alone.
FAMILIES: tuple[Family, ...] = (
    # Reasoning models of OpenAI answer 400 to any other temperature, and to `max_tokens`.
    Family(
        provider="openai",
        pattern=r"gpt-5(?!.*chat)",
        temperature=1.0,
        limit_param="max_completion_tokens",
    ),
    Family(provider="deepseek", pattern=r"deepseek-v4", extra_body=_THINKING_OFF),
    # GLM thinks from 4.5 on; 5.3 refuses to be told not to.
    Family(provider="glm", pattern=r"glm-(4\.[5-9]|[5-9](?!\.3))", extra_body=_THINKING_OFF),
    Family(provider="ark", pattern=r"doubao-seed(?!.*thinking)", extra_body=_THINKING_OFF),
    Family(
        provider="qwen",
        pattern=r"qwen3(?!.*(instruct|thinking|coder|max))",
        extra_body=_ENABLE_THINKING_OFF,
    ),
    Family(
        provider="silicon",
        pattern=r"(Pro/)?(Qwen/Qwen3(?!.*(Instruct|Thinking|Coder))|zai-org/GLM-4\.[5-9])",
        extra_body=_ENABLE_THINKING_OFF,
    ),
    # Of Gemini, 2.5 Pro and all of 3 cannot be told not to think: they get the least there is.
    Family(
        provider="gemini",
        pattern=r"gemini-(2\.5-pro|[3-9]|\d{2})",
        effort="minimal",
        refused_efforts=("none", "disable"),
    ),
    Family(provider="gemini", pattern=r"gemini-2\.5-flash(?!.*(lite|image|tts|audio|live))", effort="none"),
    # Neither speaks OpenAI's protocol, and what the old client did not add for them is still not added.
    Family(provider="ernie_v1", pattern="", limit_param="max_output_tokens", takes_defaults=False),
    Family(provider="dify", pattern="", takes_defaults=False),
)

_PLAIN = Family(provider="", pattern="")

_TOTALS: Mapping[str, Any] = {"stream_options": {"include_usage": True}}


def family_of(provider: str, model: str) -> Family:
    """The family of a model by the provider's name for it; one that changes nothing if there is none."""
    return next((family for family in FAMILIES if family.covers(provider, model)), _PLAIN)


def shaped(request: ChatRequest, family: Family) -> ChatRequest:
    """The request as the LiteLLM path sends it: totals asked for, and what the family needs.

    The legacy `chat_llm` never asked for usage totals, and so lost them with every provider that wants to be
    asked; the new client asks.
    """
    params = {**_TOTALS, **request.params} if family.takes_defaults else _given(request)
    if family.temperature is not None and "temperature" in params:
        params["temperature"] = family.temperature
    if family.extra_body:
        params["extra_body"] = {**family.extra_body, **(params.get("extra_body") or {})}
    if family.effort is not None and "thinking" not in params:
        effort = params.get("reasoning_effort") or family.effort
        params["reasoning_effort"] = family.effort if effort in family.refused_efforts else effort
    return replace(request, params=params)


def plain(request: ChatRequest, family: Family = _PLAIN) -> ChatRequest:
    """The request as the legacy path sends it: only `invoke_llm` asks for usage totals."""
    if not family.takes_defaults:
        return replace(request, params=_given(request))
    if not request.invoked:
        return request
    return replace(request, params={**_TOTALS, **request.params})


def _given(request: ChatRequest) -> dict[str, Any]:
    """The parameters that the caller gave."""
    return {name: value for name, value in request.params.items() if name not in request.defaulted}


def limited(request: ChatRequest, limit: int | None, family: Family) -> ChatRequest:
    """The request with a configured output limit, unless the caller set one."""
    if limit is None or {"max_tokens", "max_completion_tokens", family.limit_param} & request.params.keys():
        return request
    return replace(request, params={**request.params, family.limit_param: limit})
