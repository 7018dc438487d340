"""Clients that do the same in another way: other transports and other objects. None is a difference."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from types import SimpleNamespace
from typing import Any

from llm_contracts.clients import builtin
from llm_contracts.clients.call import Call, Client
from llm_contracts.clients.jsonable import jsonable

Convert = Callable[[Any], Any]


def as_it_is(chunk: Any) -> Any:
    return chunk


def as_mapping(chunk: Any) -> Any:
    return jsonable(chunk)


def as_parsed_again(chunk: Any) -> Any:
    return json.loads(json.dumps(jsonable(chunk)))


def as_namespace(chunk: Any) -> Any:
    return json.loads(json.dumps(jsonable(chunk)), object_hook=lambda given: SimpleNamespace(**given))


def as_copy(chunk: Any) -> Any:
    return chunk.model_copy(deep=True)


def without_nulls(chunk: Any) -> Any:
    return _without_nulls(jsonable(chunk))


def in_another_order(chunk: Any) -> Any:
    return dict(reversed(jsonable(chunk).items()))


def plainly(convert: Convert, call: Call) -> Iterator[Any]:
    for chunk in builtin.openai(call):
        yield convert(chunk)


def by_map(convert: Convert, call: Call) -> Iterator[Any]:
    return map(convert, builtin.openai(call))


def by_the_async_client(convert: Convert, call: Call) -> AsyncIterator[Any]:
    return _converted(convert, call)


def by_a_loop_of_its_own(convert: Convert, call: Call) -> Iterator[Any]:
    with asyncio.Runner() as runner:
        stream = _converted(convert, call)
        while (chunk := runner.run(_next(stream))) is not None:
            yield chunk


def by_a_thread(convert: Convert, call: Call) -> Iterator[Any]:
    """The thread reads no further than it is asked to, and ends with whoever leaves early."""
    found: queue.Queue[Any] = queue.Queue()
    asked: queue.Queue[str | None] = queue.Queue()

    def work() -> None:
        try:
            for chunk in builtin.openai(call):
                found.put(convert(chunk))
                if asked.get() is None:
                    return
        finally:
            found.put(None)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for chunk in iter(found.get, None):
            yield chunk
            asked.put("more")
    finally:
        asked.put(None)
        worker.join()


async def _converted(convert: Convert, call: Call) -> AsyncIterator[Any]:
    async for chunk in builtin.openai_async(call):
        yield convert(chunk)


async def _next(stream: AsyncIterator[Any]) -> Any:
    return await anext(stream, None)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(part) for name, part in value.items() if part is not None}
    return [_without_nulls(part) for part in value] if isinstance(value, list) else value


CONVERSIONS: tuple[Convert, ...] = (
    as_it_is,
    as_mapping,
    as_parsed_again,
    as_namespace,
    as_copy,
    without_nulls,
    in_another_order,
)
TRANSPORTS: tuple[Callable[[Convert, Call], Any], ...] = (
    plainly,
    by_map,
    by_the_async_client,
    by_a_loop_of_its_own,
    by_a_thread,
)
SCENARIOS = ("openai/tool-calls", "deepseek/reasoning")


def harmless() -> dict[str, tuple[str, Client]]:
    """Name → the scenario and the client."""
    return {
        f"{scenario} {transport.__name__} {convert.__name__}": (scenario, _client(transport, convert))
        for scenario in SCENARIOS
        for transport in TRANSPORTS
        for convert in CONVERSIONS
    }


def _client(transport: Callable[[Convert, Call], Any], convert: Convert) -> Client:
    def client(call: Call) -> Any:
        return transport(convert, call)

    return client
