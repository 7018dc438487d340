"""A part of the work in a process of its own: what it does and holds is not counted among the rest."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

_SPAWN = multiprocessing.get_context("spawn")  # a fork would copy locks that other threads hold


@contextmanager
def child(target: Callable[..., None], *arguments: Any) -> Iterator[Connection]:
    """The pipe to a process that runs `target`, whose first argument is the other end. It ends with the
    context, and never outlives this process; the pipe ends if it ends sooner.
    """
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=target, args=(theirs, *arguments), daemon=True)
    with ours:
        process.start()
        theirs.close()
        try:
            yield ours
        finally:
            process.kill()
            process.join()
            process.close()
