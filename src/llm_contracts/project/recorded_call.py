"""The call that a recorded exchange answers, read from its request."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from llm_contracts.clients.call import Call, Function
from llm_contracts.project.scenario import Scenario
from llm_contracts.util.json_values import as_mapping, read_json
from llm_contracts.wire.facts import WireFacts, read_facts
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.protocols import BUILT_IN, Protocols, protocol_at

REPLAY_KEY = "replay-key-not-a-secret"
"""What every client is given as API key when nothing real is called."""

_CHAT = "/chat/completions"
# What OpenAI's own API names. Clients refuse other names as arguments; whoever sent them used `extra_body`.
_ARGUMENTS = frozenset(
    [
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "metadata",
        "modalities",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
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
    ]
)
_QUESTION = ({"role": "user", "content": "Hello"},)


_APIS: Mapping[str, tuple[str, Function, str]] = {
    "openai-responses": ("/responses", Function.RESPONSES, "input"),
    "openai-completions": ("/completions", Function.COMPLETIONS, "prompt"),
    "embeddings": ("/embeddings", Function.EMBEDDINGS, "input"),
    "anthropic-messages": ("/v1/messages", Function.MESSAGES, "messages"),
}
"""Protocol → what follows the base URL that clients of the API are given, the call, and where it says what is
asked.
"""
_GEMINI = re.compile(r"(?:(?<=/v1)|(?<=/v1beta))/models/([^/:]+):(streamG|g)enerateContent$")


def stream_call(provider: str, interaction: Interaction, protocols: Protocols = BUILT_IN) -> Call:
    """The call that an answer belongs to: as recorded, or where that was not kept, a plain question to the
    model that the answer itself names.

    Usage totals of chats are asked for whether or not the recorded call did: applications that count tokens
    do so, and a client that was not told to expect totals may drop those that came.
    """
    address = urlsplit(interaction.request.uri)
    plain = urlunsplit((address.scheme, address.netloc, address.path, "", ""))
    # Most requests say all that is needed, and a long answer takes long to read.
    facts = cache(lambda: read_facts(interaction.response, protocols))
    if address.path.endswith(_CHAT):
        return _chat(provider, plain.removesuffix(_CHAT), interaction, facts)
    recorded = _body(interaction.request.body)
    make = partial(Call, api_key=REPLAY_KEY, provider=provider)
    model = recorded.get("model") or next(iter(facts().models), "unknown")
    found = _GEMINI.search(address.path)
    if found and not interaction.response.body.lstrip().startswith(b"["):  # its SDK asks for events
        params = {name: value for name, value in recorded.items() if name not in {"contents", "model"}}
        stream = {"stream": True} if found[2] == "streamG" else {}
        return make(
            base_url=plain[: -len(found[0])],
            model=found[1],
            input=recorded.get("contents", "Hello"),
            params={**params, **stream},
            function=Function.GENERATE_CONTENT,
        )
    at = protocol_at(plain, BUILT_IN)
    suffix, function, place = _APIS.get(at.name if at is not None else "", ("", Function.REQUEST, ""))
    if at is None or not suffix or not plain.endswith(suffix):
        origin = urlunsplit((address.scheme, address.netloc, "", "", ""))
        return make(base_url=origin, model=address.path, input=recorded, function=Function.REQUEST)
    asked = recorded.get(place, "Hello" if place != "messages" else _QUESTION)
    params = {name: value for name, value in recorded.items() if name not in {"model", place}}
    if "stream" not in params and facts().streamed:
        params["stream"] = True
    if function is Function.MESSAGES:
        return make(
            base_url=plain.removesuffix(suffix),
            model=model,
            messages=tuple(asked),
            params={"max_tokens": 1024, **params},
            function=function,
        )
    return make(
        base_url=plain.removesuffix(suffix), model=model, input=asked, params=params, function=function
    )


def row_of(call: Call, identity: str, **more: Any) -> Scenario:
    """The scenario that asks what a recording was asked. No provider is called for it.

    Args:
        call: what was asked.
        identity: the scenario's name within the provider.
        more: further fields.
    """
    return Scenario(
        id=identity,
        provider=call.provider,
        model=call.model,
        messages=call.messages,
        params=call.params,
        input=call.input,
        function=call.function,
        live=False,
        **more,
    )


def _chat(provider: str, base_url: str, interaction: Interaction, facts: Callable[[], WireFacts]) -> Call:
    recorded = _recorded(interaction.request.body)
    messages = tuple(recorded.pop("messages", None) or _QUESTION)
    asked = recorded.pop("stream", None)
    answered = asked is not True and not facts().streamed and facts().error is None
    whole = answered and bool(interaction.response.status)
    model = recorded.pop("model", None) or next(iter(facts().models), "unknown")
    params = _params(recorded)
    if whole:
        params = {**params, "stream": False}
        params.pop("stream_options")
    return Call(
        base_url=base_url,
        api_key=REPLAY_KEY,
        provider=provider,
        model=model,
        messages=messages,
        params=params,
        function=Function.INVOKE if _is_one_question(messages) else Function.CHAT,
    )


def _params(recorded: Mapping[str, Any]) -> dict[str, Any]:
    params = {name: value for name, value in recorded.items() if name in _ARGUMENTS}
    rest = {name: value for name, value in recorded.items() if name not in _ARGUMENTS}
    asked = {"stream_options": {"include_usage": True}}
    return {**params, **asked, **({"extra_body": rest} if rest else {})}


def _recorded(body: bytes) -> dict[str, Any]:
    found = _body(body)
    messages = found.get("messages", [])
    usable = isinstance(messages, list) and all(isinstance(message, dict) for message in messages)
    return found if usable else {}


def _body(body: bytes) -> dict[str, Any]:
    return dict(as_mapping(read_json(body)))


def _is_one_question(messages: tuple[Mapping[str, Any], ...]) -> bool:
    """Whether `invoke` can ask this: one user's text, after a system's at most."""
    roles = [message.get("role") for message in messages]
    texts = all(isinstance(message.get("content"), str) for message in messages)
    return texts and roles in (["user"], ["system", "user"])
