"""What a client imports when it is called counts against nobody's time limit."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from llm_contracts.clients.call import Call
from llm_contracts.clients.imports import join
from tests.harness.clients.test_clients_observe import seen

WAITING = """
import sys
_, began, end = sys.modules["slow_hooks"].hooks
began.set()
end.wait({seconds})
"""


class Hooks:
    """What a module that is slow to import tells, and waits for."""

    def __init__(self) -> None:
        self.hooks = (self, threading.Event(), threading.Event())


@pytest.fixture
def hooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hooks]:
    found = Hooks()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "slow_hooks", found)
    (tmp_path / "slow_library.py").write_text(WAITING.format(seconds=60))
    (tmp_path / "slow_for_a_while.py").write_text(WAITING.format(seconds=0.7))
    yield found
    for name in ("slow_library", "slow_for_a_while"):
        sys.modules.pop(name, None)


class Watched(threading.Thread):
    """A thread for which one waits in vain until the third time."""

    def __init__(self, work: str, hooks: Hooks) -> None:
        super().__init__(
            target=lambda: import_module("slow_library") if work == "imports" else hooks.hooks[2].wait(60)
        )
        self._hooks = hooks
        self.waits = 0

    def join(self, timeout: float | None = None) -> None:
        self.waits += 1
        if self.waits == 3:
            self._hooks.hooks[2].set()
        super().join(60 if self.waits >= 3 else 0)


@pytest.mark.parametrize(
    ("work", "delay", "waits"), [("imports", 0.0, 3), ("hangs", 0.0, 1), ("hangs", 1.0, 2)]
)
def test_a_thread_gets_its_time_anew_as_long_as_it_imports_and_what_it_waited_for_a_processor(
    hooks: Hooks, work: str, delay: float, waits: int
) -> None:
    thread = Watched(work, hooks)
    thread.start()
    if work == "imports":
        hooks.hooks[1].wait(60)
    try:
        join(thread, 1.0, delay=lambda _: delay)
        assert thread.waits == waits
    finally:
        hooks.hooks[2].set()
        threading.Thread.join(thread)


def test_a_slow_import_is_not_a_hang(hooks: Hooks) -> None:
    def client(_call: Call) -> Iterator[str]:
        import_module("slow_for_a_while")
        yield "tea"

    observed = seen(client, timeout=0.5)
    assert hooks.hooks[1].is_set()
    assert (observed.text, observed.failure) == ("tea", None)
