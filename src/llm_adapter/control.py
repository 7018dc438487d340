"""How long a call may keep its caller waiting, and how another thread cancels it.

An HTTP client's own timeouts hold for one operation each: connecting, one read, one attempt of several. Here
all operations of a call share one limit. It is known by the thread that makes the call, since no HTTP library
hands anything of a request down to where it reads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


class CallCancelled(BaseException):
    """The call was cancelled by another thread. No handler on the way may take it for an error."""


@dataclass(slots=True)
class CallControl:
    """The limits of one call.

    Attributes:
        timeout: seconds that the caller waits at most for the next piece, further attempts included; None for
            no limit.
        deadline: seconds that the whole call may take, from its first step on; None for no limit.
        clock: seconds that never run backwards.
        cancelled: no further step will be made.
    """

    timeout: float | None = None
    deadline: float | None = None
    clock: Callable[[], float] = time.monotonic
    cancelled: bool = False
    _ends: float | None = None
    _until: float | None = None
    _interrupt: Callable[[], None] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def limit(self, *, timeout: float | None, deadline: float | None) -> None:
        """Set the limits, once they are known; the present step counts."""
        self.timeout, self.deadline = timeout, deadline
        now = self.clock()
        self._ends = None if deadline is None else now + deadline
        self._until = self._earliest(now)

    @contextmanager
    def step(self) -> Iterator[None]:
        """A step of the call: the caller waits.

        Raises:
            CallCancelled: the call has been cancelled.
        """
        before, _ACTIVE.control = active(), self
        if self.timeout is not None or self._ends is not None:
            self._until = self._earliest(self.clock())
        try:
            self.check()
            yield
        finally:
            _ACTIVE.control = before

    def remaining(self) -> float | None:
        """Seconds until this wait must be over; None for ever. Not below 0."""
        return None if self._until is None else max(self._until - self.clock(), 0.0)

    def check(self) -> None:
        """Go on only if the call has not been cancelled.

        Raises:
            CallCancelled: it has.
        """
        if self.cancelled:
            raise CallCancelled

    def cancel(self) -> None:
        """End the call, from any thread: a wait ends at once, and no step follows."""
        with self._lock:
            self.cancelled = True
            if self._interrupt is not None:
                self._interrupt()

    def wait(self, operation: Callable[[], Any], interrupt: Callable[[], None]) -> Any:
        """The result of an operation that may block; `interrupt` makes it return or fail.

        Raises:
            CallCancelled: the call has been cancelled meanwhile, whatever the operation made of it.
        """
        with self._lock:
            self.check()
            self._interrupt = interrupt
        try:
            result = operation()
        except Exception:
            self.check()
            raise
        finally:
            with self._lock:
                self._interrupt = None
        self.check()
        return result

    def pause(self, seconds: float) -> None:
        """Wait so long, or until the call is cancelled."""
        over = threading.Event()
        self.wait(lambda: over.wait(seconds), over.set)

    def _earliest(self, now: float) -> float | None:
        ends = [end for end in (self._ends, None if self.timeout is None else now + self.timeout) if end]
        return min(ends, default=None)


_ACTIVE = threading.local()


def active() -> CallControl | None:
    """The limits of the call that this thread is making a step of."""
    return getattr(_ACTIVE, "control", None)
