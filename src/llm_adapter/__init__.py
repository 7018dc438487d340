"""Answers from language models of many providers, by the calls that applications already make, over LiteLLM.

Importing this package imports no client library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm_adapter.adapter import Adapter, adapter_from
    from llm_adapter.chunks import Chunk
    from llm_adapter.clients import Clients
    from llm_adapter.errors import (
        MESSAGES,
        Category,
        ErrorCode,
        LLMError,
        LLMNotConfiguredError,
        ModelNotSupportedError,
        RequestFailedError,
        SettingsError,
    )
    from llm_adapter.functions import (
        achat_llm,
        aget_current_models,
        aget_model_options,
        ainvoke_llm,
        chat_llm,
        get_allowed_models,
        get_current_models,
        get_model_options,
        invoke_llm,
        preload,
        warm_up,
    )
    from llm_adapter.providers import PROVIDERS, Provider
    from llm_adapter.records import CallRecord, Outcome, ToolCall, Usage, UsageHook
    from llm_adapter.requests import ChatRequest
    from llm_adapter.responses import (
        AsyncLLMStream,
        LLMStream,
        LLMStreamaUsage,
        LLMStreamResponse,
        LLMStreamUsage,
    )
    from llm_adapter.settings import Settings
    from llm_adapter.telemetry import Recorder, Tracer, langfuse_tracer

__all__ = [
    "MESSAGES",
    "PROVIDERS",
    "Adapter",
    "AsyncLLMStream",
    "CallRecord",
    "Category",
    "ChatRequest",
    "Chunk",
    "Clients",
    "ErrorCode",
    "LLMError",
    "LLMNotConfiguredError",
    "LLMStream",
    "LLMStreamResponse",
    "LLMStreamUsage",
    "LLMStreamaUsage",
    "ModelNotSupportedError",
    "Outcome",
    "Provider",
    "Recorder",
    "RequestFailedError",
    "Settings",
    "SettingsError",
    "ToolCall",
    "Tracer",
    "Usage",
    "UsageHook",
    "achat_llm",
    "adapter_from",
    "aget_current_models",
    "aget_model_options",
    "ainvoke_llm",
    "chat_llm",
    "get_allowed_models",
    "get_current_models",
    "get_model_options",
    "invoke_llm",
    "langfuse_tracer",
    "preload",
    "warm_up",
]

_HOMES = {
    "Adapter": "adapter",
    "Clients": "clients",
    "adapter_from": "adapter",
    "Chunk": "chunks",
    "achat_llm": "functions",
    "aget_current_models": "functions",
    "aget_model_options": "functions",
    "ainvoke_llm": "functions",
    "chat_llm": "functions",
    "get_allowed_models": "functions",
    "get_current_models": "functions",
    "get_model_options": "functions",
    "invoke_llm": "functions",
    "preload": "functions",
    "warm_up": "functions",
    "PROVIDERS": "providers",
    "Provider": "providers",
    "CallRecord": "records",
    "Outcome": "records",
    "ToolCall": "records",
    "Usage": "records",
    "UsageHook": "records",
    "ChatRequest": "requests",
    "AsyncLLMStream": "responses",
    "LLMStream": "responses",
    "LLMStreamResponse": "responses",
    "LLMStreamUsage": "responses",
    "LLMStreamaUsage": "responses",
    "Settings": "settings",
    "Recorder": "telemetry",
    "Tracer": "telemetry",
    "langfuse_tracer": "telemetry",
}


def __getattr__(name: str) -> Any:
    """Load a name's module when the name is first used."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)
