"""Faults in what is sent, as a migration to LiteLLM has shipped them before."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from llm_adapter.backends import Backend, Opened
from llm_adapter.backends.litellm import library
from llm_adapter.errors import ModelNotSupportedError
from llm_adapter.requests import Outgoing
from llm_contracts import Call, Interaction, Request, Response
from llm_contracts.wire.interaction import End
from tests.contracts.clients import CLIENTS
from tests.contracts.defects.defect import Defect, Interactions, shows
from tests.contracts.defects.naive import as_openai, plain
from tests.contracts.defects.putting import asking, configured, opening, sending


def _with(outgoing: Outgoing, **params: Any) -> Outgoing:
    return replace(outgoing, params={**outgoing.params, **params})


def _without(outgoing: Outgoing, *names: str) -> Outgoing:
    kept = {name: value for name, value in outgoing.params.items() if name not in names}
    return replace(outgoing, params=kept)


def guessed_provider(backend: Backend, outgoing: Outgoing) -> Opened:
    """The provider is guessed from the model's name, and a name LiteLLM does not know is refused unsent."""
    return plain(backend, outgoing)


def another_default_temperature(outgoing: Outgoing) -> Outgoing:
    """The default temperature changed from 0.8 to 0.3."""
    return _with(outgoing, temperature=0.3)


def temperature_in_chats(outgoing: Outgoing) -> Outgoing:
    """Follow-up questions began to send a temperature, where the provider's own default had held."""
    return _with(outgoing, **{"temperature": 0.3, **outgoing.params})


def temperature_as_text(outgoing: Outgoing) -> Outgoing:
    """A temperature that a form gives as text is passed through as text."""
    return _with(outgoing, temperature=str(outgoing.params["temperature"]))


def effort_for_all(outgoing: Outgoing) -> Outgoing:
    """`reasoning_effort` is sent to every OpenAI model, also to those that refuse it."""
    return _with(outgoing, reasoning_effort="low")


def any_temperature_for_gpt_5(outgoing: Outgoing) -> Outgoing:
    """Models of the gpt-5 family get a temperature other than 1, which they answer with 400."""
    return _with(outgoing, temperature=0.8)


def effort_none_for_gpt_5(outgoing: Outgoing) -> Outgoing:
    """gpt-5 is sent `reasoning_effort: none`, which only later models of the family accept."""
    return _with(outgoing, reasoning_effort="none")


def effort_none_for_gemini(outgoing: Outgoing) -> Outgoing:
    """gemini-2.5-pro and gemini-3 are sent `reasoning_effort: none`, which they refuse."""
    return _with(outgoing, reasoning_effort="none")


def forgotten_limit(outgoing: Outgoing) -> Outgoing:
    """The output limit is not sent, so that some providers cut the answer at their small default."""
    return _without(outgoing, "max_tokens", "max_completion_tokens")


def limit_looked_up(backend: Backend, outgoing: Outgoing) -> Opened:
    """LiteLLM's table is asked for the output limit, and raises for a model that is not in it."""
    return backend(_with(outgoing, max_tokens=library().get_max_tokens(outgoing.model)))


def thinking_left_on(outgoing: Outgoing) -> Outgoing:
    """Thinking stays on where a model thinks by default: late first words, hidden reasoning billed."""
    return _without(outgoing, "extra_body")


def extra_body_overwritten(outgoing: Outgoing) -> Outgoing:
    """The provider's switch for thinking overwrites all of the `extra_body` that the caller gave."""
    return _with(outgoing, extra_body={"enable_thinking": False})


def json_mode_dropped(outgoing: Outgoing) -> Outgoing:
    """`response_format` is silently dropped on the way to Ark, and JSON mode lost."""
    return _without(outgoing, "response_format")


def never_again(backend: Backend, outgoing: Outgoing) -> Opened:
    """A connection that dies before the first token fails the call, where one more attempt is safe."""
    return as_openai(backend, outgoing)


def not_streaming(outgoing: Outgoing) -> Outgoing:
    """`stream=False` of the caller that wants the whole text reaches the client."""
    return _with(outgoing, stream=False)


def usage_not_asked_for(outgoing: Outgoing) -> Outgoing:
    """Follow-up questions do not ask for token totals, so that most providers send none."""
    return _without(outgoing, "stream_options")


def unlisted_is_unsupported(call: Call) -> Call:
    """A prefixed model that the listing did not return becomes unsupported."""
    if call.model not in {"qwen/qwen-plus", "qwen/qwen-turbo"}:
        raise ModelNotSupportedError("it was not listed", model=call.model)
    return call


