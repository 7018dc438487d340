"""What is asked for: the application's wish, and what goes out for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

INVOKE_TEMPERATURE = 0.8
"""What `invoke_llm` sends when the caller gives no temperature; `chat_llm` then sends none at all."""

MAX_RETRIES = 2
"""Attempts after the first, where the caller names no other number; the SDK's default, said aloud."""

# These steer the HTTP request and are not part of its body.
TRANSPORT_PARAMS = frozenset({"deadline", "extra_headers", "extra_query", "max_retries", "timeout"})

OWN_ARGUMENTS = frozenset(
    {"usage_context", "usage_scene", "billable", "request_id", "trace_id", "usage_metadata"}
)
"""What applications hand over with a call for their own use: for the usage hook, never for a provider."""

THINKING_SWITCHES = ("thinking", "enable_thinking", "thinking_config", "thinkingConfig")
"""Vendors' names for switching thinking on or off; `reasoning_effort` is OpenAI's own."""

# OpenAI's parameters of a chat completion (platform.openai.com/docs/api-reference/chat/create), and those of
# ERNIE's first API, which has no other way to name them.
_PARAMS = TRANSPORT_PARAMS | {
    *THINKING_SWITCHES,
    "audio",
    "extra_body",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_output_tokens",
    "max_tokens",
    "metadata",
    "modalities",
    "n",
    "parallel_tool_calls",
    "penalty_score",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatRequest:
    """What the application asked for.

    Attributes:
        model: the model by the application's name for it.
        messages: the conversation; a copy, so that no client can change the caller's own.
        params: request parameters by their OpenAI names, including the SDK's own `extra_body`,
            `extra_headers`, `extra_query` and `timeout`; a copy as well.
        invoked: it comes from `invoke_llm`: the legacy client asked for usage totals then, and only then, and
            the caller's span gets the output.
        generation_name: the name of the telemetry generation.
        user_id: whose call it is.
        defaulted: the parameters that nobody gave: `invoke_llm` has a temperature of its own.
        own: the application's own arguments, which no provider sees.
    """

    model: str
    messages: tuple[Mapping[str, Any], ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    invoked: bool = False
    generation_name: str = "llm"
    user_id: str = ""
    defaulted: frozenset[str] = frozenset()
    own: Mapping[str, Any] = field(default_factory=dict)

    @property
    def choices(self) -> int:
        """How many answers are asked for; one of them is given."""
        asked = (self.params.get("extra_body") or {}).get("n", self.params.get("n"))
        return asked if isinstance(asked, int) else 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """One request, ready for a backend: whom to send what.

    Attributes:
        provider: the provider's key in the table.
        base_url: where its API begins.
        api_key: the key to send there; never empty.
        api_secret: what goes with it, at providers whose keys have two halves.
        model: the model by the provider's name for it.
        messages: the conversation.
        params: everything else, as in `ChatRequest.params`.
        user: whose call it is, for the providers that insist on being told.
        headers: sent with every request to this provider.
    """

    provider: str
    base_url: str
    api_key: str = field(repr=False)
    model: str
    messages: tuple[Mapping[str, Any], ...] = field(repr=False)
    params: Mapping[str, Any] = field(default_factory=dict, repr=False)
    api_secret: str = field(default="", repr=False)
    user: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def max_retries(self) -> int:
        """How many attempts there may be after the first."""
        asked = self.params.get("max_retries")
        return MAX_RETRIES if asked is None else max(int(asked), 0)

    @property
    def body(self) -> dict[str, Any]:
        """The request's parameters as the provider is to read them, without model, messages and stream."""
        named = {
            name: value
            for name, value in self.params.items()
            if name not in TRANSPORT_PARAMS and name != "extra_body"
        }
        return {**named, **(self.params.get("extra_body") or {})}


def invocation(
    *,
    model: str,
    message: str,
    system: str | None,
    json: bool,
    generation_name: str,
    params: Mapping[str, Any],
    user_id: str = "",
) -> ChatRequest:
    """The request behind `invoke_llm`: one user message, optional system text, JSON mode on demand."""
    messages = [{"role": "system", "content": system}] if system else []
    given = {name: value for name, value in _wish(params).items() if (name, value) != ("temperature", None)}
    wish = {"temperature": INVOKE_TEMPERATURE, **given}
    if json:
        wish["response_format"] = {"type": "json_object"}
    return ChatRequest(
        model=model,
        messages=tuple(_message(each) for each in (*messages, {"role": "user", "content": message})),
        params=wish,
        invoked=True,
        generation_name=generation_name,
        user_id=user_id,
        defaulted=frozenset({"temperature"} - given.keys()),
    )


def conversation(
    *,
    model: str,
    messages: Iterable[Any],
    generation_name: str,
    params: Mapping[str, Any],
    user_id: str = "",
) -> ChatRequest:
    """The request behind `chat_llm`: a whole history and nothing of our own."""
    return ChatRequest(
        model=model,
        messages=tuple(_message(message) for message in messages),
        params=_wish(params),
        generation_name=generation_name,
        user_id=user_id,
    )


def _wish(params: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the caller's parameters, without `stream` and what the SDK's own markers say is missing.

    Raises:
        ValueError: there is one that no provider is known to take, or whose value none could be sent.
    """
    wish = {
        name: deepcopy(value)
        for name, value in params.items()
        # The calls stream whatever `stream` says: callers pass False and still iterate.
        if name != "stream" and type(value).__name__ not in {"NotGiven", "Omit"}
    }
    unknown = ", ".join(sorted(wish.keys() - _PARAMS))
    if unknown:
        raise ValueError(f"no request parameter is called {unknown}; a provider's own go into extra_body")
    for name, read in _READ.items():
        if wish.get(name) is not None:
            wish[name] = read(name, wish[name])
    for name in wish.keys() - TRANSPORT_PARAMS:
        _check_json(name, wish[name])
    return wish


def _number(name: str, value: Any) -> float:
    """A number, which configuration and forms give as text."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not isfinite(number):
        raise ValueError(f"{name} must be a number, not {value!r}")
    return number


def _limit(name: str, value: Any) -> Any:
    """Seconds; or the SDK's own timeouts, which name several."""
    is_number = isinstance(value, (int, float, str)) and not isinstance(value, bool)
    several = name == "timeout" and (hasattr(value, "connect") or isinstance(value, tuple))
    if not (is_number or several):
        raise ValueError(f"{name} must be a number of seconds, not {value!r}")
    return _number(name, value) if is_number else value


def _count(name: str, value: Any) -> int:
    return int(_number(name, value))


def _mapping(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        # Its type alone is named: what else is given for headers is a line of them, with a key.
        raise ValueError(f"{name} must be a mapping, not {type(value).__name__}")  # noqa: TRY004
    return dict(value)


def _headers(name: str, value: Any) -> dict[str, str]:
    headers = _mapping(name, value)
    for header in headers:
        parts = (header, headers[header])
        if not all(isinstance(part, str) and part.isascii() and part.isprintable() for part in parts):
            raise ValueError(f"{name} holds {header!r}, which cannot be sent as a header")
    return headers


_READ: Mapping[str, Callable[[str, Any], Any]] = {
    "temperature": _number,
    "timeout": _limit,
    "deadline": _limit,
    "max_retries": _count,
    "extra_body": _mapping,
    "extra_query": _mapping,
    "extra_headers": _headers,
}
"""Parameters whose values are read here, so that what makes no sense is refused by name."""


def _check_json(name: str, value: Any) -> None:
    """Refuse what holds itself, and numbers that JSON has none for. Objects are the client's to judge.

    Raises:
        ValueError: it cannot be written as JSON.
    """
    try:
        writable = _is_writable(value)
    except RecursionError:
        writable = False
    if not writable:
        raise ValueError(f"not JSON: {name}")


def _is_writable(value: Any) -> bool:
    if type(value) in {str, int, bool}:  # most are, and the general questions take longer
        return True
    if isinstance(value, float):
        return isfinite(value)
    if isinstance(value, Mapping):
        return all(map(_is_writable, value.values()))
    return not isinstance(value, (list, tuple)) or all(map(_is_writable, value))


def _message(message: Any) -> Mapping[str, Any]:
    """A copy of one message; the SDK's own message objects become the mappings they stand for."""
    if isinstance(message, Mapping):
        copied = deepcopy(dict(message))
    elif hasattr(message, "model_dump"):
        copied = dict(message.model_dump(exclude_unset=True))
    else:
        raise TypeError(f"a message is a mapping with a role and a content, not {type(message).__name__}")
    for name, value in copied.items():
        _check_json(f"{name} of a message", value)
    return copied
