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
from llm_contracts.wire.protocols import BUILT_IN, MODELS, Protocols, protocol_at
from llm_contracts.wire.protocols.protocol import words

REPLAY_KEY = "replay-key-not-a-secret"
"""What every client is given as API key when nothing real is called."""

_CHAT = "/chat/completions"
# What OpenAI's own API names. Clients refuse other names as arguments; whoever sent them used `extra_body`.
_ARGUMENTS = words(
    "audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens "
    "metadata modalities n parallel_tool_calls prediction presence_penalty prompt_cache_key reasoning_effort "
    "response_format safety_identifier seed service_tier stop store stream_options temperature tool_choice "
    "tools top_logprobs top_p user verbosity web_search_options"
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
_ENDPOINTS = ("/chat/completions", "/v1/messages", "/responses", "/completions", "/embeddings", "/models")
_GEMINI = re.compile(r"(?:(?<=/v1)|(?<=/v1beta))/models/([^/:]+):(streamG|g)enerateContent$")


def base_of(url: str) -> str:
    """The base URL that the caller of this one had been given; all but the query, if no endpoint is known."""
    plain = url.partition("?")[0]
    return next((plain.removesuffix(end) for end in _ENDPOINTS if plain.endswith(end)), plain)


def stream_call(
    provider: str, interaction: Interaction, protocols: Protocols = BUILT_IN, *, whole: bool = False
) -> Call:
    """The call that an answer belongs to: as recorded, or where that was not kept, a plain question to the
    model that the answer itself names.

    Usage totals of chats are asked for whether or not the recorded call did: applications that count tokens
    do so, and a client that was not told to expect totals may drop those that came.

    Args:
        provider: its name.
        interaction: the recorded exchange.
        protocols: how the answer is read.
        whole: whether all is known that was asked, as of a captured call: nothing is added then.
    """
    address = urlsplit(interaction.request.uri)
    plain = urlunsplit((address.scheme, address.netloc, address.path, "", ""))
    # Most requests say all that is needed, and a long answer takes long to read.
    facts = cache(lambda: read_facts(interaction.response, protocols))
    make = partial(Call, api_key=REPLAY_KEY, provider=provider)
    recorded = dict(as_mapping(read_json(interaction.request.body)))
    if address.path.endswith(_CHAT):
        return _chat(
            partial(make, base_url=plain.removesuffix(_CHAT)), recorded, interaction, facts, whole=whole
        )
    at = protocol_at(plain, BUILT_IN)
    if whole and at is MODELS and interaction.request.method.upper() == "GET":
        return make(base_url=plain.removesuffix("/models"), model="", function=Function.LIST_MODELS)
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
    suffix, function, place = _APIS.get(at.name if at is not None else "", ("", Function.REQUEST, ""))
    if at is None or not suffix or not plain.endswith(suffix):
        origin = urlunsplit((address.scheme, address.netloc, "", "", ""))
        return make(base_url=origin, model=address.path, input=recorded, function=Function.REQUEST)
    model = recorded.pop("model", None) or next(iter(facts().models), "unknown")
    asked: dict[str, Any]
    if function is Function.MESSAGES:
        asked = {"messages": tuple(recorded.pop(place, _QUESTION))}
        recorded = {"max_tokens": 1024, **recorded}
    else:
        asked = {"input": recorded.pop(place, "Hello")}
    if "stream" not in recorded and not whole and facts().streamed:
        recorded["stream"] = True
    base_url = plain.removesuffix(suffix)
    return make(base_url=base_url, model=model, params=recorded, function=function, **asked)


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


def _chat(
    make: Callable[..., Call],
    recorded: dict[str, Any],
    interaction: Interaction,
    facts: Callable[[], WireFacts],
    *,
    whole: bool,
) -> Call:
    streamed, totals = recorded.pop("stream", None) is True, recorded.get("stream_options")
    messages = recorded.get("messages", [])
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        recorded = {}
    messages = tuple(recorded.pop("messages", None) or _QUESTION)
    model = recorded.pop("model", None) or next(iter(facts().models), "unknown")
    params = {name: value for name, value in recorded.items() if name in _ARGUMENTS}
    rest = {name: value for name, value in recorded.items() if name not in _ARGUMENTS}
    if not whole:
        failed = not interaction.response.status
        streamed = streamed or failed or facts().streamed or facts().error is not None
        totals = {"include_usage": True} if streamed else None
    if totals is None:
        params.pop("stream_options", None)
    else:
        params["stream_options"] = totals
    if rest:
        params["extra_body"] = rest
    if not streamed:
        params["stream"] = False
    function = Function.INVOKE if _is_one_question(messages) else Function.CHAT
    return make(model=model, messages=messages, params=params, function=function)


def _is_one_question(messages: tuple[Mapping[str, Any], ...]) -> bool:
    """Whether `invoke` can ask this: one user's text, after a system's at most."""
    roles = [message.get("role") for message in messages]
    texts = all(isinstance(message.get("content"), str) for message in messages)
    return texts and roles in (["user"], ["system", "user"])
