"""What a call does beside answering: what it prints and logs, whom else it talks to, what it starts, and what
it leaves behind.

Everything is seen in the call's own thread and in the threads that it starts. Standard output and standard
error of a call go to the report and never to those of the harness, whose output may be JSON.

Like the virtual clock, this replaces foreign names (`sys.stdout`, `sys.stderr`, how threads are started) only
for as long as anybody observes; so does `process_state`, which knows what is changed for the whole process.
Files, variables, sockets and processes are heard of through Python's audit events. Variables that
a call removes are set again after it, so that it is seen each time.
"""

from __future__ import annotations

import concurrent.futures.thread
import logging
import os
import re
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from socket import socket
from threading import Lock, Thread, get_ident
from typing import Any
from weakref import ref

from llm_contracts.clients.process_state import (
    Changes,
    Replacements,
    context_left,
    folder_changed,
    grown,
    list_lengths,
    loaded,
    modules_replaced,
    set_back,
    setting_changed,
    shown,
    variable_set,
)
from llm_contracts.clients.run_delay import is_own_reading

GRACE = 0.25
"""Seconds that threads and connections get to end after the call is over."""

_LONGEST = 300  # characters of output that a report shows
_POOL_WORKER = getattr(concurrent.futures.thread, "_worker", None)
"""What a thread of a pool runs: pools live as long as the library that has one, and grow call by call."""

_OF_PYTHON = re.compile(r"\.(py|so|pyc(\.\d+)?)$|/__pycache__(/|$)")
"""Files that are read, and folders and files that are made, where a module is imported."""

_OPEN_FILES = Path("/proc/self/fd")


@dataclass(kw_only=True, slots=True)
class Effects:
    """What one call did so far. What its threads do when it is `over` is no longer noted. `edge`: host and
    port that it is meant to talk to.
    """

    edge: str = ""
    over: bool = False
    tasks: int = 0
    connections: int = 0
    output: dict[str, list[str]] = field(default_factory=dict)
    logged: dict[str, None] = field(default_factory=dict)
    threads: list[Thread] = field(default_factory=list)
    files: dict[str, None] = field(default_factory=dict)
    written: dict[str, None] = field(default_factory=dict)
    changed: dict[str, None] = field(default_factory=dict)
    network: dict[str, None] = field(default_factory=dict)
    processes: dict[str, None] = field(default_factory=dict)
    sockets: list[ref[socket]] = field(default_factory=list)
    reused: bool = False
    read_on: int = 0
    changes: Changes = field(default_factory=dict)
    state: dict[str, str] = field(default_factory=dict)

    def found(self, connections: Callable[[], int] = int) -> dict[str, Any]:
        """Place → what was done there. Waits a little for what is about to end."""
        limit = time.monotonic() + GRACE
        while time.monotonic() < limit and (connections() or any(t.is_alive() for t in self.threads)):
            time.sleep(0.005)
        effects: dict[str, Any] = {
            name: "".join(text)[:_LONGEST] for name, text in self.output.items() if any(text)
        }
        if self.logged:
            effects["log"] = list(self.logged)
        left = sorted(thread.name for thread in self.threads if thread.is_alive())
        if left:
            effects["threads"] = len(left)
        if self.tasks:
            effects["tasks"] = self.tasks
        if left_open := connections() or self.connections:
            effects["connections"] = left_open
        lists = {
            "files": self._open_files(),
            "files.changed": sorted({_display_name(name) for name in self.changed}),
            "files.written": sorted({_display_name(name) for name in self.written if Path(name).exists()}),
            "network": sorted(self.network.keys() - {self.edge}),
            "processes": sorted(self.processes),
            "sockets": ["left open"] if any(_is_open(each(), self.edge) for each in self.sockets) else [],
            "chunks": ["changed after they were handed on"] if self.reused else [],
        }
        effects |= {place: done for place, done in lists.items() if done}
        if self.read_on:
            effects["events"] = self.read_on
        effects |= self.state
        set_back(self.changes)
        return effects

    def _open_files(self) -> list[str]:
        if not self.files or not _OPEN_FILES.is_dir():
            return []
        linked = {_target(entry) for entry in _OPEN_FILES.iterdir()}
        return sorted(Path(name).name for name in self.files if os.path.realpath(name) in linked)


