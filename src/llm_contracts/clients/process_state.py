"""What a call changes for the whole process: attributes of foreign modules (`litellm.drop_params`), lists in
them (`sys.path`), variables, the working directory, and settings such as log levels, warning filters and the
default time limit of sockets.

Who changes it is known by the thread, so that calls side by side do not get into each other's way. While
anybody observes, top-level modules have a class that hears of attributes being set, and the functions that
change settings are replaced. What is undone before the call ends is not a change, and neither is what happens
while a module is imported, or what a module does to itself: that is how libraries are set up.
"""

from __future__ import annotations

import contextvars
import decimal
import gc
import importlib
import locale
import logging
import os
import socket
import ssl
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from threading import Lock
from types import FrameType, ModuleType
from typing import Any

from llm_contracts.clients.effects import Effects, current
from llm_contracts.clients.replacing import Place, replaced

Read = Callable[[], Any]

_SETTINGS: Mapping[str, Read] = {
    "socket.setdefaulttimeout": socket.getdefaulttimeout,
    "locale.setlocale": partial(locale.setlocale, locale.LC_ALL),
    "logging.disable": lambda: logging.root.manager.disable,
    "sys.setrecursionlimit": sys.getrecursionlimit,
    "gc.disable": gc.isenabled,
    "gc.set_threshold": gc.get_threshold,
    "sys.setswitchinterval": sys.getswitchinterval,
    "time.tzset": lambda: time.tzname,
    "logging.setLogRecordFactory": logging.getLogRecordFactory,
    "logging.setLoggerClass": logging.getLoggerClass,
    **dict.fromkeys(
        (
            *("random.seed", "random.setstate", "os.nice", "os.umask", "threading.settrace"),
            *(
                "logging.addLevelName",
                "warnings.resetwarnings",
                "codecs.register_error",
                "mimetypes.add_type",
            ),
            *("signal.setitimer", "atexit.register", "asyncio.set_event_loop_policy"),
        ),
        object,
    ),
}
"""Function → how to read what it sets; `object` where that cannot be read."""

_OF_A_LOGGER = frozenset({"propagate", "disabled"})
_OWN = __name__.partition(".")[0]
_NOTHING = (None, "", False)
_IMPORT = "importlib._bootstrap"


@contextmanager
def state_noted(effects: Effects) -> Iterator[None]:
    """Note what this call changes, and at the end of the block what of it is left."""
    modules, lengths, context = _loaded(), list_lengths(), contextvars.copy_context()
    with replaced(_PLACES), _modules_watched():
        try:
            yield
        finally:
            effects.over = True
            changes = effects.changes.copy().items()  # a thread of the call may be about to add one
            gone = {name: module for name, module in modules if sys.modules.get(name) is not module}
            effects.left |= {
                **{place: change.shown for place, change in changes if change.outlives},
                **{f"state.sys.modules.{name}": "set" for name in gone},
                **_grown(lengths, list_lengths()),
                **_left_in_context(context),
            }
            sys.modules.update(gone)  # the next call finds them, too


def set_back(effects: Effects) -> None:
    """Set the variables again that a call has removed: the next one finds nothing to remove. And go back to
    the folder that it left: that is where results go whose folder has a relative name.
    """
    for place, change in effects.changes.copy().items():
        kind, _, name = place.partition(".")
        if kind == "environ" and change.before is not None:
            os.environ.setdefault(name, change.before)
        elif place == "state.os.chdir":
            with suppress(OSError):  # it may be gone
                os.chdir(change.before)


def variable_set(effects: Effects, name: str, value: str | None) -> None:
    """A variable of the environment is about to be set, or removed (None)."""
    if not _importing():
        read = partial(os.environ.get, name)
        effects.note_change(f"environ.{name}", read, read(), value)


def setting_changed(effects: Effects, place: str) -> None:
    """Something was set that cannot be read, or need not be."""
    if not _importing():
        effects.note_change(f"state.{place}", object, None, "set")


def _left_in_context(before: contextvars.Context) -> dict[str, str]:
    """Place → what a call left set in the context of its thread: variables, one of which says how decimal
    numbers are reckoned with. One with nothing in it has been set back, as LiteLLM does when it is done.
    """
    return {
        f"state.contextvars.{variable.name}": "set"
        for variable, value in contextvars.copy_context().items()
        if before.get(variable) is not value
        and not any(value is nothing for nothing in _NOTHING)
        and not (isinstance(value, decimal.Context) and _reckons_as_ever(value))
    }


def _reckons_as_ever(context: decimal.Context) -> bool:
    """Whether only its flags, which any reckoning sets, differ from those that threads begin with."""
    fresh = decimal.DefaultContext.copy()
    fresh.flags = context.flags
    return repr(context) == repr(fresh)


def list_lengths() -> dict[str, int]:
    """Place → length of every public list of a top-level module: one that is longer or shorter after each
    call is left changed, too. Who changes it is not known: what comes again at each call can be believed.
    """
    _, lists = _top_level(_modules_key())
    return dict(zip(lists, map(len, lists.values()), strict=True))


def _grown(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, str]:
    """Place → what became of the list."""
    both = ((place, before.get(place, now), now) for place, now in after.items())
    return {place: "longer" if now > was else "shorter" for place, was, now in both if now != was}


def _loaded() -> list[tuple[str, ModuleType]]:
    """The top-level modules that there are, by name."""
    known, _ = _top_level(_modules_key())
    if all(sys.modules.get(name) is module for name, module in known):
        return known
    _top_level.cache_clear()  # one is gone, and another has come in its place
    return _top_level(_modules_key())[0]


