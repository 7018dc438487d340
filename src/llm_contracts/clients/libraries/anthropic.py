"""Anthropic's SDK as its front page calls it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from llm_contracts.clients.call import Call, Function, cached_client
from llm_contracts.clients.libraries.making import HandedOn, handed_on, known_arguments, offered


def anthropic(call: Call) -> Iterator[Any]:
    """`Anthropic().messages.create` with its defaults: two retries, 600 seconds.

    Raises:
        NotOfferedError: for a call of another API.
    """
    from anthropic import Anthropic

    with cached_client(
        call, "anthropic", lambda: Anthropic(base_url=call.base_url, api_key=call.api_key)
    ) as client:
        if call.function is Function.LIST_MODELS:
            yield from (model.id for model in client.models.list())
            return
        make = offered({Function.MESSAGES: client.messages.create}, call, "Anthropic's SDK")
        yield from handed_on(make(**_arguments(make, call)))


async def anthropic_async(call: Call) -> AsyncIterator[Any]:
    """The same SDK's `AsyncAnthropic`."""
    from anthropic import AsyncAnthropic

    async with AsyncAnthropic(base_url=call.base_url, api_key=call.api_key) as client:
        if call.function is Function.LIST_MODELS:
            async for model in client.models.list():
                yield model.id
            return
        make = offered({Function.MESSAGES: client.messages.create}, call, "Anthropic's SDK")
        async with HandedOn(await make(**_arguments(make, call))) as items:
            async for item in items:
                yield item


def _arguments(create: Any, call: Call) -> dict[str, Any]:
    messages = [dict(message) for message in call.messages]
    return {"model": call.model, "messages": messages, **known_arguments(create, call.params)}
