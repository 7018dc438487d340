"""Small observations and facts to compare: an ordinary answer of two words, and changes to it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from llm_contracts.clients.observation import Chunk, Failure, Observation, Usage
from llm_contracts.wire.facts import WireFacts
from llm_contracts.wire.interaction import End, Request

BODY: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
HEADERS = (("Authorization", "Bearer sk-one"), ("Content-Type", "application/json"), ("User-Agent", "one"))
URL = "https://api.example.com/v1/chat/completions"
SENT = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def request(body: dict[str, Any] | None = None, uri: str = URL, **headers: Any) -> Request:
    """A chat request; keyword arguments are headers, with underscores for hyphens."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    sent = json.dumps(BODY if body is None else body).encode()
    return Request(method="POST", uri=uri, headers=named or HEADERS, body=sent)


def usage(prompt: int = 1, completion: int = 2, total: int = 3, **details: int) -> Usage:
    return Usage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=total, details=details)


def chunks(*texts: str, finish: str | None = "stop", told: Usage | None = None) -> tuple[Chunk, ...]:
    """Text chunks, then one with the finish reason and one with the usage, as providers send them."""
    found = [
        Chunk(text=text, id="r1", model="m", role="assistant" if index == 0 else None, position=index + 1)
        for index, text in enumerate(texts)
    ]
    if finish is not None:
        found.append(Chunk(finish_reason=finish, id="r1", model="m"))
    if told is not None:
        found.append(Chunk(usage=told, id="r1", model="m"))
    return tuple(found)


def observation(**changes: Any) -> Observation:
    """An ordinary answer: `Hello`, a finish reason, three totals."""
    ordinary = Observation(
        client="sample", requests=(request(),), chunks=chunks("Hel", "lo", told=usage()), generations=()
    )
    return replace(ordinary, **changes)


def generation(**changes: Any) -> dict[str, Any]:
    ordinary = {
        "name": "invoke_llm",
        "model": "m",
        "input": [{"role": "user", "content": "Hi"}],
        "output": "Hello",
        "usage": {"input": 1, "output": 2, "total": 3},
        "level": "DEFAULT",
        "ended": True,
    }
    return {**ordinary, **changes}


def failure(**changes: Any) -> Failure:
    ordinary = Failure(
        category="rate_limit", message="slow down", status=429, code="server.llm.requestFailed"
    )
    return replace(ordinary, **changes)


def facts(**changes: Any) -> WireFacts:
    """What the bytes of the ordinary answer say."""
    ordinary = WireFacts(
        status=200,
        streamed=True,
        end=End.COMPLETE,
        events=5,
        text="Hello",
        finish_reasons=("stop",),
        usage=SENT,
        done=True,
        models=("m",),
        ids=("r1",),
    )
    return replace(ordinary, **changes)
