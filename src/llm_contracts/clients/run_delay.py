"""How long a client was ready to run while no processor took it: the machine's doing, not the client's."""

from __future__ import annotations

FILE = "/proc/thread-self/schedstat"
"""Of this thread: nanoseconds on a processor, nanoseconds waiting for one, and how often it got one (Linux's
Documentation/scheduler/sched-stats.rst).
"""

CHILDREN = "/proc/thread-self/children"
"""The processes that this thread has started and not yet waited for, if the system lists them (proc(5))."""


def run_delay(file: str = FILE) -> float:
    """The seconds that this thread has waited for a processor so far; 0 where the system does not say."""
    try:
        return int(_words(file)[1]) / 1e9
    except (ValueError, IndexError):
        return 0.0


def run_delay_of_programs(children: str = CHILDREN) -> float:
    """The same of the main threads of all programs that this thread has started and that still run."""
    return sum(run_delay(f"/proc/{process.decode()}/schedstat") for process in _words(children))


def is_own_reading(path: str) -> bool:
    """Whether a file is read for this measure: no client has opened it."""
    return path in (FILE, CHILDREN) or (path.startswith("/proc/") and path.endswith("/schedstat"))


def _words(file: str) -> list[bytes]:
    try:
        with open(file, "rb", buffering=0) as stat:  # noqa: PTH123 - read again and again in a stream
            return stat.read().split()
    except OSError:
        return []
