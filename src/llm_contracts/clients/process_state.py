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
import importlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

_SETTERS: tuple[tuple[str, str, Callable[[Any], Any] | None], ...] = (
    ("socket", "setdefaulttimeout", lambda module: module.getdefaulttimeout()),
    ("locale", "setlocale", lambda module: module.setlocale(module.LC_ALL)),
    ("random", "seed", None),
    ("random", "setstate", None),
    ("logging", "disable", lambda module: module.root.manager.disable),
    ("sys", "setrecursionlimit", lambda module: module.getrecursionlimit()),
    ("gc", "disable", lambda module: module.isenabled()),
    ("gc", "set_threshold", lambda module: module.get_threshold()),
    ("sys", "setswitchinterval", lambda module: module.getswitchinterval()),
    ("os", "nice", None),
    ("time", "tzset", lambda module: module.tzname),
    ("threading", "settrace", None),
    ("logging", "setLogRecordFactory", lambda module: module.getLogRecordFactory()),
    ("logging", "setLoggerClass", lambda module: module.getLoggerClass()),
    ("logging", "addLevelName", None),
    ("warnings", "resetwarnings", None),
    ("codecs", "register_error", None),
    ("mimetypes", "add_type", None),
    ("signal", "setitimer", None),
    ("os", "umask", None),
    ("atexit", "register", None),
    ("asyncio", "set_event_loop_policy", None),
)
"""Module, function, and what it sets where that can be read."""

_FILTERS = ("simplefilter", "filterwarnings")
_LOGGER = ("setLevel", "addHandler", "removeHandler")
_OF_A_LOGGER = frozenset({"propagate", "disabled"})
_OWN = __name__.partition(".")[0]
_NOTHING = (None, "", False)
_MODULES = "sys.modules."
_PLAIN = (bool, int, float, type(None))
_IMPORT = "importlib._bootstrap"


@dataclass(kw_only=True, slots=True)
class Change:
    """What was set in one place, and how to read what is there now, if that can be read.

    Attributes:
        untouched: the value before any call of this process set it. A second call finds what the first one
            set, and sets it again: that is a change all the same.
        before: the value before this call.
        written: what this call wrote.
    """

    untouched: Any
    before: Any
    now: Callable[[], Any] | None
    written: list[Any] = field(default_factory=list)

    @property
    def outlives(self) -> bool:
        """Whether it was not undone."""
        if self.now is None:
            return True
        now = self.now()
        undone = _same(now, self.before) and not all(_same(value, now) for value in self.written)
        return not undone and not _same(now, self.untouched)


_UNTOUCHED: dict[str, Any] = {}
"""Place → the value before the first call of this process that changed it."""

Changes = dict[str, Change]
"""Place (`environ.NAME`, `state.litellm.drop_params`) → what was done there."""

Current = Callable[[], Changes | None]
"""The changes of the call that the running thread belongs to."""


def shown(changes: Changes) -> dict[str, str]:
    """Place → what was done, without values that might be secret."""
    return {place: _description(change.written[-1]) for place, change in changes.items() if change.outlives}


def set_back(changes: Changes) -> None:
    """Set the variables and modules again that a call has removed or replaced: the next one finds nothing to
    remove.
    """
    for place, change in changes.items():
        kind, _, name = place.partition(".")
        if name.startswith(_MODULES):
            sys.modules[name.removeprefix(_MODULES)] = change.before
        if kind == "environ" and change.before is not None:
            os.environ.setdefault(name, change.before)


def variable_set(changes: Changes, name: str, value: str | None) -> None:
    """A variable of the environment is about to be set, or removed (None)."""
    if not _importing():
        read = partial(os.environ.get, name)
        _noted(changes, f"environ.{name}", read(), read, value)


def folder_changed(changes: Changes, folder: Any) -> None:
    """The working directory is about to be changed."""
    _noted(changes, "state.os.chdir", str(Path.cwd()), lambda: str(Path.cwd()), folder)


