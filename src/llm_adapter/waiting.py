"""Waiting for something no longer than it is worth."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from threading import Thread
from typing import TypeVar

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
