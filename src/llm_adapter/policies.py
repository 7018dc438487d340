"""What models may be sent beyond, or instead of, what the caller asked for: one table.

The legacy path sends what it is given. On the LiteLLM path thinking is switched off wherever a provider has a
switch for it, whatever the caller says, as applications came to do: the first words come late otherwise, and
hidden reasoning is billed. Models whose provider is known to refuse its own switch are not sent it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from llm_adapter.requests import THINKING_SWITCHES, ChatRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """Models of one provider that are treated alike.

    Attributes:
        provider: the provider's key.
        pattern: what the start of the provider's name for the model looks like, in any case of letters.
        switch: what in the body switches thinking off.
        effort: the least `reasoning_effort` that is accepted, for those that know no switch.
        temperature: the only temperature accepted, or None where any will do.
        quiet_temperature: any temperature is accepted when there is no thinking.
        limit_param: the name under which an output limit is accepted.
        takes_defaults: it is sent what the calls add for everybody: a temperature, the wish for totals.
    """

    provider: str
    pattern: str = ""
    switch: Mapping[str, Any] = field(default_factory=dict)
    effort: str | None = None
    temperature: float | None = None
    quiet_temperature: bool = False
    limit_param: str = "max_tokens"
    takes_defaults: bool = True

    def covers(self, provider: str, model: str) -> bool:
        """Whether a model belongs to the family."""
        return provider == self.provider and re.match(self.pattern, model, re.IGNORECASE) is not None


_DISABLED: Mapping[str, Any] = {"thinking": {"type": "disabled"}}
_NOT_ENABLED: Mapping[str, Any] = {"enable_thinking": False}


def _gpt_5(pattern: str, effort: str | None, *, quiet_temperature: bool = False) -> Family:
    """A family of OpenAI's reasoning models: these answer 400 to `max_tokens`, and to any temperature but 1
    unless they may do without thinking. The chat and search variants are not such models.
    """
    return Family(
        provider="openai",
        pattern=rf"gpt-5(?!.*(chat|search)){pattern}",
        effort=effort,
        temperature=1.0,
        quiet_temperature=quiet_temperature,
        limit_param="max_completion_tokens",
    )


FAMILIES: tuple[Family, ...] = (
    # From 5.1 on they can do without thinking; pro, codex and the like cannot, and take no effort that small.
    _gpt_5(r".*(pro|codex|cyber)", None),
    _gpt_5(r"\.\d+", "none", quiet_temperature=True),
    _gpt_5("", "minimal"),
    Family(provider="deepseek", switch=_DISABLED),
    # GLM thinks from 4.5 on; 5.3 refuses to be told not to.
    Family(provider="glm", pattern=r"glm-(4\.[5-9]|[5-9](?!\.3))", switch=_DISABLED),
    # What only thinks, refuses: DashScope says that the value of enable_thinking is restricted to True.
    Family(provider="qwen", pattern=r"(?!.*thinking)", switch=_NOT_ENABLED),
    Family(provider="ark", pattern=r"(?!.*thinking)", switch=_DISABLED),
    # SiliconFlow answers 400 ("current model does not support parameter `enable_thinking`") for models that
    # have not both modes: CherryHQ/cherry-studio#6642, immersive-translate/immersive-translate#3115, #3418.
    Family(
        provider="silicon",
        pattern=r"(?!.*(Instruct|Thinking|Coder|Qwen2|DeepSeek-R1))",
        switch=_NOT_ENABLED,
    ),
    # Of Gemini, 2.5 Pro and all of 3 cannot be told not to think: they get the least there is.
    Family(provider="gemini", pattern=r"gemini-(2\.5-pro|[3-9]|\d{2})", effort="minimal"),
    Family(provider="gemini", pattern=r"gemini-2\.5-flash(?!.*(lite|image|tts|audio|live))", effort="none"),
    # Neither speaks OpenAI's protocol, and what the old client did not add for them is still not added.
    Family(provider="ernie_v1", limit_param="max_output_tokens", takes_defaults=False),
    Family(provider="dify", takes_defaults=False),
)

_PLAIN = Family(provider="")

_TOTALS: Mapping[str, Any] = {"stream_options": {"include_usage": True}}

# Where thinking is configured in Google's own request.
_SETTINGS = ("generationConfig", "generation_config")


def family_of(provider: str, model: str) -> Family:
    """The family of a model by the provider's name for it; one that changes nothing if there is none."""
    return next((family for family in FAMILIES if family.covers(provider, model)), _PLAIN)


def shaped(request: ChatRequest, family: Family, *, thinking_off: bool = True) -> ChatRequest:
    """The request as the LiteLLM path sends it: totals asked for, and what the family needs.

    The legacy `chat_llm` never asked for usage totals, and so lost them with every provider that wants to be
    asked; the new client asks.

    Args:
        request: what is asked for.
        family: the model's family.
        thinking_off: the family's switch is sent, and none of the caller's; else the caller's alone.
    """
    params = {**_TOTALS, **request.params} if family.takes_defaults else _given(request)
    quiet = False
    if thinking_off and (family.switch or family.effort):
        params = _without_switches(params)
        if family.effort:
            params["reasoning_effort"] = family.effort
        if family.switch:
            params["extra_body"] = {**(params.get("extra_body") or {}), **family.switch}
        quiet = family.quiet_temperature
    if family.temperature is not None and "temperature" in params and not quiet:
        params["temperature"] = family.temperature
    return replace(request, params=params)


def plain(request: ChatRequest, family: Family = _PLAIN) -> ChatRequest:
    """The request as the legacy path sends it: only `invoke_llm` asks for usage totals."""
    if not family.takes_defaults:
        return replace(request, params=_given(request))
    params = {**_TOTALS, **request.params} if request.invoked else dict(request.params)
    switches = {name: params.pop(name) for name in THINKING_SWITCHES if name in params}
    if switches:  # the SDK takes them in no other way
        params["extra_body"] = {**switches, **(params.get("extra_body") or {})}
    return replace(request, params=params)


def _given(request: ChatRequest) -> dict[str, Any]:
    """The parameters that the caller gave."""
    return {name: value for name, value in request.params.items() if name not in request.defaulted}


def _without_switches(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters without what the caller says about thinking, wherever it stands."""
    switches = {"reasoning_effort", *THINKING_SWITCHES}
    left = {name: value for name, value in params.items() if name not in switches | {"extra_body"}}
    body = {name: value for name, value in (params.get("extra_body") or {}).items() if name not in switches}
    for name in _SETTINGS:
        if isinstance(body.get(name), Mapping):
            inner = {key: value for key, value in body[name].items() if key not in THINKING_SWITCHES}
            body = {**body, name: inner} if inner else {key: body[key] for key in body if key != name}
    return {**left, **({"extra_body": body} if body else {})}


def limited(request: ChatRequest, limit: int | None, family: Family) -> ChatRequest:
    """The request with an output limit: the caller's if it is the smaller one."""
    if limit is None:
        return request
    names = ("max_completion_tokens", "max_tokens", family.limit_param)
    asked = {name: request.params[name] for name in names if request.params.get(name) is not None}
    lowered = {
        name: min(value, limit) if isinstance(value, int) and value > 0 else limit
        for name, value in asked.items()
    }
    return replace(request, params={**request.params, **(lowered or {family.limit_param: limit})})