def setting_changed(changes: Changes, place: str) -> None:
    """Something was set that cannot be read, or need not be."""
    if not _importing():
        _noted(changes, f"state.{place}", None, None, "set")


def loaded() -> list[tuple[str, ModuleType]]:
    """The top-level modules that there are, by name."""
    known = _top_level(_modules_key())
    there = [(name, module) for name, module in known if sys.modules.get(name) is module]
    if len(there) == len(known):
        return there
    for cached in (_lists, _top_level):  # one is gone, and another has come in its place
        cached.cache_clear()
    return _top_level(_modules_key()).copy()


def modules_replaced(changes: Changes, before: list[tuple[str, ModuleType]]) -> None:
    """Note the modules under whose names there is another one now, or none."""
    for name, module in before:
        if sys.modules.get(name) is not module:
            changes[f"state.{_MODULES}{name}"] = Change(
                untouched=module, before=module, now=None, written=["x"]
            )


def context_left(before: contextvars.Context) -> dict[str, str]:
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


Lengths = dict[str, int]


def list_lengths() -> Lengths:
    """Place → length of every public list of a top-level module: one that is longer or shorter after each
    call is left changed, too. Who changes it is not known: what comes again at each call can be believed.
    """
    lists = _lists(_modules_key())
    return dict(zip(lists, map(len, lists.values()), strict=True))


def grown(before: Lengths, after: Lengths) -> dict[str, str]:
    """Place → what became of the list."""
    if before == after:
        return {}
    both = ((place, before.get(place, now), now) for place, now in after.items())
    return {place: "longer" if now > was else "shorter" for place, was, now in both if now != was}


def _modules_key() -> tuple[int, str]:
    """Another after each import: how many modules there are, and the newest."""
    return len(sys.modules), next(reversed(sys.modules))


@lru_cache(maxsize=1)
def _lists(modules: tuple[int, str]) -> dict[str, list[Any]]:
    return {
        f"state.{name}.{attribute}": value
        for name, module in _top_level(modules)
        for attribute, value in vars(module).copy().items()
        # `isinstance` asks a proxy for what it stands for, and openai's then import and make a client.
        if issubclass(type(value), list) and not attribute.startswith("_")
    }


@lru_cache(maxsize=1)
def _top_level(_modules: tuple[int, str]) -> list[tuple[str, ModuleType]]:
    # Copied, not listed: listing makes tuples and may so collect garbage, whose finalisers import.
    return [
        (name, module)
        for name, module in sys.modules.copy().items()
        if isinstance(module, ModuleType) and "." not in name and name not in (_OWN, "__main__")
    ]


class Replacements:
    """Hears of changes for as long as it is installed."""

    def __init__(self, current: Current) -> None:
        self._undo: list[Callable[[], None]] = []
        self._modules: list[ModuleType] = []
        self._current = current
        self._watching = _watching(current)

    def install(self) -> None:
        """Put everything in place."""
        for name, function, read in _SETTERS:
            module = importlib.import_module(name)
            now = None if read is None else partial(read, module)
            self._replace(module, function, partial(_setting, self._current, f"{name}.{function}", now))
        for function in _FILTERS:
            self._replace(warnings, function, partial(_filter, self._current))
        logger = importlib.import_module("logging").Logger
        for method in _LOGGER:
            self._replace(logger, method, partial(_logger_method, self._current))
        self._replace(logger, "__setattr__", partial(_logger_attribute, self._current))

    def watch_modules(self) -> None:
        """Hear of changes to all modules that are there by now; some came after other calls had begun."""
        for _, module in _top_level(_modules_key()):
            if type(module) is ModuleType:
                module.__class__ = self._watching
                self._modules.append(module)

    def remove(self) -> None:
        """As it was."""
        while self._undo:
            self._undo.pop()()
        while self._modules:
            module = self._modules.pop()
            if type(module) is self._watching:
                ModuleType.__setattr__(module, "__class__", ModuleType)  # past the class's own, which listens

    def _replace(self, holder: Any, name: str, around: Callable[[Callable[..., Any]], Any]) -> None:
        own = vars(holder).get(name)
        ours = around(getattr(holder, name) if own is None else own)

        def undo() -> None:
            if vars(holder).get(name) is not ours:  # others replace it, too
                return
            if own is None:
                delattr(holder, name)
            else:
                _set_attribute(holder, name, own)

        _set_attribute(holder, name, ours)
        self._undo.append(undo)


