"""What Python's audit events say about a call: files, sockets, processes, variables."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from socket import socket
from typing import Any
from weakref import ref

from llm_contracts.clients.effects import Effects, current
from llm_contracts.clients.process_state import setting_changed, variable_set
from llm_contracts.clients.run_delay import is_own_reading

_OF_PYTHON = re.compile(r"\.(py|so|pyc(\.\d+)?)$|/__pycache__(/|$)")
"""Files that are read, and folders and files that are made, where a module is imported."""


@cache
def listen() -> None:
    """Hear of audit events for the rest of the process: a hook cannot be taken back."""
    sys.addaudithook(_audit_hook)


def _audit_hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _EVENTS or event not in _EVENTS:  # while the process ends, a module's names are gone
        return
    effects = current()
    if effects is not None:
        _EVENTS[event](effects, *arguments)


def _path(given: Any) -> str:
    """The path that is given; empty where it is a descriptor, or where Python imports."""
    path = os.fsdecode(given) if isinstance(given, (str, bytes, os.PathLike)) else ""
    return "" if _OF_PYTHON.search(path) else path


def _opened(effects: Effects, name: Any, _mode: Any, flags: int) -> None:
    path = _path(name)
    if path and not path.startswith("/dev/") and not is_own_reading(path):
        effects.note("files", path)
        # Temporary files are opened by their folder.
        if flags & (os.O_WRONLY | os.O_RDWR) and not Path(path).is_dir():
            effects.note("files.written", path)


def _created(effects: Effects, name: Any, *_: Any) -> None:
    if path := _path(name):
        effects.note("files.written", path)


def _changed(effects: Effects, name: Any, *_: Any) -> None:
    """A file that the call did not make is about to be removed or changed."""
    path = _path(name)
    # Below an open folder a name says nothing.
    if path and path not in effects.names["files.written"] and os.path.lexists(path):
        effects.note("files.changed", path)


def _moved(effects: Effects, old: Any, new: Any, *_: Any) -> None:
    _changed(effects, old)
    _created(effects, new)


def _socket_made(effects: Effects, made: socket, *_: Any) -> None:
    effects.sockets.append(ref(made))


def _talked(effects: Effects, _socket: Any, address: Any) -> None:
    effects.note("network", f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address))


def _looked_up(effects: Effects, host: Any, port: Any = None, *_: Any) -> None:
    if host is not None:
        effects.note("network", os.fsdecode(host) + ("" if port is None else f":{port}"))


def _started(effects: Effects, program: Any, *_: Any) -> None:
    words = os.fsdecode(program).split()
    effects.note("processes", Path(words[0]).name if words else "?")


def _variable(effects: Effects, name: Any, value: Any = None) -> None:
    variable_set(effects, os.fsdecode(name), None if value is None else os.fsdecode(value))


def _logged(effects: Effects, _priority: int, message: str) -> None:
    effects.output["syslog"] += message


def _folder(effects: Effects, folder: Any) -> None:
    effects.note_change("state.os.chdir", _working_folder, _working_folder(), folder)


def _working_folder() -> str:
    """Empty where it has been removed."""
    try:
        return os.getcwd()  # noqa: PTH109 - compared as text
    except OSError:
        return ""


_EVENTS: dict[str, Callable[..., None]] = {
    "open": _opened,
    **dict.fromkeys(("os.putenv", "os.unsetenv"), _variable),
    **dict.fromkeys(("os.mkdir", "sqlite3.connect"), _created),
    **dict.fromkeys(("os.link", "os.symlink"), lambda effects, _old, new, *_: _created(effects, new)),
    "os.rename": _moved,
    **dict.fromkeys(
        ("os.remove", "os.rmdir", "os.truncate", "os.chmod", "os.chown", "os.utime", "os.setxattr"), _changed
    ),
    "os.fork": lambda effects, *_: effects.note("processes", "os.fork"),
    "os.forkpty": lambda effects, *_: effects.note("processes", "os.forkpty"),
    "os.exec": lambda effects, *_: effects.note("processes", "os.exec"),
    **dict.fromkeys(("subprocess.Popen", "os.system", "os.posix_spawn"), _started),
    "socket.__new__": _socket_made,
    **dict.fromkeys(("socket.connect", "socket.sendto"), _talked),
    **dict.fromkeys(("socket.getaddrinfo", "socket.gethostbyname"), _looked_up),
    "syslog.syslog": _logged,
    "os.chdir": _folder,
    "resource.setrlimit": lambda effects, *_: setting_changed(effects, "resource.setrlimit"),
    "resource.prlimit": lambda effects, *_: setting_changed(effects, "resource.prlimit"),
}
"""Event → what notes it, given the call's effects and the event's arguments, all before it happens."""
