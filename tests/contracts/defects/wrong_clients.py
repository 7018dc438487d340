"""Clients that do wrong what no chunk shows: what they leave behind, and what they change elsewhere."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import openai

from llm_contracts.clients import builtin
from llm_contracts.clients.call import Call, Client
from llm_contracts.parity.divergence import Kind

_HELD: list[Any] = []
"""What these clients never let go, as a cache of an application would."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wrong:
    """A client that does one thing wrong, and as what it is reported."""

    name: str
    client: Client
    kind: Kind
    where: str
    scenario: str = "openai/plain-stream"


def _arguments(call: Call) -> dict[str, Any]:
    messages = [dict(message) for message in call.messages]
    return {**call.params, "model": call.model, "messages": messages, "stream": True}


def connection_left_by_who_leaves(call: Call) -> Iterator[Any]:
    client = openai.OpenAI(base_url=call.base_url, api_key=call.api_key)
    stream = client.chat.completions.create(**_arguments(call))
    _HELD.append((client, stream))
    yield from iter(lambda: next(stream, None), None)
    stream.close()
    client.close()


async def async_connection_left_by_who_leaves(call: Call) -> AsyncIterator[Any]:
    client = openai.AsyncOpenAI(base_url=call.base_url, api_key=call.api_key)
    stream = await client.chat.completions.create(**_arguments(call))
    _HELD.append((client, stream))
    async for chunk in stream:
        yield chunk
    await stream.close()
    await client.close()


def thread_left_by_who_leaves(call: Call) -> Iterator[Any]:
    found: queue.Queue[Any] = queue.Queue()
    left = threading.Event()

    def work() -> None:
        with suppress(Exception):  # where the harness ends the recording
            for chunk in builtin.openai(call):
                found.put(chunk)
        found.put(None)
        left.wait(1)

    threading.Thread(target=work, daemon=True).start()
    yield from iter(found.get, None)
    left.set()


def error_where_the_caller_leaves(call: Call) -> Iterator[Any]:
    try:
        yield from builtin.openai(call)
    except GeneratorExit:
        raise RuntimeError("stopped") from None


def request_where_the_caller_leaves(call: Call) -> Iterator[Any]:
    try:
        yield from builtin.openai(call)
    except GeneratorExit:
        with (
            suppress(openai.APIError),
            openai.OpenAI(base_url=call.base_url, api_key="k", max_retries=0) as client,
        ):
            client.models.list()
        raise


def _setting(change: Callable[[], Any]) -> Client:
    def client(call: Call) -> Iterator[Any]:
        change()
        yield from builtin.openai(call)

    return client


def _sets_an_attribute() -> None:
    openai.max_retries = 7


def wrong_clients() -> tuple[Wrong, ...]:
    """All of them."""
    left = (
        (connection_left_by_who_leaves, Kind.SIDE_EFFECT, "connections (left early)"),
        (async_connection_left_by_who_leaves, Kind.SIDE_EFFECT, "connections (left early)"),
        (thread_left_by_who_leaves, Kind.SIDE_EFFECT, "threads (left early)"),
        (error_where_the_caller_leaves, Kind.ERROR, "error (left early)"),
        (request_where_the_caller_leaves, Kind.ATTEMPTS, "requests (left early)"),
    )
    changed: tuple[tuple[str, Callable[[], Any], str], ...] = (
        ("variable", lambda: os.environ.update(A_LEDGER_VARIABLE="1"), "environ.A_LEDGER_VARIABLE"),
        ("attribute", _sets_an_attribute, "state.openai.max_retries"),
    )
    return (
        *(Wrong(name=client.__name__, client=client, kind=kind, where=at) for client, kind, at in left),
        *(
            Wrong(
                name=f"{name} changed for the process",
                client=_setting(act),
                kind=Kind.SIDE_EFFECT,
                where=where,
            )
            for name, act, where in changed
        ),
    )
