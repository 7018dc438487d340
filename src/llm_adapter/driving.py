"""Doing what the steps of a call ask for: with a thread that waits, or on an event loop."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing

from llm_adapter.backends import AsyncOpened, Opened
from llm_adapter.call import END, NEXT, Open, Steps
from llm_adapter.clients import Clients
from llm_adapter.control import CallControl
from llm_adapter.interruptions import Interruption, as_raised, interruption
from llm_adapter.responses import LLMStreamResponse


def drive(steps: Steps, clients: Clients) -> Generator[LLMStreamResponse, None, None]:
    """The pieces of a call."""
    with as_raised(), closing(steps):  # whatever comes of closing the exchange, the call is reported
        yield from _driven(steps, clients)


def _driven(steps: Steps, clients: Clients) -> Generator[LLMStreamResponse, None, None]:
    opened: Opened | None = None
    go_on, outcome = steps.send, None
    try:
        while True:
            try:
                step = go_on(outcome)
            except StopIteration:
                return
            go_on, outcome = steps.send, None
            if isinstance(step, LLMStreamResponse):
                yield step
                continue
            try:
                if step is NEXT:
                    assert opened is not None
                    outcome = next(opened.chunks, END)
                elif isinstance(step, Open):
                    if opened is not None:
                        opened.close()
                    outcome = opened = clients.backend(step.backend)(step.outgoing)
                else:
                    outcome = step.function()
            except Exception as trouble:  # noqa: BLE001 (clients raise anything)
                interrupted = interruption(trouble)
                if interrupted is not None:
                    raise Interruption(interrupted) from None
                go_on, outcome = steps.throw, trouble  # which know what to make of it
    finally:
        if opened is not None:
            opened.close()


async def adrive(
    steps: Steps, clients: Clients, control: CallControl
) -> AsyncGenerator[LLMStreamResponse, None]:
    """`drive`, on an event loop, within these limits. A cancelled task ends the exchange at once."""
    with closing(steps):
        async with aclosing(_adriven(steps, clients, control)) as pieces:
            async for piece in pieces:
                yield piece


async def _adriven(
    steps: Steps, clients: Clients, control: CallControl
) -> AsyncGenerator[LLMStreamResponse, None]:
    import asyncio  # see `CallControl.within`

    opened: AsyncOpened | None = None
    go_on, outcome = steps.send, None
    control.begin()
    try:
        while True:
            try:
                step = go_on(outcome)
            except StopIteration:
                return
            go_on, outcome = steps.send, None
            if isinstance(step, LLMStreamResponse):
                yield step
                control.begin()
                continue
            try:
                if step is NEXT:
                    assert opened is not None
                    outcome = await control.within(anext(opened.chunks, END))
                elif isinstance(step, Open):
                    if opened is not None:
                        await opened.close()
                    # Making a backend imports its library.
                    making = asyncio.to_thread(clients.async_backend, step.backend)
                    backend = await control.within(making)
                    outcome = opened = await control.within(backend(step.outgoing))
                else:
                    outcome = await control.within(asyncio.to_thread(step.function))
            except Exception as trouble:  # noqa: BLE001 (clients raise anything)
                interrupted = interruption(trouble)
                if interrupted is not None:
                    raise interrupted from interrupted.__cause__
                go_on, outcome = steps.throw, trouble  # which know what to make of it
    finally:
        if opened is not None:
            await opened.close()
