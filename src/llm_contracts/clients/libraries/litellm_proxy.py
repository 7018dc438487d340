"""LiteLLM's proxy, with the SDK of each API in front of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from llm_contracts.clients.call import Call, Function
from llm_contracts.clients.gateway import Gateway, RunningGateway
from llm_contracts.clients.libraries.anthropic import anthropic
from llm_contracts.clients.libraries.making import NotOfferedError
from llm_contracts.clients.libraries.openai import openai

_CONFIG = """\
model_list:
  - model_name: "claude-*"
    litellm_params: {model: "anthropic/claude-*", api_key: none}
  - model_name: "*"
    litellm_params: {model: "openai/*", api_key: none}
general_settings: {allow_client_side_credentials: true}
"""
"""Every model goes to its own API. Each request says in its body where that is, and with which key: LiteLLM
calls these client-side credentials.
"""
_NOWHERE = "http://127.0.0.1:9"


def _in_front(gateway: RunningGateway, call: Call) -> Iterator[Any]:
    if call.function is Function.LIST_MODELS:
        raise NotOfferedError("LiteLLM's proxy lists its own models, not the provider's")
    messages = call.function is Function.MESSAGES
    upstream = {"api_base": call.base_url, "api_key": call.api_key}
    asked = replace(
        call,
        base_url=gateway.origin if messages else f"{gateway.origin}/v1",
        api_key=gateway.key,
        params={**call.params, "extra_body": {**call.params.get("extra_body", {}), **upstream}},
    )
    return anthropic(asked) if messages else openai(asked)


LITELLM_PROXY = Gateway(
    command=(
        *(sys.executable, "-c", "from litellm.proxy.proxy_cli import run_server; run_server()"),
        *("--config", "config.yaml", "--host", "127.0.0.1", "--port", "{port}"),
    ),
    health="/health/liveliness",
    in_front=_in_front,
    files={"config.yaml": _CONFIG},
    environ={
        "LITELLM_MASTER_KEY": "{key}",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MODE": "PRODUCTION",
        "HTTP_PROXY": _NOWHERE,
        "HTTPS_PROXY": _NOWHERE,
        "NO_PROXY": "127.0.0.1",
    },
)
"""What it wants from outside fails at once: nothing but the recordings answers."""
