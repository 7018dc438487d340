"""Waiting for something no longer than it is worth."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from threading import Event, Thread
from typing import Any, TypeVar

from llm_adapter.control import CallControl, active
from llm_adapter.interruptions import interruptible

T = TypeVar("T")


def started(task: Callable[[], T]) -> Future[T]:
    """Do a task in a thread of its own, which never keeps the process from ending.

    Who no longer waits for it loses nothing but the waiting: the task goes on to its end.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(task())
        except BaseException as error:  # noqa: BLE001 (it belongs to whoever waits)
            future.set_exception(error)

    Thread(target=copy_context().run, args=(run,), daemon=True).start()
    return future


def waited(task: Callable[[], T], *, patience: float | None = None) -> T:
    """The result of a task that nothing can interrupt, done in a thread of its own (`started`).

    One that comes too late is closed, if it is of that kind.

    Args:
        task: what is to be done.
        patience: seconds that it is waited for; also not for longer than the call of this thread may wait.

    Raises:
        TimeoutError: it takes longer.
        CallCancelled: the call has been cancelled meanwhile.
    """
    control, over = active() or CallControl(), Event()
    limits = [seconds for seconds in (patience, control.remaining()) if seconds is not None]
    future = started(task)
    future.add_done_callback(lambda _: over.set())
    try:
        with interruptible():
            control.wait(lambda: over.wait(min(limits, default=None)), over.set)
        if not future.done():
            raise TimeoutError("the time is up")  # noqa: TRY301 (as one that has been cancelled)
    except BaseException:
        future.add_done_callback(_close)
        raise
    return future.result()


def _close(late: Future[Any]) -> None:
    with suppress(Exception):
        late.result().close()
