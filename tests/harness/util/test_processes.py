"""Processes that work for this one: who waits for a task hears of its end, whatever becomes of them."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import Future

import pytest

from llm_contracts.util.processes import SPAWN, BrokenProcessPool, ProcessPool, result_of


def test_a_task_that_a_broken_pool_forgot_is_not_waited_for() -> None:
    pool = ProcessPool(1, context=SPAWN)
    assert result_of(pool.schedule(os.getppid), pool) == os.getpid()
    (process,) = multiprocessing.active_children()
    process.kill()
    process.join()
    forgotten: Future[int] = Future()  # as one that comes between the last look at the process and its burial
    with pytest.raises(BrokenProcessPool, match="gone"):
        result_of(forgotten, pool)
    assert multiprocessing.active_children() == []


def test_a_task_that_a_dead_process_leaves_in_the_pipe_fails() -> None:
    """It is larger than the pipe, so that whoever hands it out stands still."""
    pool = ProcessPool(1, context=SPAWN)
    result_of(pool.schedule(os.getpid), pool)
    (process,) = multiprocessing.active_children()
    process.kill()
    process.join()
    with pytest.raises(BrokenProcessPool):
        result_of(pool.schedule(len, args=("x" * 2**20,)), pool)
    pool.join()
