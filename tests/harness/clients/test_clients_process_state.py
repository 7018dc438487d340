"""What a call changes for the whole process is seen at each call, and what is undone or set up is not."""

from __future__ import annotations

import decimal
import gc
import locale
import logging
import os
import random
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import httpx
import pytest

from llm_contracts.clients.effects import Effects
from llm_contracts.clients.process_state import list_lengths
from llm_contracts.clients.side_effects import found as side_effects
from llm_contracts.clients.side_effects import watched
from llm_contracts.clients.virtual_clock import Pauses, virtual_time
from tests.harness.meanwhile import meanwhile

FOREIGN: Any = ModuleType("foreign_library")
FOREIGN.callbacks = []


@pytest.fixture(autouse=True)
def restored(tmp_path: Path) -> Iterator[None]:
    """Everything that these tests change is put back."""
    folder, timeout, path, names = Path.cwd(), socket.getdefaulttimeout(), sys.path[:], dict(os.environ)
    thresholds = gc.get_threshold()
    level = logging.getLogger("foreign_library").level
    sys.modules["foreign_library"] = FOREIGN
    FOREIGN.drop_params = False
    FOREIGN.callbacks.clear()
    os.chdir(tmp_path)
    with warnings.catch_warnings():
        yield
    os.chdir(folder)
    socket.setdefaulttimeout(timeout)
    gc.set_threshold(*thresholds)
    sys.path[:] = path
    logging.getLogger("foreign_library").setLevel(level)
    logging.getLogger("foreign_library").disabled = False
    for name in os.environ.keys() - names.keys():
        del os.environ[name]
    del sys.modules["foreign_library"]


def found(act: Callable[[], Any]) -> dict[str, Any]:
    effects = Effects()
    with watched(effects):
        act()
    return side_effects(effects)


def in_a_thread(act: Callable[[], Any]) -> Callable[[], None]:
    def run() -> None:
        thread = Thread(target=act)
        thread.start()
        thread.join()

    return run


def attribute() -> None:
    FOREIGN.drop_params = True


def variable() -> None:
    os.environ["A_VARIABLE_OF_THIS_TEST"] = "value"


def folder() -> None:
    os.chdir("/")


def log_level() -> None:
    logging.getLogger("foreign_library").setLevel(logging.ERROR)


def warning_filter() -> None:
    warnings.simplefilter("ignore")


def time_limit() -> None:
    socket.setdefaulttimeout(12.5)


def search_path() -> None:
    sys.path.append("/a-folder-of-this-test")


def callback() -> None:
    FOREIGN.callbacks.append(print)


def seed() -> None:
    random.seed(1)


def logger_off() -> None:
    logging.getLogger("foreign_library").disabled = True


def module_replaced() -> None:
    sys.modules["foreign_library"] = ModuleType("foreign_library")


def unverified() -> None:
    httpx.Client(verify=False).close()


CHANGES = [
    (unverified, {"state.ssl.SSLContext.verify_mode": "set"}),
    (attribute, {"state.foreign_library.drop_params": "set to True"}),
    (variable, {"environ.A_VARIABLE_OF_THIS_TEST": "set"}),
    (folder, {"state.os.chdir": "set"}),
    (log_level, {"state.logging.foreign_library": "set"}),
    (warning_filter, {"state.warnings.filters": "set"}),
    (time_limit, {"state.socket.setdefaulttimeout": "set to 12.5"}),
    (search_path, {"state.sys.path": "longer"}),
    (sys.path.pop, {"state.sys.path": "shorter"}),
    (lambda: os.nice(0), {"state.os.nice": "set"}),
    (lambda: gc.set_threshold(700, 10, 7), {"state.gc.set_threshold": "set"}),
    (callback, {"state.foreign_library.callbacks": "longer"}),
    (seed, {"state.random.seed": "set"}),
    (logger_off, {"state.logging.foreign_library.disabled": "set to True"}),
    (module_replaced, {"state.sys.modules.foreign_library": "set"}),
    (lambda: sys.modules.pop("foreign_library"), {"state.sys.modules.foreign_library": "set"}),
]


