"""The bare clients, as somebody who has read their front pages would call them: no settings, no policies.

They show what a migration gets from the libraries alone. What is set here keeps a run from reaching for the
network, and changes nothing that an observation holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from llm_contracts.clients.call import Client
from llm_contracts.clients.libraries.anthropic import anthropic, anthropic_async
from llm_contracts.clients.libraries.google_genai import google_genai, google_genai_async
from llm_contracts.clients.libraries.httpx import httpx, httpx_async
from llm_contracts.clients.libraries.litellm import (
    litellm,
    litellm_async,
    litellm_router,
    litellm_router_async,
    streamed,
)
from llm_contracts.clients.libraries.litellm_proxy import LITELLM_PROXY
from llm_contracts.clients.libraries.making import NotOfferedError
from llm_contracts.clients.libraries.openai import openai, openai_async

__all__ = [
    "BUILTIN",
    "LIBRARIES",
    "NotOfferedError",
    "litellm",
    "litellm_async",
    "openai",
    "openai_async",
    "streamed",
]

BUILTIN: Mapping[str, Client] = MappingProxyType(
    {
        "openai": openai,
        "litellm": litellm,
        "anthropic": anthropic,
        "google-genai": google_genai,
        "httpx": httpx,
        "litellm-router": litellm_router,
        "litellm-proxy": LITELLM_PROXY,
        "openai-async": openai_async,
        "litellm-async": litellm_async,
        "anthropic-async": anthropic_async,
        "google-genai-async": google_genai_async,
        "httpx-async": httpx_async,
        "litellm-router-async": litellm_router_async,
    }
)

LIBRARIES: Mapping[str, str] = MappingProxyType(
    {"google-genai": "google.genai", "litellm-router": "litellm", "litellm-proxy": "litellm_proxy_extras"}
)
"""Client, without `-async` → the module that it needs, where that has another name."""
