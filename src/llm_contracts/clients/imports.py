"""Importing is not calling: who imports a library when called gets the time for the call anew afterwards.

LiteLLM takes seconds to import, and on a busy machine a minute; none of that says anything about its calls.
"""

from __future__ import annotations

import sys
import time
from threading import Thread

_LONGEST = 600.0  # seconds; what is still imported then does not end
_IMPORT = "<frozen importlib._bootstrap>"


def join(thread: Thread, timeout: float) -> None:
    """Wait for a thread for so many seconds, and as long again whenever modules were imported meanwhile."""
    last = time.monotonic() + _LONGEST
    loaded = len(sys.modules)
    thread.join(timeout)
    while thread.is_alive() and time.monotonic() < last and (len(sys.modules) > loaded or _imports(thread)):
        loaded = len(sys.modules)
        thread.join(timeout)


def _imports(thread: Thread) -> bool:
    """Whether the thread is in the middle of an import, or waits for another thread's."""
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 - documented, for debuggers and such
    while frame is not None:
        if frame.f_code.co_filename == _IMPORT:
            return True
        frame = frame.f_back
    return False
