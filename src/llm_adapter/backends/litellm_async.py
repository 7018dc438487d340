"""Calls over LiteLLM's own asynchronous side, on event loops.

What LiteLLM only writes, because we send it, is written as for the others: no waiting is in that.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from llm_adapter.backends import AsyncOpened, dify, ernie_v1, gemini
from llm_adapter.backends.connection import AsyncConnections, Connections, default_timeout
from llm_adapter.backends.litellm import (
    SPEAKS,
    PlainChunk,
    compatible_call,
    disarm,
    library,
    warn_of_hidden_stream,
    with_options,
    written_by_us,
    written_for_gemini,
)
from llm_adapter.backends.litellm_clients import async_client_class, written
from llm_adapter.backends.reading import aopened
from llm_adapter.backends.retrying_client import RetryingClient
from llm_adapter.backends.stream_reader import StreamReader
from llm_adapter.requests import MAX_RETRIES, Outgoing


def _clients() -> Any:
    return lambda **given: async_client_class()(timeout=default_timeout(), max_retries=MAX_RETRIES, **given)


async def _without_inventions(wrapper: Any) -> AsyncGenerator[Any, None]:
    try:
        async for chunk in wrapper:
            yield PlainChunk(chunk)
    finally:
        disarm(wrapper)


@dataclass(frozen=True, slots=True)
class AsyncLiteLLMBackend:
    """Opens streams over LiteLLM on event loops.

    Attributes:
        connections: the connection pools, of each event loop its own.
        token_connections: those that ask for ERNIE's tokens.
        tokens: ERNIE's access tokens.
    """

    connections: AsyncConnections = field(default_factory=lambda: AsyncConnections(_clients))
    token_connections: Connections = field(default_factory=Connections)
    tokens: ernie_v1.Tokens = field(default_factory=ernie_v1.Tokens)

    async def __call__(self, outgoing: Outgoing) -> AsyncOpened:
        """Send the request."""
        return replace(await self._open(outgoing), repeatable=True)

    async def close(self) -> None:
        """Close the connections of this event loop."""
        self.token_connections.close()
        await self.connections.close()

    async def _open(self, outgoing: Outgoing) -> AsyncOpened:
        match SPEAKS.get(outgoing.provider):
            case "gemini":
                client = self._client(outgoing, gemini.error_document)
                answer = await client.asend(written_for_gemini(outgoing))
                return aopened(answer.response, gemini.reader(answer.response), attempts=answer.attempts)
            case "ernie_v1":
                chat = self._client(outgoing, ernie_v1.error_document)
                for_tokens = RetryingClient(
                    client=self.token_connections.http(), error_document=ernie_v1.error_document
                )
                call = ernie_v1.ErnieV1(outgoing=outgoing, client=for_tokens, tokens=self.tokens, chat=chat)
                return await call.aopen(*written_by_us(outgoing, ernie_v1.body(outgoing)))
            case "dify":
                written = written_by_us(outgoing, dify.body(outgoing))
                client = self._client(outgoing, dify.error_document)
                answer = await client.asend(dify.request(outgoing, *written))
                return aopened(answer.response, dify.reader(answer.response), attempts=answer.attempts)
        return await self._compatible(outgoing)

    async def _compatible(self, outgoing: Outgoing) -> AsyncOpened:
        client = self.connections.client(outgoing.base_url, outgoing.api_key, outgoing.headers)
        client = with_options(client, outgoing)
        wrapper = await written(library().acompletion(**compatible_call(outgoing), client=client))
        if callable(wrapper):
            response = (await wrapper()).http_response
            return aopened(response, StreamReader(response))
        warn_of_hidden_stream(wrapper)
        chunks = _without_inventions(wrapper)
        return AsyncOpened(chunks=chunks, close=chunks.aclose)

    def _client(self, outgoing: Outgoing, error_document: Callable[[Any], Any]) -> RetryingClient:
        return RetryingClient(
            client=self.connections.http(), error_document=error_document, max_retries=outgoing.max_retries
        )
