"""Processes that work for this one, and end with it. The only module that knows pebble."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import Future, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from pebble import ProcessExpired, ProcessPool

__all__ = ["SPAWN", "BrokenProcessPool", "ProcessExpired", "ProcessPool", "result_of"]

_T = TypeVar("_T")
_LOOK = 0.5  # seconds between two looks whether a pool still works

SPAWN = multiprocessing.get_context("spawn")
"""How they are started: a fork would copy locks that other threads hold."""


def result_of(task: Future[_T], pool: ProcessPool) -> _T:
    """What a task of this pool gives. One that comes while pebble 5 finds that its last process has died is
    forgotten, and nobody would ever hear of it.

    Raises:
        BrokenProcessPool: the pool's processes are gone, and with them the task.
        ProcessExpired: the process that ran it is gone.
    """
    while not wait((task,), _LOOK).done:
        if not pool.active:
            pool.join()
            if not task.done():
                raise BrokenProcessPool("The processes are gone, and with them the task.")
    return task.result()
