"""Any API by hand: a JSON body, posted with httpx, and the bytes of the answer as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

from llm_contracts.clients.call import Call, Function
from llm_contracts.clients.libraries.making import chat_arguments

_SECONDS = 600.0
_PLACES = {
    Function.RESPONSES: ("/responses", "input"),
    Function.EMBEDDINGS: ("/embeddings", "input"),
    Function.COMPLETIONS: ("/completions", "prompt"),
}
"""Call → its path, and where its body says what is asked."""


def httpx(call: Call) -> Iterator[Any]:
    """One request without any retry. Every call of every API is offered."""
    import httpx as library

    with library.Client(timeout=_SECONDS) as client:
        if call.function is Function.LIST_MODELS:
            answer = client.get(f"{call.base_url}/models", headers=_headers(call)).raise_for_status()
            yield from (row["id"] for row in answer.json()["data"])
            return
        path, body = _request(call)
        with client.stream("POST", call.base_url + path, json=body, headers=_headers(call)) as answer:
            if answer.is_error:
                answer.read()
            yield from answer.raise_for_status().iter_bytes()


async def httpx_async(call: Call) -> AsyncIterator[Any]:
    """The same with httpx's `AsyncClient`."""
    import httpx as library

    async with library.AsyncClient(timeout=_SECONDS) as client:
        if call.function is Function.LIST_MODELS:
            answer = await client.get(f"{call.base_url}/models", headers=_headers(call))
            for row in answer.raise_for_status().json()["data"]:
                yield row["id"]
            return
        path, body = _request(call)
        async with client.stream("POST", call.base_url + path, json=body, headers=_headers(call)) as answer:
            if answer.is_error:
                await answer.aread()
            async for piece in answer.raise_for_status().aiter_bytes():
                yield piece


def _headers(call: Call) -> dict[str, str]:
    """The key in the header in which the API looks for it."""
    if call.function is Function.MESSAGES:
        return {"x-api-key": call.api_key, "anthropic-version": "2023-06-01"}
    if call.function is Function.GENERATE_CONTENT:
        return {"x-goog-api-key": call.api_key}
    return {"authorization": f"Bearer {call.api_key}"}


def _request(call: Call) -> tuple[str, Any]:
    """The path below the base URL, and the body."""
    params = {name: value for name, value in call.params.items() if name != "extra_body"}
    params |= call.params.get("extra_body", {})
    given = {"model": call.model, **params}
    if call.function is Function.REQUEST:
        return call.model, call.input
    if call.function is Function.MESSAGES:
        return "/v1/messages", {**given, "messages": list(call.messages)}
    if call.function is Function.GENERATE_CONTENT:
        how = "streamGenerateContent?alt=sse" if params.pop("stream", False) else "generateContent"
        return f"/models/{call.model}:{how}", {**params, "contents": call.input}
    if call.function in _PLACES:
        path, place = _PLACES[call.function]
        return path, {**given, place: call.input}
    return "/chat/completions", {**chat_arguments(replace(call, params=params))}
