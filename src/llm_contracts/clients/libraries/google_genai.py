"""Google's SDK for Gemini as its front page calls it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from llm_contracts.clients.call import Call, Function
from llm_contracts.clients.libraries.making import HandedOn, handed_on, offered


def google_genai(call: Call) -> Iterator[Any]:
    """`Client().models.generate_content`, or `generate_content_stream` where `stream` is asked for.

    Raises:
        NotOfferedError: for a call of another API.
    """
    with _client(call) as client:
        yield from handed_on(_answer(client.models, call))


async def google_genai_async(call: Call) -> AsyncIterator[Any]:
    """The same SDK's asynchronous client."""
    async with _client(call).aio as client, HandedOn(await _answer(client.models, call)) as items:
        async for item in items:
            yield item


def _answer(models: Any, call: Call) -> Any:
    streamed = "_stream" if call.params.get("stream") else ""
    calls = {Function.GENERATE_CONTENT: f"generate_content{streamed}"}
    return getattr(models, offered(calls, call, "Google's SDK"))(**_arguments(call))


def _client(call: Call) -> Any:
    from google import genai

    base, _, version = call.base_url.rstrip("/").rpartition("/")  # the SDK wants them apart
    options: Any = {"base_url": base, "api_version": version}
    return genai.Client(api_key=call.api_key, vertexai=False, http_options=options)


def _arguments(call: Call) -> dict[str, Any]:
    """Parameters as they are sent become the SDK's configuration, which is flat."""
    params = {
        name: value for name, value in call.params.items() if name not in {"stream", "generationConfig"}
    }
    given = call.params.get("generationConfig")
    config = {**params, **(given if isinstance(given, Mapping) else {})}
    return {"model": call.model, "contents": call.input, **({"config": config} if config else {})}
