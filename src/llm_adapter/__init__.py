"""Answers from language models of many providers, by the calls that applications already make, over LiteLLM.

Importing this package imports no client library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm_adapter.adapter import Adapter, adapter_from
    from llm_adapter.errors import (
        Category,
        ErrorCode,
        LLMError,
        LLMNotConfiguredError,
        ModelNotSupportedError,
        RequestFailedError,
        SettingsError,
    )
    from llm_adapter.functions import chat_llm, get_current_models, invoke_llm, warm_up
    from llm_adapter.providers import PROVIDERS, Provider
    from llm_adapter.responses import LLMStreamaUsage, LLMStreamResponse, LLMStreamUsage
    from llm_adapter.settings import Settings

__all__ = [
    "PROVIDERS",
    "Adapter",
    "Category",
    "ErrorCode",
    "LLMError",
    "LLMNotConfiguredError",
    "LLMStreamResponse",
    "LLMStreamUsage",
    "LLMStreamaUsage",
    "ModelNotSupportedError",
    "Provider",
    "RequestFailedError",
    "Settings",
    "SettingsError",
    "adapter_from",
    "chat_llm",
    "get_current_models",
    "invoke_llm",
    "warm_up",
]

_HOMES = {
    "PROVIDERS": "providers",
    "Adapter": "adapter",
    "LLMStreamResponse": "responses",
    "LLMStreamUsage": "responses",
    "LLMStreamaUsage": "responses",
    "Provider": "providers",
    "Settings": "settings",
    "adapter_from": "adapter",
    "chat_llm": "functions",
    "get_current_models": "functions",
    "invoke_llm": "functions",
    "warm_up": "functions",
}


def __getattr__(name: str) -> Any:
    """Load a name's module when the name is first used."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)
