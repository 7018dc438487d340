"""A part of a benchmark in a process of its own: what it does and holds is not counted among the rest."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

_STARTING = 30.0  # seconds


@contextmanager
def child(target: Callable[..., None], *arguments: Any) -> Iterator[Connection]:
    """The pipe to a process that runs `target`, whose first argument is the other end; it is ended with the
    context.
    """
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=target, args=(theirs, *arguments), daemon=True)
    process.start()
    try:
        yield ours
    finally:
        process.terminate()
        process.join()
        process.close()
        ours.close()
        theirs.close()


@contextmanager
def serving(serve: Callable[[Connection], None]) -> Iterator[str]:
    """Where a server can be reached, while it runs. `serve` sends its port through the pipe first."""
    with child(serve) as pipe:
        if not pipe.poll(_STARTING):
            raise RuntimeError("the server of the benchmark did not start")
        yield f"http://127.0.0.1:{pipe.recv()}"
