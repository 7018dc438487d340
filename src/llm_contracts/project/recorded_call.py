"""The call that a recorded exchange answers, read from its request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llm_contracts.clients.call import Call, Function
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import Interaction, Response

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


def stream_call(provider: str, interaction: Interaction) -> Call:
    """The call that a stream answers: as recorded, or where that was not kept, a plain question to the model
    that the stream itself names.

    Usage totals are asked for whether or not the recorded call did: applications that count tokens do so, and
    a client that was not told to expect totals may drop those that came.
    """
    recorded = _recorded(interaction.request.body)
    messages = tuple(recorded.pop("messages", None) or _QUESTION)
    recorded.pop("stream", None)
    return Call(
        base_url=interaction.request.uri.removesuffix(_CHAT),
        api_key=REPLAY_KEY,
        provider=provider,
        model=recorded.pop("model", None) or _model(interaction.response),
        messages=messages,
        params=_params(recorded),
        function=Function.INVOKE if _is_one_question(messages) else Function.CHAT,
    )


def _model(response: Response) -> str:
    models = read_facts(response).models
    return models[0] if models else "unknown"


def _params(recorded: Mapping[str, Any]) -> dict[str, Any]:
    params = {name: value for name, value in recorded.items() if name in _ARGUMENTS}
    rest = {name: value for name, value in recorded.items() if name not in _ARGUMENTS}
    asked = {"stream_options": {"include_usage": True}}
    return {**params, **asked, **({"extra_body": rest} if rest else {})}


def _recorded(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (RecursionError, ValueError):
        return {}
    messages = found.get("messages", []) if isinstance(found, dict) else None
    usable = isinstance(messages, list) and all(isinstance(message, dict) for message in messages)
    return dict(found) if usable else {}


def _is_one_question(messages: tuple[Mapping[str, Any], ...]) -> bool:
    """Whether `invoke` can ask this: one user's text, after a system's at most."""
    roles = [message.get("role") for message in messages]
    texts = all(isinstance(message.get("content"), str) for message in messages)
    return texts and roles in (["user"], ["system", "user"])