@contextmanager
def watched(effects: Effects) -> Iterator[None]:
    """Note what this thread does, and what those do that it starts."""
    _listen()
    _enter()
    _WATCHED[get_ident()] = effects
    modules, before, context = loaded(), list_lengths(), copy_context()
    try:
        yield
    finally:
        effects.over = True
        modules_replaced(effects.changes, modules)
        effects.state = shown(effects.changes) | grown(before, list_lengths()) | context_left(context)
        del _WATCHED[get_ident()]
        _leave()


@contextmanager
def unwatched() -> Iterator[None]:
    """What the harness itself does in the thread of a call is none of the call's effects."""
    effects = _WATCHED.pop(get_ident(), None)
    try:
        yield
    finally:
        if effects is not None:
            _WATCHED[get_ident()] = effects


_WATCHED: dict[int, Effects] = {}
"""By thread. A context variable would do as well, but Python 3.11 crashes if garbage collection writes one
while another is written (python/cpython#148891), which LiteLLM's wrapper does.
"""
_REPLACING = Lock()
_STARTER = next(name for name in ("_start_joinable_thread", "_start_new_thread") if hasattr(threading, name))


def _current() -> Effects | None:
    effects = _WATCHED.get(get_ident())
    return None if effects is None or effects.over else effects


class _Starter:
    """In the place of the function that `Thread.start` calls: a watched call's threads are watched, too."""

    def __init__(self, really: Callable[..., Any]) -> None:
        self.really = really

    def __call__(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        effects = _current()
        thread = getattr(function, "__self__", None)
        if effects is None or not isinstance(thread, Thread):
            return self.really(function, *args, **kwargs)
        if not _of_older_pool(thread):
            effects.threads.append(thread)

        def watched_function(*given: Any) -> None:
            _WATCHED[get_ident()] = effects
            try:
                function(*given)
            finally:
                _WATCHED.pop(get_ident(), None)

        return self.really(watched_function, *args, **kwargs)


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
        self.users = 0

    def write(self, text: str) -> int:
        effects = _current()
        if effects is None:
            written: int = self.stream.write(text)
            return written
        effects.output.setdefault(self.name_of_stream, []).append(text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    @property
    def buffer(self) -> Any:
        return self.stream.buffer if _current() is None else _Bytes(self)

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
        effects = _current()
        if effects is not None:
            effects.logged[f"{record.name} {record.levelname}"] = None


def _changes() -> Changes | None:
    effects = _current()
    return None if effects is None else effects.changes


_LOG = _Logged(logging.WARNING)
_STATE = Replacements(_changes)


_STREAMS = ("stdout", "stderr", "__stdout__", "__stderr__")


def _enter() -> None:
    with _REPLACING:
        with warnings.catch_warnings():
            pass  # what has been warned of once is forgotten, and comes again
        if not _LOG.users:
            logging.getLogger().addHandler(_LOG)
            setattr(threading, _STARTER, _Starter(getattr(threading, _STARTER)))
            _STATE.install()
        _STATE.watch_modules()
        _LOG.users += 1
        for name in _STREAMS:
            stream = getattr(sys, name)
            if stream is None:  # without a console there is none
                continue
            if not isinstance(stream, _Output):
                stream = _Output(name.strip("_"), stream)
                setattr(sys, name, stream)
            stream.users += 1


def _leave() -> None:
    with _REPLACING:
        _LOG.users -= 1
        if not _LOG.users:
            _STATE.remove()
            logging.getLogger().removeHandler(_LOG)
            starter = getattr(threading, _STARTER)
            if isinstance(starter, _Starter):
                setattr(threading, _STARTER, starter.really)
        for name in _STREAMS:
            stream = getattr(sys, name)
            if isinstance(stream, _Output):
                stream.users -= 1
                if stream.users <= 0:
                    setattr(sys, name, stream.stream)


@cache
def _listen() -> None:
    """Hear of audit events for the rest of the process: a hook cannot be taken back."""
    sys.addaudithook(_audit_hook)


def _audit_hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _EVENTS or event not in _EVENTS:  # while the process ends, a module's names are gone
        return
    effects = _current()
    if effects is not None:
        _EVENTS[event](effects, arguments)


def _note_opened(effects: Effects, arguments: tuple[Any, ...]) -> None:
    name, _, flags = arguments
    if isinstance(name, (str, os.PathLike)):
        path = os.fspath(name)
        if (
            isinstance(path, str)
            and not _OF_PYTHON.search(path)
            and not path.startswith("/dev/")
            and not is_own_reading(path)
        ):
            effects.files[path] = None
            # Temporary files are opened by their folder.
            if flags & (os.O_WRONLY | os.O_RDWR) and not Path(path).is_dir():
                effects.written[path] = None


def _note_created(effects: Effects, arguments: tuple[Any, ...]) -> None:
    given = arguments[0]
    if isinstance(given, (str, bytes, os.PathLike)) and not _OF_PYTHON.search(name := os.fsdecode(given)):
        effects.written[name] = None


def _note_changed(effects: Effects, arguments: tuple[Any, ...]) -> None:
    """A file that the call did not make is about to be removed or changed."""
    name = arguments[0]
    if not isinstance(name, (str, bytes, os.PathLike)) or _OF_PYTHON.search(path := os.fsdecode(name)):
        return
    if path not in effects.written and os.path.lexists(path):  # below an open folder a name says nothing
        effects.changed[path] = None


def _renamed(effects: Effects, arguments: tuple[Any, ...]) -> None:
    _note_changed(effects, arguments)
    _note_created(effects, arguments[1:])


def _socket_made(effects: Effects, arguments: tuple[Any, ...]) -> None:
    effects.sockets.append(ref(arguments[0]))


def _talked(effects: Effects, arguments: tuple[Any, ...]) -> None:
    address = arguments[1]
    effects.network[f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address)] = None


def _looked_up(effects: Effects, arguments: tuple[Any, ...]) -> None:
    host, port = arguments[:2]
    if host is not None:
        effects.network[os.fsdecode(host) if port is None else f"{os.fsdecode(host)}:{port}"] = None


def _forked(event: str, effects: Effects, _arguments: tuple[Any, ...]) -> None:
    effects.processes[event] = None


def _started(effects: Effects, arguments: tuple[Any, ...]) -> None:
    program = os.fsdecode(arguments[0]).split()
    effects.processes[Path(program[0]).name if program else "?"] = None


def _set(effects: Effects, arguments: tuple[Any, ...]) -> None:
    name, *value = map(os.fsdecode, arguments)
    variable_set(effects.changes, name, value[0] if value else None)  # the event comes before the change


def _process_set(event: str, effects: Effects, _arguments: tuple[Any, ...]) -> None:
    setting_changed(effects.changes, event)


_EVENTS: dict[str, Callable[[Effects, tuple[Any, ...]], None]] = {
    "open": _note_opened,
    "os.putenv": _set,
    "os.unsetenv": _set,
    "os.mkdir": _note_created,
    "sqlite3.connect": _note_created,
    "os.rename": _renamed,
    "os.link": lambda effects, arguments: _note_created(effects, arguments[1:]),
    "os.symlink": lambda effects, arguments: _note_created(effects, arguments[1:]),
    **dict.fromkeys(
        ("os.remove", "os.rmdir", "os.truncate", "os.chmod", "os.chown", "os.utime", "os.setxattr"),
        _note_changed,
    ),
    **{name: partial(_forked, name) for name in ("os.fork", "os.forkpty", "os.exec")},
    "socket.__new__": _socket_made,
    "socket.connect": _talked,
    "socket.sendto": _talked,
    "socket.getaddrinfo": _looked_up,
    "socket.gethostbyname": lambda effects, arguments: _looked_up(effects, (*arguments, None)),
    "syslog.syslog": lambda effects, arguments: effects.output.setdefault("syslog", []).append(arguments[1]),
    **{event: partial(_process_set, event) for event in ("resource.setrlimit", "resource.prlimit")},
    "subprocess.Popen": _started,
    "os.system": _started,
    "os.posix_spawn": _started,
    "os.chdir": lambda effects, arguments: folder_changed(effects.changes, arguments[0]),
}


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
        return True
    return f"{host}:{port}" != edge


def _target(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""
