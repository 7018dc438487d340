"""LiteLLM as its front page calls it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from functools import cache
from typing import Any

from llm_contracts.clients.call import Call, Function, cached_client
from llm_contracts.clients.libraries.making import HandedOn, chat_arguments, handed_on, offered
from llm_contracts.util.environ import with_variables


def litellm(call: Call) -> Iterator[Any]:
    """LiteLLM's functions with their defaults: `completion`, `responses`, `embedding` and `text_completion`
    over its OpenAI route, `anthropic.messages` over Anthropic's.

    Raises:
        NotOfferedError: for any other call, such as a model listing. LiteLLM's `get_valid_models` keeps only
            the host and port of a base URL and turns every failure into an empty list, so it cannot do this.
    """
    library = _litellm()
    make = offered(_calls(library, call, ""), call, "LiteLLM")
    with cached_client(call, "litellm", lambda: _clients_closed(library, call.base_url)):
        yield from streamed(make())


def litellm_async(call: Call) -> AsyncIterator[Any]:
    """The same functions as coroutines: `acompletion` and so on.

    Raises:
        NotOfferedError: as above.
    """
    return _async_answer(call, _calls, "LiteLLM")


def litellm_router(call: Call) -> Iterator[Any]:
    """`litellm.Router` with one deployment, and otherwise as `litellm`: chat completions and embeddings."""
    library = _litellm()
    make = offered(_router_calls(library, call, ""), call, "litellm.Router")
    with _clients_closed(library, call.base_url):
        yield from streamed(make())


def litellm_router_async(call: Call) -> AsyncIterator[Any]:
    """The same Router's asynchronous methods."""
    return _async_answer(call, _router_calls, "litellm.Router")


async def _async_answer(
    call: Call, calls: Callable[[Any, Call, str], Mapping[Function, Callable[[], Any]]], name: str
) -> AsyncIterator[Any]:
    library = _litellm()
    make = offered(calls(library, call, "a"), call, name)
    async with (
        _async_clients_closed(library, call.base_url),
        HandedOn(_present(await make(), "acompletion")) as items,
    ):
        async for item in items:
            yield item


def _router_calls(library: Any, call: Call, prefix: str) -> Mapping[Function, Callable[[], Any]]:
    """As `_calls`, by a Router with one deployment."""
    route = {"model": f"openai/{call.model}", "api_base": call.base_url, "api_key": call.api_key}
    router = library.Router(model_list=[{"model_name": call.model, "litellm_params": route}])
    calls = _calls(router, call, prefix, routed=False)
    return {function: calls[function] for function in (Function.INVOKE, Function.CHAT, Function.EMBEDDINGS)}


def _calls(
    library: Any, call: Call, prefix: str, *, routed: bool = True
) -> Mapping[Function, Callable[[], Any]]:
    """Each function of an application → how LiteLLM's front page makes it; `prefix`: `a` for asynchronous;
    `routed`: whether each call says where it goes.
    """
    given = {"model": call.model, **call.params}
    about, after = {**given, "input": call.input}, {**given, "prompt": call.input}

    def asked(name: str, provider: str, /, **said: Any) -> Callable[[], Any]:
        route = _route(call, provider) if routed else {}
        return lambda: getattr(library, prefix + name)(**said, **route)

    chat = asked("completion", "openai", **chat_arguments(call))
    return {
        Function.INVOKE: chat,
        Function.CHAT: chat,
        Function.RESPONSES: asked("responses", "openai", **about),
        Function.EMBEDDINGS: asked("embedding", "openai", **about),
        Function.COMPLETIONS: asked("text_completion", "text-completion-openai", **after),
        Function.MESSAGES: lambda: getattr(library.anthropic.messages, f"{prefix}create")(
            messages=[dict(message) for message in call.messages], **given, **_route(call, "anthropic")
        ),
    }


def _route(call: Call, provider: str) -> dict[str, Any]:
    return {"custom_llm_provider": provider, "api_base": call.base_url, "api_key": call.api_key}


def offline_litellm() -> AbstractContextManager[None]:
    """Whoever imports LiteLLM within fetches nothing: a project's module, or a client when it is called.

    On import it downloads a price map, and loads a `.env` it finds above its own folder into the environment,
    proxies included. Both are switched off; a value that somebody has set in the environment stays.
    """
    ours = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}
    return with_variables(os.environ, {name: ours[name] for name in ours.keys() - os.environ.keys()})


@cache
def _litellm() -> Any:
    """LiteLLM, imported and set up once, so that a run fetches nothing.

    In a call it downloads a tokenizer where a model's name looks like Llama; for each error it prints an
    advertisement to standard output, which is the harness's. Both are switched off here.
    """
    with offline_litellm():
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
        yield from handed_on(_present(stream, "completion"))
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
        for client in _pop_clients(library, base_url):
            client.close()


@asynccontextmanager
async def _async_clients_closed(library: Any, base_url: str) -> AsyncIterator[None]:
    """The same for asynchronous clients, which must be closed in the loop that used them."""
    try:
        yield
    finally:
        for client in _pop_clients(library, base_url):
            await client.close()


def _pop_clients(library: Any, base_url: str) -> Iterator[Any]:
    """The clients for this base URL, each taken out of LiteLLM's cache."""
    cached = getattr(getattr(library, "in_memory_llm_clients_cache", None), "cache_dict", {})
    for key, client in cached.copy().items():
        if str(getattr(client, "base_url", "")).rstrip("/") == base_url.rstrip("/"):
            cached.pop(key, None)
            yield client
