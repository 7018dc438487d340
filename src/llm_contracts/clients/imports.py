"""Importing is not calling: who imports a library when called gets the time for the call anew afterwards.

LiteLLM takes seconds to import, and on a busy machine a minute; none of that says anything about its calls.
Nor does what a thread waits for a processor.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from threading import Thread

from llm_contracts.clients.run_delay import run_delay

_LONGEST = 600.0  # seconds; what is still imported then does not end
_SHORT = 0.05  # seconds
_IMPORT = "<frozen importlib._bootstrap>"


def _delay(thread: Thread) -> float:
    return run_delay(f"/proc/self/task/{thread.native_id}/schedstat")


def join(thread: Thread, timeout: float, *, delay: Callable[[Thread], float] = _delay) -> None:
    """Wait for a thread for so many seconds, and as long again whenever modules were imported meanwhile. What
    it has waited for a processor (`delay`) comes on top, twice, because so has the edge that it talks to; at
    most three times the limit.
    """
    last = time.monotonic() + _LONGEST
    loaded = len(sys.modules)
    thread.join(timeout)
    while thread.is_alive() and time.monotonic() < last and (len(sys.modules) > loaded or _imports(thread)):
        loaded = len(sys.modules)
        thread.join(timeout)
    granted = 0.0
    while thread.is_alive() and time.monotonic() < last:
        more = min(2 * delay(thread), 3 * timeout) - granted
        if more < _SHORT:
            return
        thread.join(more)
        granted += more


def _imports(thread: Thread) -> bool:
    """Whether the thread is in the middle of an import, or waits for another thread's."""
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 - documented, for debuggers and such
    while frame is not None:
        if frame.f_code.co_filename == _IMPORT:
            return True
        frame = frame.f_back
    return False