@pytest.mark.parametrize(("act", "effects"), CHANGES, ids=[act.__name__ for act, _ in CHANGES])
def test_a_change_is_seen_at_every_call_also_from_another_thread(
    act: Callable[[], Any], effects: dict[str, Any]
) -> None:
    """The second call finds what the first one set, and sets it again."""
    assert found(act) == effects
    assert found(act) == effects
    assert found(in_a_thread(act)) == effects


@pytest.mark.parametrize("gone", ["one_of_two", "json.one_of_two"])
def test_a_module_that_others_replaced_between_two_calls_is_no_change(
    gone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their number stays the same here."""
    other: Any = ModuleType("the_other")
    other.callbacks = []
    monkeypatch.setitem(sys.modules, gone, ModuleType(gone))
    assert found(list) == {}
    monkeypatch.delitem(sys.modules, gone)
    monkeypatch.setitem(sys.modules, "the_other", other)
    assert found(list) == {}
    assert found(lambda: other.callbacks.append(1)) == {"state.the_other.callbacks": "longer"}


def test_a_module_that_came_while_another_call_runs_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """That call may hang for ever."""
    begun, end = threading.Event(), threading.Event()

    def another() -> None:
        with watched(Effects()):
            begun.set()
            end.wait(60)

    other = Thread(target=another)
    other.start()
    assert begun.wait(60)
    library: Any = ModuleType("came_later")
    monkeypatch.setitem(sys.modules, "came_later", library)
    try:
        assert found(lambda: setattr(library, "limit", 1)) == {"state.came_later.limit": "set to 1"}
    finally:
        end.set()
        other.join()


def test_a_proxy_is_not_asked_what_it_stands_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """openai's, which are names of its module, import its resources and make a client."""
    asked = []

    class Proxy:
        @property  # type: ignore[misc]
        def __class__(self) -> type:
            asked.append("what it stands for")
            return list

    library: Any = ModuleType("library_with_proxies")
    library.responses = Proxy()
    monkeypatch.setitem(sys.modules, "library_with_proxies", library)
    assert (found(list), asked) == ({}, [])


def test_what_a_call_leaves_in_the_context_of_its_thread_is_seen() -> None:
    own: ContextVar[str] = ContextVar("own")

    def left() -> None:
        own.set("a")
        decimal.getcontext().prec = 5

    def back() -> None:
        own.reset(own.set("a"))
        own.set("")
        assert decimal.Decimal(1) / 3 < 1  # sets the context's flags

    seen: list[dict[str, Any]] = []
    for act in (left, back):
        in_a_thread(partial(lambda act: seen.append(found(act)), act))()
    assert seen == [{"state.contextvars.own": "set", "state.contextvars.decimal_context": "set"}, {}]


def test_the_folder_that_a_call_leaves_is_the_next_call_s_again(tmp_path: Path) -> None:
    left = {"state.os.chdir": "set"}
    assert [found(folder), Path.cwd(), found(folder)] == [left, tmp_path, left]


def test_a_call_may_leave_a_folder_that_it_has_removed(tmp_path: Path) -> None:
    """Python says that it is about to change to another folder before it does."""

    def act(back: bool) -> None:
        here, removed = Path.cwd(), tmp_path / "removed"
        removed.mkdir()
        os.chdir(removed)
        removed.rmdir()
        if back:
            os.chdir(here)

    seen = [found(partial(act, back)) for back in (True, False)]
    assert [each.get("state.os.chdir") for each in seen] == [None, "set"]
    assert Path.cwd() == tmp_path


def test_modules_that_other_threads_import_meanwhile_do_not_fail_a_call() -> None:
    def load_and_forget(number: int) -> None:
        for each in range(20):
            sys.modules[f"module_{number}_{each}"] = ModuleType("module")
        for each in range(20):
            del sys.modules[f"module_{number}_{each}"]

    with meanwhile(load_and_forget):
        for _ in range(500):
            list_lengths()


def test_what_is_undone_is_no_change() -> None:
    def undone() -> None:
        FOREIGN.drop_params, before = True, FOREIGN.drop_params
        FOREIGN.drop_params = before
        os.environ["A_VARIABLE_OF_THIS_TEST"] = "value"
        del os.environ["A_VARIABLE_OF_THIS_TEST"]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.filterwarnings("error", append=True)
        limit = socket.getdefaulttimeout()
        socket.setdefaulttimeout(3.0)
        socket.setdefaulttimeout(limit)
        here = Path.cwd()
        os.chdir("/")
        os.chdir(here)
        locale.setlocale(locale.LC_ALL)
        locale.setlocale(category=locale.LC_NUMERIC, locale=locale.setlocale(locale.LC_NUMERIC, None))
        httpx.Client().close()
        assert not logging.getLogger(f"made_in_a_call_{id(here)}").disabled

    assert found(undone) == {}


def test_a_filter_in_front_is_seen_also_after_one_that_was_there_already_at_the_end() -> None:
    def filters() -> None:
        warnings.filterwarnings("ignore", "of this test", append=True)
        warnings.simplefilter("ignore")

    found(filters)  # makes the list longer
    assert found(filters)["state.warnings.filters"] == "set"


def test_what_others_do_meanwhile_and_what_a_module_does_to_itself_is_not_the_call() -> None:
    def meanwhile() -> None:
        effects = Effects()
        other = Thread(target=lambda: found(attribute))
        other.start()
        other.join()
        assert effects.changes == {}

    exec("def switch():\n    global drop_params\n    drop_params = True", vars(FOREIGN))
    assert found(vars(FOREIGN)["switch"]) == {}
    outside = Effects()
    with watched(outside):
        pass
    attribute()
    assert side_effects(outside) == {}
    meanwhile()


def test_a_clock_that_another_call_still_uses_is_no_change() -> None:
    def pauses() -> Pauses:
        return Pauses(sent=int, budget=1.0)

    effects = Effects()
    with ExitStack() as other:
        with watched(effects), virtual_time(pauses()):
            other.enter_context(virtual_time(pauses()))
        assert side_effects(effects) == {}


def test_what_an_import_sets_up_is_no_change(tmp_path: Path) -> None:
    (tmp_path / "set_up_by_import.py").write_text(
        "import logging, foreign_library\n"
        "foreign_library.drop_params = True\n"
        "logging.getLogger('foreign_library').setLevel(50)\n"
    )
    sys.path.insert(0, str(tmp_path))

    def imports() -> None:
        __import__("set_up_by_import")

    assert found(imports) == {}
    assert FOREIGN.drop_params is True


def test_a_module_may_change_while_it_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where garbage is collected meanwhile, and its finaliser hands over to a thread that imports."""
    module = ModuleType("busymodule")
    vars(module).update({f"name_{number}": number for number in range(30_000)}, growing=[1])
    monkeypatch.setitem(sys.modules, "busymodule", module)

    class Garbage:
        def __del__(self) -> None:
            vars(module)[f"found_{id(self)}"] = 1

    thresholds = gc.get_threshold()
    gc.disable()
    try:
        for _ in range(100):
            garbage = Garbage()
            vars(garbage)["itself"] = garbage
        gc.set_threshold(10_000)
        gc.enable()
        assert list_lengths()["state.busymodule.growing"] == 1
    finally:
        gc.set_threshold(*thresholds)
        gc.enable()


def test_nothing_is_left_in_place() -> None:
    before = (socket.setdefaulttimeout, logging.Logger.setLevel, warnings.simplefilter, type(FOREIGN))
    found(attribute)
    assert (socket.setdefaulttimeout, logging.Logger.setLevel, warnings.simplefilter, type(FOREIGN)) == before


def test_a_tool_that_traces_every_thread_is_no_change_of_the_call() -> None:
    """Coverage and debuggers: each new thread sets its own tracing. To hear of that would even delay it, and
    CPython 3.11 then refuses the next thread ("another trace function is being installed").
    """
    before = threading.gettrace()
    threading.settrace(lambda *_: None)
    try:
        assert found(in_a_thread(lambda: None)) == {}
    finally:
        threading.settrace(before)