def _set_attribute(holder: Any, name: str, value: Any) -> None:
    if isinstance(holder, ModuleType):
        vars(holder)[name] = value
    else:
        setattr(holder, name, value)


def _watching(current: Current) -> type[ModuleType]:
    class WatchedModule(ModuleType):
        def __setattr__(self, name: str, value: Any) -> None:
            changes = current()
            if changes is not None and not isinstance(value, ModuleType) and not name.startswith("__"):
                own = str(vars(self).get("__name__"))
                if not _importing() and _writer(_OWN) != own:
                    read = partial(vars(self).get, name)
                    _noted(changes, f"state.{own}.{name}", read(), read, value)
            super().__setattr__(name, value)

    return WatchedModule


def _setting(
    current: Current, place: str, now: Callable[[], Any] | None, really: Callable[..., Any]
) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        changes = current()
        reads = place == "locale.setlocale" and (args[1:] or (kwargs.get("locale"),)) == (None,)
        if changes is None or reads or _importing():
            return really(*args, **kwargs)
        before = now() if now is not None else None
        done = really(*args, **kwargs)
        _noted(changes, f"state.{place}", before, now, now() if now is not None else "set")
        return done

    return function


def _filter(current: Current, really: Callable[..., Any]) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        done = really(*args, **kwargs)
        changes = current()
        if changes is not None and warnings.filters and not _importing():
            added = warnings.filters[-1 if kwargs.get("append") else 0]
            # Undone where the filter is gone: `catch_warnings` puts the former list back.
            _noted(changes, "state.warnings.filters", False, lambda: added in warnings.filters, True)  # noqa: FBT003
        return done

    return function


def _logger_method(current: Current, really: Callable[..., Any]) -> Callable[..., Any]:
    def method(logger: Any, *args: Any, **kwargs: Any) -> Any:
        changes = current()
        if changes is None or _importing() or _writer(_OWN, "logging") == logger.name.partition(".")[0]:
            return really(logger, *args, **kwargs)
        read = partial(_logging_of, logger)
        before = read()
        done = really(logger, *args, **kwargs)
        _noted(changes, f"state.logging.{logger.name}", before, read, read())
        return done

    return method


def _logger_attribute(current: Current, really: Callable[..., Any]) -> Callable[..., Any]:
    def attribute(logger: Any, name: str, value: Any) -> None:
        changes = current() if name in _OF_A_LOGGER else None
        if changes is not None and not _importing() and _writer(_OWN) != logger.name.partition(".")[0]:
            read = partial(vars(logger).get, name)
            _noted(changes, f"state.logging.{logger.name}.{name}", read(), read, value)
        really(logger, name, value)

    return attribute


def _logging_of(logger: Any) -> tuple[Any, ...]:
    return logger.level, tuple(map(id, logger.handlers))


def _noted(changes: Changes, place: str, before: Any, now: Callable[[], Any] | None, written: Any) -> None:
    untouched = _UNTOUCHED.setdefault(place, before)
    changes.setdefault(place, Change(untouched=untouched, before=before, now=now)).written.append(written)


def _description(value: Any) -> str:
    return f"set to {value}" if isinstance(value, _PLAIN) and value is not None else "set"


def _same(one: Any, other: Any) -> bool:
    return one is other or (
        type(one) is type(other) and isinstance(one, (*_PLAIN, str, tuple)) and one == other
    )


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