def _modules_key() -> tuple[int, str]:
    """Another after each import: how many modules there are, and the newest."""
    modules = [*sys.modules]  # copied, because other threads import
    return len(modules), modules[-1]


@lru_cache(maxsize=1)
def _top_level(_modules: tuple[int, str]) -> tuple[list[tuple[str, ModuleType]], dict[str, list[Any]]]:
    """The top-level modules by name, and the public lists in them by place."""
    # Copied, not listed: listing makes tuples and may so collect garbage, whose finalisers import.
    modules = [
        (name, module)
        for name, module in sys.modules.copy().items()
        if isinstance(module, ModuleType) and "." not in name and name not in (_OWN, "__main__")
    ]
    return modules, {
        f"state.{name}.{attribute}": value
        for name, module in modules
        for attribute, value in vars(module).copy().items()
        # `isinstance` asks a proxy for what it stands for, and openai's then import and make a client.
        if issubclass(type(value), list) and not attribute.startswith("_")
    }


Where = Callable[..., tuple[str, Read] | None]
"""Given what a function is called with: the place that it sets and how to read that; None where it is not
to be noted.
"""


def _noting(where: Where, really: Callable[..., Any]) -> Callable[..., Any]:
    """In the place of a function that sets something: notes what a watched call sets with it."""

    def function(*args: Any, **kwargs: Any) -> Any:
        effects = current()
        found = None if effects is None else where(*args, **kwargs)
        if effects is None or found is None or _importing():
            return really(*args, **kwargs)
        place, read = found
        before = read()
        done = really(*args, **kwargs)
        effects.note_change(f"state.{place}", read, before, read())
        return done

    return function


def _locale(*given: Any, locale: Any = None, **_: Any) -> tuple[str, Read] | None:
    reads = locale is None and given[1:] in ((), (None,))
    return None if reads else ("locale.setlocale", _SETTINGS["locale.setlocale"])


def _filter(*_: Any, append: bool = False, **__: Any) -> tuple[str, Read]:
    # `catch_warnings` puts the former list back. What stands last says nothing about what stands first.
    if append:
        return "warnings.filters[-1]", lambda: tuple(warnings.filters[-1:])
    return "warnings.filters", lambda: tuple(warnings.filters[:1])


def _logger(logger: logging.Logger, *_: Any, **__: Any) -> tuple[str, Read] | None:
    if _writer(_OWN, "logging") == logger.name.partition(".")[0]:
        return None
    return f"logging.{logger.name}", lambda: (logger.level, tuple(map(id, logger.handlers)))


def _logger_attribute(logger: logging.Logger, name: str, _value: Any) -> tuple[str, Read] | None:
    made = name not in vars(logger)  # a new one sets itself up
    if made or name not in _OF_A_LOGGER or _writer(_OWN) == logger.name.partition(".")[0]:
        return None
    return f"logging.{logger.name}.{name}", partial(vars(logger).get, name)


def _verification(_context: ssl.SSLContext, mode: int) -> tuple[str, Read] | None:
    return ("ssl.SSLContext.verify_mode", object) if mode == ssl.CERT_NONE else None


def _attribute(module: ModuleType, name: str, value: Any) -> tuple[str, Read] | None:
    own = str(vars(module).get("__name__"))
    if isinstance(value, ModuleType) or name.startswith("__") or _writer(_OWN) == own:
        return None
    return f"{own}.{name}", partial(vars(module).get, name)


def _places() -> Iterator[Place]:
    special = {
        "locale.setlocale": _locale,
        "warnings.simplefilter": _filter,
        "warnings.filterwarnings": _filter,
    }
    for name, read in {**_SETTINGS, **dict.fromkeys(special, object)}.items():
        module, _, function = name.rpartition(".")
        where = special.get(name, partial(lambda found, *_, **__: found, (name, read)))
        yield importlib.import_module(module), function, partial(_noting, where)
    for method in ("setLevel", "addHandler", "removeHandler"):
        yield logging.Logger, method, partial(_noting, _logger)
    yield logging.Logger, "__setattr__", partial(_noting, _logger_attribute)
    # The edge speaks no TLS: who would not look at a certificate shows that here alone.
    yield ssl.SSLContext, "verify_mode", lambda own: property(own.fget, _noting(_verification, own.fset))


_PLACES = tuple(_places())


class _WatchedModule(ModuleType):
    __setattr__ = _noting(_attribute, ModuleType.__setattr__)


_WATCHING = Lock()
_WATCHED: list[ModuleType] = []
_USERS: set[object] = set()


@contextmanager
def _modules_watched() -> Iterator[None]:
    """Hear of changes to all modules that are there by now; some came after other calls had begun."""
    user = object()
    with _WATCHING:
        _USERS.add(user)
        for _, module in _loaded():
            if type(module) is ModuleType:
                module.__class__ = _WatchedModule
                _WATCHED.append(module)
    try:
        yield
    finally:
        with _WATCHING:
            _USERS.remove(user)
            while _WATCHED and not _USERS:
                module = _WATCHED.pop()
                if type(module) is _WatchedModule:
                    ModuleType.__setattr__(module, "__class__", ModuleType)  # past its own, which listens


def _importing() -> bool:
    return any(frame.f_globals.get("__name__") == _IMPORT for frame in _frames())


def _writer(*through: str) -> str:
    """The top-level package of the code that makes the change, through these."""
    names = (str(frame.f_globals.get("__name__", "")).partition(".")[0] for frame in _frames())
    return next((name for name in names if name not in through), "")


def _frames() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - documented
    while frame is not None:
        yield frame
        frame = frame.f_back
