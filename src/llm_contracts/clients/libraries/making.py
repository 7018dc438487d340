"""What the modules of libraries share: which call to make, and handing its answer on, streamed or whole."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, Callable, Iterator, Mapping
from typing import Any, Self, TypeVar

from llm_contracts.clients.call import Call, Function

T = TypeVar("T")


class NotOfferedError(Exception):
    """The client has no such call."""

    category = "not_offered"


def offered(made: Mapping[Function, T], call: Call, library: str) -> T:
    """What makes this call.

    Raises:
        NotOfferedError: nothing does.
    """
    if call.function not in made:
        raise NotOfferedError(f"{library} has no call for {call.function} at a base URL of its own")
    return made[call.function]


def chat_arguments(call: Call) -> dict[str, Any]:
    """The arguments of a chat completion, which is streamed unless it says otherwise."""
    messages = [dict(message) for message in call.messages]  # LiteLLM rewrites them in place
    return {"stream": True, **call.params, "model": call.model, "messages": messages}


def known_arguments(create: Callable[..., Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as an SDK takes them: those that it does not know go into `extra_body`."""
    names = inspect.signature(create).parameters
    known = {name: value for name, value in params.items() if name in names}
    rest = {name: value for name, value in params.items() if name not in names}
    return {**known, **({"extra_body": {**rest, **known.get("extra_body", {})}} if rest else {})}


def handed_on(answer: Any) -> Iterator[Any]:
    """The items of a stream, which is closed afterwards, or the answer itself."""
    if not hasattr(answer, "__next__"):
        yield answer
        return
    try:
        yield from answer
    finally:
        getattr(answer, "close", bool)()


async def close_async(stream: Any) -> None:
    """Close an asynchronous stream, under whichever name it offers that."""
    close = getattr(stream, "aclose", None) or getattr(stream, "close", None)
    if close is not None and inspect.isawaitable(closing := close()):
        await closing


class HandedOn:
    """The same, asynchronously: a context manager that closes the stream, and its items. Not a
    generator, so that the end of an event loop has none to close beside the client's own.
    """

    def __init__(self, answer: Any) -> None:
        streamed = isinstance(answer, AsyncIterable) and not hasattr(answer, "model_dump")
        self._answer = answer
        self._items = aiter(answer) if streamed else None
        self._whole = [] if streamed else [answer]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_raised: object) -> None:
        if self._items is not None:
            await close_async(self._answer)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        if self._items is not None:
            return await anext(self._items)
        if not self._whole:
            raise StopAsyncIteration
        return self._whole.pop()
