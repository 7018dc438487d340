"""Of each built-in client a call that it offers, and an answer to it: `Hi`, streamed in its own API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from llm_contracts.clients.call import Call, Function
from llm_contracts.clients.resolve import ClientError, resolve
from llm_contracts.wire.interaction import Interaction, Response
from tests.harness.wire.exchanges import EVENT_STREAM, TARGET, event, exchange, stream
from tests.harness.wire.test_api_protocols import GEMINI, MESSAGES

_GEMINI = "/v1beta/models/m:streamGenerateContent?alt=sse"


def recorded_answer(client: str) -> Interaction:
    """What the client's API answers."""
    target, body = {
        "anthropic": ("/v1/messages", b"".join(map(_named, MESSAGES))),
        "google-genai": (_GEMINI, event(GEMINI)),
    }.get(_library(client), (TARGET, stream("Hi")))
    return exchange(Response(status=200, reason="OK", headers=EVENT_STREAM, body=body), target=target)


def own_call(client: str, origin: str, **more: Any) -> Call:
    """A call that the client offers; skips the test where its library is missing."""
    library = _library(client)
    try:
        resolve(client, {})  # imports nothing: LiteLLM would fetch its price map
    except ClientError as error:
        pytest.skip(str(error))
    asked: Mapping[str, Any] = {
        "anthropic": {
            "base_url": origin,
            "function": Function.MESSAGES,
            "params": {"stream": True, "max_tokens": 9},
        },
        "google-genai": {
            "base_url": f"{origin}/v1beta",
            "function": Function.GENERATE_CONTENT,
            "input": "hello",
            "params": {"stream": True},
        },
    }.get(library, {"base_url": f"{origin}/v1"})
    common: Mapping[str, Any] = {
        "api_key": "sk-made-up-0123456789",  # pragma: allowlist secret
        "provider": "openai",
        "model": "m",
        "messages": ({"role": "user", "content": "hello"},),
    }
    return Call(**{**common, **asked, **more})


def _library(client: str) -> str:
    return client.removesuffix("-async")


def _named(message: Any) -> bytes:
    """Anthropic names its events twice, and its SDK reads no others."""
    return f"event: {message['type']}\ndata: {json.dumps(message)}\n\n".encode()
