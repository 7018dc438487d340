"""The bare clients, as somebody who has read their front pages would call them: no settings, no policies.

They show what a migration gets from the libraries alone. What is set here keeps a run from reaching for the
network, and changes nothing that an observation holds.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from types import MappingProxyType
from typing import Any

from llm_contracts.clients.call import Call, Client, Function, cached_client


class NotOfferedError(Exception):
    """The client has no such call."""

    category = "not_offered"


def openai(call: Call) -> Iterator[Any]:
    """The openai SDK with its defaults: two retries, 600 seconds."""
    from openai import OpenAI

    with cached_client(
        call, "openai", lambda: OpenAI(base_url=call.base_url, api_key=call.api_key)
    ) as client:
        if call.function is Function.LIST_MODELS:
            yield from (model.id for model in client.models.list())
            return
        with client.chat.completions.create(**_arguments(call)) as stream:
            yield from stream


async def openai_async(call: Call) -> AsyncIterator[Any]:
    """The same SDK's `AsyncOpenAI`."""
    from openai import AsyncOpenAI

    async with AsyncOpenAI(base_url=call.base_url, api_key=call.api_key) as client:
        if call.function is Function.LIST_MODELS:
            async for model in client.models.list():
                yield model.id
            return
        async with await client.chat.completions.create(**_arguments(call)) as stream:
            async for chunk in stream:
                yield chunk


def litellm(call: Call) -> Iterator[Any]:
    """`litellm.completion` over its OpenAI route, with its defaults.

    Raises:
        NotOfferedError: for a model listing. LiteLLM's `get_valid_models` keeps only the host and port of
            a base URL and turns every failure into an empty list, so it cannot do this.
    """
    _refuse_listing(call)
    library = _litellm()
    with cached_client(call, "litellm", lambda: _clients_closed(library, call.base_url)):
        yield from streamed(library.completion(**_arguments(call), **_route(call)))


async def litellm_async(call: Call) -> AsyncIterator[Any]:
    """`litellm.acompletion` over its OpenAI route, with its defaults.

    Raises:
        NotOfferedError: for a model listing, as above.
    """
    _refuse_listing(call)
    library = _litellm()
    async with _async_clients_closed(library, call.base_url):
        stream = _present(await library.acompletion(**_arguments(call), **_route(call)), "acompletion")
        async for chunk in stream:
            yield chunk


BUILTIN: Mapping[str, Client] = MappingProxyType(
    {"openai": openai, "litellm": litellm, "openai-async": openai_async, "litellm-async": litellm_async}
)


def _arguments(call: Call) -> dict[str, Any]:
    messages = [dict(message) for message in call.messages]  # LiteLLM rewrites them in place
    return {**call.params, "model": call.model, "messages": messages, "stream": True}


def _route(call: Call) -> dict[str, Any]:
    return {"custom_llm_provider": "openai", "api_base": call.base_url, "api_key": call.api_key}


def _refuse_listing(call: Call) -> None:
    if call.function is Function.LIST_MODELS:
        raise NotOfferedError("LiteLLM cannot list the models of a provider at a base URL of its own")


@cache
def _litellm() -> Any:
    """LiteLLM, imported and set up once, so that a run fetches nothing.

    On import it downloads a price map, and loads a `.env` it finds above its own folder into the environment,
    proxies included; in a call it downloads a tokenizer where a model's name looks like Llama; for each error
    it prints an advertisement to standard output, which is the harness's. Each is switched off here; a value
    that somebody has set in the environment stays.
    """
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
    import litellm as library

    library.disable_hf_tokenizer_download = True
    library.suppress_debug_info = True
    return library


def streamed(stream: Any) -> Iterator[Any]:
    """The chunks of LiteLLM's wrapper, and its provider's stream closed at the end.

    The wrapper itself has no `close` in many releases.

    Raises:
        TypeError: there is no stream; LiteLLM returns None when its second attempt, with rewritten messages,
            has failed too.
    """
    try:
        yield from _present(stream, "completion")
    finally:
        getattr(getattr(stream, "completion_stream", None), "close", bool)()


def _present(stream: Any, function: str) -> Any:
    if stream is None:
        raise TypeError(f"litellm.{function} returned None instead of a stream")
    return stream


@contextmanager
def _clients_closed(library: Any, base_url: str) -> Iterator[None]:
    """Close the clients that LiteLLM keeps for this base URL.

    It caches a client for each base URL and key and leaves it to garbage collection, where open sockets warn.
    Other base URLs are let alone: they belong to calls that run at the same time.
    """
    try:
        yield
    finally:
        for client in _taken(library, base_url):
            client.close()


@asynccontextmanager
async def _async_clients_closed(library: Any, base_url: str) -> AsyncIterator[None]:
    """The same for asynchronous clients, which must be closed in the loop that used them."""
    try:
        yield
    finally:
        for client in _taken(library, base_url):
            await client.close()


def _taken(library: Any, base_url: str) -> Iterator[Any]:
    """The clients for this base URL, each taken out of LiteLLM's cache."""
    cached = getattr(getattr(library, "in_memory_llm_clients_cache", None), "cache_dict", {})
    for key, client in list(cached.items()):
        if str(getattr(client, "base_url", "")).rstrip("/") == base_url.rstrip("/"):
            cached.pop(key, None)
            yield client