def dying_first(interactions: Interactions) -> Interactions:
    """the connection is closed before the first event; asked again, the provider answers as recorded"""
    (whole,) = interactions
    return (replace(whole, response=replace(whole.response, body=b"", pieces=None, end=End.CUT)), whole)


def as_google(interactions: Interactions) -> Interactions:
    """an answer in Google's own format"""
    del interactions
    said = (
        b'data: {"candidates":[{"content":{"parts":[{"text":"Hello"}],"role":"model"},"finishReason":"STOP",'
        b'"index":0}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1,"totalTokenCount":4},'
        b'"modelVersion":"gemini-2.5-pro","responseId":"r1"}\r\n\r\n'
    )
    target = f"{_GOOGLE}/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse"
    response = Response(status=200, headers=(("Content-Type", "text/event-stream"),), body=said)
    return (Interaction(request=Request(method="POST", uri=target), response=response),)


_GOOGLE = "https://generativelanguage.googleapis.com"
_THINKING = {"LLM_THINKING": "off"}
_QUIET = configured("litellm", _THINKING)
_LIMIT = {"LLM_MODEL_MAX_OUTPUT_TOKENS": '{"qwen/qwen-plus": 8192}'}

REQUESTS: tuple[Defect, ...] = (
    shows(
        "R02",
        guessed_provider,
        opening,
        "openai/plain-stream",
        "error error",
        "attempts requests",
        asked={"model": "gpt-of-our-own"},
    ),
    shows(
        "R04", another_default_temperature, sending, "openai/plain-stream", "request_body body.temperature"
    ),
    shows("R04", temperature_in_chats, sending, "qwen/no-usage", "request_body body.temperature"),
    shows(
        "R04",
        temperature_as_text,
        sending,
        "qwen/multi-turn-chat",
        "request_body body.temperature",
        asked={"params": {"temperature": "0.5"}},
    ),
    shows("R05", effort_for_all, sending, "openai/plain-stream", "request_body body.reasoning_effort"),
    shows(
        "R06",
        any_temperature_for_gpt_5,
        sending,
        "openai/plain-stream",
        "request_body body.temperature",
        asked={"model": "gpt-5-mini"},
        against=CLIENTS["adapter-litellm"],
    ),
    shows("R06", effort_none_for_gpt_5, sending, "openai/reasoning", "request_body body.reasoning_effort"),
    shows(
        "R07",
        effort_none_for_gemini,
        sending,
        "openai/plain-stream",
        "request_body body.generationConfig.thinkingConfig*",
        asked={"provider": "gemini", "model": "gemini-2.5-pro"},
        played=as_google,
        against=CLIENTS["adapter-litellm"],
    ),
    shows(
        "R08",
        forgotten_limit,
        partial(sending, variables=_LIMIT),
        "qwen/plain-stream",
        "request_body body.max_tokens",
        against=configured("legacy", _LIMIT),
        sound=configured("litellm", _LIMIT),
    ),
    shows(
        "R09",
        limit_looked_up,
        opening,
        "ark/plain-stream",
        "error error",
        "attempts requests",
        asked={"model": "ark/ep-20260101000000-abcde"},
    ),
    shows(
        "R10",
        thinking_left_on,
        partial(sending, variables=_THINKING),
        "qwen/plain-stream",
        "request_body body.enable_thinking",
        against=_QUIET,
        sound=_QUIET,
    ),
    shows(
        "R10",
        thinking_left_on,
        partial(sending, variables=_THINKING),
        "ark/plain-stream",
        "request_body body.thinking",
        against=_QUIET,
        sound=_QUIET,
    ),
    shows(
        "R11",
        extra_body_overwritten,
        partial(sending, variables=_THINKING),
        "qwen/plain-stream",
        "request_body body.top_k",
        asked={"params": {"extra_body": {"top_k": 3}}},
        against=_QUIET,
        sound=_QUIET,
    ),
    shows("R12", json_mode_dropped, sending, "ark/json-mode", "request_body body.response_format"),
    shows(
        "R13",
        unlisted_is_unsupported,
        asking,
        "qwen/plain-stream",
        "error error",
        "attempts requests",
        "telemetry generations",
        asked={"model": "qwen/qwen-of-tomorrow"},
    ),
    shows(
        "R15",
        never_again,
        opening,
        "deepseek/plain-stream",
        "error error",
        "attempts requests",
        played=dying_first,
        against=CLIENTS["adapter-litellm"],
    ),
    shows(
        "R24",
        not_streaming,
        sending,
        "openai/plain-stream",
        "request_body body.stream",
        asked={"params": {"stream": False}},
    ),
)
