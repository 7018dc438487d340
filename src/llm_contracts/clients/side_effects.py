"""What a call does beside answering: what it prints and logs, whom else it talks to, what it starts, and what
it leaves behind.

Everything is seen in the call's own thread and in the threads that it starts. Standard output and standard
error of a call go to the report and never to those of the harness, whose output may be JSON.

Like the virtual clock, this replaces foreign names (`sys.stdout`, `sys.stderr`, how threads are started) only
for as long as anybody observes; so does `process_state`, which knows what is changed for the whole process.
Files, variables, sockets and processes are heard of through `audit_events`. Variables that a call removes are
set again after it, and so is the folder that it left, so that it is seen each time.
"""

from __future__ import annotations

import concurrent.futures.thread
import logging
import os
import sys
import tempfile
import threading
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from socket import socket
from threading import Lock, Thread
from typing import Any

from llm_contracts.clients.audit_events import listen
from llm_contracts.clients.effects import Effects, belonging_to, current
from llm_contracts.clients.process_state import set_back, state_noted
from llm_contracts.clients.replacing import Place, replaced

GRACE = 0.25
"""Seconds that threads and connections get to end after the call is over."""

_LONGEST = 300  # characters of output that a report shows
_POOL_WORKER = getattr(concurrent.futures.thread, "_worker", None)
"""What a thread of a pool runs: pools live as long as the library that has one, and grow call by call."""

_OPEN_FILES = Path("/proc/self/fd")
_STREAMS = ("stdout", "stderr", "__stdout__", "__stderr__")
_STARTER = next(name for name in ("_start_joinable_thread", "_start_new_thread") if hasattr(threading, name))
_LOCK = Lock()


def found(effects: Effects, connections: Callable[[], int] = int) -> dict[str, Any]:
    """Place → what was done there. Waits a little for what is about to end."""
    limit = time.monotonic() + GRACE
    while time.monotonic() < limit and (connections() or any(t.is_alive() for t in effects.threads)):
        time.sleep(0.005)
    # Copied, because a client that hangs goes on; not listed, because that makes tuples and may so collect
    # garbage, whose finalisers give the client a turn.
    names = defaultdict[str, list[str]](
        list, {place: [*given] for place, given in effects.names.copy().items()}
    )
    done = {
        **{stream: text[:_LONGEST] for stream, text in effects.output.copy().items()},
        "log": names["log"],
        "threads": sum(thread.is_alive() for thread in effects.threads),
        "files": _open_files(names["files"]),
        "files.changed": sorted(set(map(_display_name, names["files.changed"]))),
        "files.written": sorted(set(map(_display_name, filter(os.path.exists, names["files.written"])))),
        "network": sorted({*names["network"]} - {effects.edge}),
        "processes": sorted(names["processes"]),
        "sockets": ["left open"] if any(_is_open(made(), effects.edge) for made in effects.sockets) else [],
        **effects.left,
        "connections": connections() or effects.left.get("connections"),
    }
    set_back(effects)
    return {place: value for place, value in done.items() if value}


@contextmanager
def watched(effects: Effects) -> Iterator[None]:
    """Note what this thread does, and what those do that it starts."""
    listen()
    with replaced(_places()), _log_noted(), state_noted(effects), belonging_to(effects):
        yield


def _places() -> Iterator[Place]:
    yield threading, _STARTER, partial(partial, _start)
    for name in _STREAMS:
        if getattr(sys, name) is not None:  # without a console there is none
            yield sys, name, partial(_Output, name.strip("_"))


def _start(really: Callable[..., Any], function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """In the place of the function that `Thread.start` calls: a watched call's threads are watched, too."""
    effects = current()
    thread = getattr(function, "__self__", None)
    if effects is None or not isinstance(thread, Thread):
        return really(function, *args, **kwargs)
    if not _of_older_pool(thread):
        effects.threads.append(thread)

    def watched_function(*given: Any) -> None:
        with belonging_to(effects):
            function(*given)

    return really(watched_function, *args, **kwargs)


def _of_older_pool(thread: Thread) -> bool:
    """Whether it joins a pool that has threads already. The first one of a pool is the call's: one that makes
    a pool each time and never shuts it down leaves its threads.
    """
    if getattr(thread, "_target", None) is not _POOL_WORKER:
        return False
    pool = thread._args[0]()  # type: ignore[attr-defined]  # noqa: SLF001 - a weak reference to the executor
    return bool(getattr(pool, "_threads", True))


class _Output:
    """In the place of a standard stream: what a watched call writes is noted, all else goes on."""

    def __init__(self, name: str, stream: Any) -> None:
        self.name_of_stream = name
        self.stream = stream

    def write(self, text: str) -> int:
        effects = current()
        if effects is None:
            written: int = self.stream.write(text)
            return written
        effects.output[self.name_of_stream] += text
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    @property
    def buffer(self) -> Any:
        return self.stream.buffer if current() is None else _Bytes(self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class _Bytes:
    """In the place of what lies below a standard stream."""

    def __init__(self, output: _Output) -> None:
        self._output = output

    def write(self, data: Any) -> int:
        self._output.write(bytes(data).decode(errors="replace"))
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._output.stream.buffer, name)


class _Logged(logging.Handler):
    """Notes what a watched call logs at WARNING or above: the logger and the level."""

    users = 0

    def emit(self, record: logging.LogRecord) -> None:
        effects = current()
        if effects is not None:
            effects.note("log", f"{record.name} {record.levelname}")


_LOG = _Logged(logging.WARNING)


@contextmanager
def _log_noted() -> Iterator[None]:
    with _LOCK:
        with warnings.catch_warnings():
            pass  # what has been warned of once is forgotten, and comes again
        _LOG.users += 1
        logging.getLogger().addHandler(_LOG)  # where it is there already, that does nothing
    try:
        yield
    finally:
        with _LOCK:
            _LOG.users -= 1
            if not _LOG.users:
                logging.getLogger().removeHandler(_LOG)


def _open_files(opened: Iterable[str]) -> list[str]:
    if not opened or not _OPEN_FILES.is_dir():
        return []
    linked = {*_targets(_OPEN_FILES.iterdir())}
    return sorted(Path(name).name for name in opened if _real_path(name) in linked)


def _targets(links: Iterable[Path]) -> Iterator[str]:
    """Where they lead. A file that another thread closes meanwhile has none any more."""
    for link in links:
        with suppress(OSError):
            yield str(link.readlink())


def _real_path(path: str) -> str:
    """Where a path leads; empty where a link in it is removed meanwhile: there `realpath` raises."""
    try:
        return os.path.realpath(path)
    except OSError:
        return ""


def _display_name(path: str) -> str:
    """A file's name; temporary ones have another each time."""
    return "a temporary file" if path.startswith(tempfile.gettempdir() + os.sep) else Path(path).name


def _is_open(made: socket | None, edge: str) -> bool:
    """Whether a socket was left open; connections to the edge are counted there."""
    if made is None or made.fileno() < 0:
        return False
    try:
        host, port = made.getpeername()[:2]
    except (OSError, ValueError):
        return made.fileno() >= 0  # its thread may have closed it meanwhile
    return f"{host}:{port}" != edge
