"""The openai SDK as its front page calls it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

from llm_contracts.clients.call import Call, Function, cached_client
from llm_contracts.clients.libraries.making import (
    HandedOn,
    chat_arguments,
    handed_on,
    known_arguments,
    offered,
)


def openai(call: Call) -> Iterator[Any]:
    """The openai SDK with its defaults: two retries, 600 seconds.

    Raises:
        NotOfferedError: for a call of another API.
    """
    from openai import OpenAI

    with cached_client(
        call, "openai", lambda: OpenAI(base_url=call.base_url, api_key=call.api_key)
    ) as client:
        if call.function is Function.LIST_MODELS:
            yield from (model.id for model in client.models.list())
            return
        yield from handed_on(offered(_calls(client, call), call, "the openai SDK")())


async def openai_async(call: Call) -> AsyncIterator[Any]:
    """The same SDK's `AsyncOpenAI`."""
    from openai import AsyncOpenAI

    async with AsyncOpenAI(base_url=call.base_url, api_key=call.api_key) as client:
        if call.function is Function.LIST_MODELS:
            async for model in client.models.list():
                yield model.id
            return
        async with HandedOn(await offered(_calls(client, call), call, "the openai SDK")()) as items:
            async for item in items:
                yield item


def _calls(client: Any, call: Call) -> Mapping[Function, Callable[[], Any]]:
    def create(resource: Any, **asked: Any) -> Any:
        return resource.create(model=call.model, **asked, **known_arguments(resource.create, call.params))

    return {
        Function.INVOKE: lambda: client.chat.completions.create(**chat_arguments(call)),
        Function.CHAT: lambda: client.chat.completions.create(**chat_arguments(call)),
        Function.RESPONSES: lambda: create(client.responses, input=call.input),
        Function.EMBEDDINGS: lambda: create(client.embeddings, input=call.input),
        Function.COMPLETIONS: lambda: create(client.completions, prompt=call.input),
    }
