"""How long a thread was ready to run while no processor took it: the machine's doing, not the client's."""

from __future__ import annotations

FILE = "/proc/thread-self/schedstat"
"""Of this thread: nanoseconds on a processor, nanoseconds waiting for one, and how often it got one (Linux's
Documentation/scheduler/sched-stats.rst).
"""


def run_delay(file: str = FILE) -> float:
    """The seconds that this thread has waited for a processor so far; 0 where the system does not say."""
    try:
        with open(file, "rb", buffering=0) as stat:  # noqa: PTH123 - read again and again in a stream
            return int(stat.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0
