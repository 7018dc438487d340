"""How long a call may keep its caller waiting, and how another thread cancels it.

An HTTP client's own timeouts hold for one operation each: connecting, one read, one attempt of several. Here
all operations of a call share one limit. It is known by the thread that makes the call, since no HTTP library
hands anything of a request down to where it reads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from math import isfinite, nan
from typing import Any, TypeVar

T = TypeVar("T")


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
    _interrupts: list[Callable[[], None]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, params: Mapping[str, Any], clock: Callable[[], float] = time.monotonic) -> CallControl:
        """With the limits that a call's parameters name; values that make no sense are refused elsewhere."""
        timeout, deadline = (_seconds(params.get(name)) for name in ("timeout", "deadline"))
        return cls(timeout=timeout, deadline=deadline, clock=clock)

    def begin(self) -> None:
        """The caller begins to wait."""
        if self.timeout is None and self.deadline is None:
            return
        now = self.clock()
        if self._ends is None and self.deadline is not None:
            self._ends = now + self.deadline
        ends = (self._ends, None if self.timeout is None else now + self.timeout)
        self._until = min((end for end in ends if end is not None), default=None)

    @contextmanager
    def step(self) -> Iterator[None]:
        """A step of the call: the caller waits.

        Raises:
            CallCancelled: the call has been cancelled.
        """
        before, _ACTIVE.control = active(), self
        self.begin()
        try:
            self.check()
            yield
        finally:
            _ACTIVE.control = before

    async def within(self, operation: Awaitable[T]) -> T:
        """The outcome of an operation on an event loop, in what is left of this wait.

        Raises:
            TimeoutError: it took longer.
        """
        remaining = self.remaining()
        if remaining is None:
            return await operation
        import asyncio  # a quarter of what importing this package takes, and few need it

        token = _ON_LOOP.set(self)
        try:
            async with asyncio.timeout(remaining):
                return await operation
        finally:
            _ON_LOOP.reset(token)

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
            for interrupt in self._interrupts:
                interrupt()

    def wait(self, operation: Callable[[], Any], interrupt: Callable[[], None]) -> Any:
        """The result of an operation that may block; `interrupt` makes it return or fail.

        Raises:
            CallCancelled: the call has been cancelled meanwhile, whatever the operation made of it.
        """
        self._let(interrupt)  # as `interruptible`, whose own machinery costs as much as reading a chunk
        try:
            result = operation()
        except Exception:
            self.check()
            raise
        finally:
            self._keep_from(interrupt)
        self.check()
        return result

    @contextmanager
    def interruptible(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Let `cancel` interrupt the block, in whatever way; a cancelled call does not enter it.

        Raises:
            CallCancelled: the call has been cancelled.
        """
        self._let(interrupt)
        try:
            yield
        finally:
            self._keep_from(interrupt)

    def _let(self, interrupt: Callable[[], None]) -> None:
        with self._lock:
            self.check()
            self._interrupts.append(interrupt)

    def _keep_from(self, interrupt: Callable[[], None]) -> None:
        with self._lock:
            self._interrupts.remove(interrupt)

    def pause(self, seconds: float) -> None:
        """Wait so long, or until the call is cancelled."""
        over = threading.Event()
        self.wait(lambda: over.wait(seconds), over.set)


def _seconds(value: Any) -> float | None:
    """A limit, where it is one for all: the SDK's own timeouts may name others for each operation."""
    try:
        seconds = float(value) if isinstance(value, (int, float, str)) else nan
    except ValueError:
        seconds = nan
    return seconds if isfinite(seconds) else None


_GLANCE_S = 0.02  # after which a thread that waits for a lock sees whether it still should

_ACTIVE = threading.local()
_ON_LOOP: ContextVar[CallControl | None] = ContextVar("call_control", default=None)


def active() -> CallControl | None:
    """The limits of the call that this thread or task is making a step of."""
    return getattr(_ACTIVE, "control", None) or _ON_LOOP.get()


def allows(pause: float) -> bool:
    """Whether the call that this thread or task is making a step of may wait so long, and then go on."""
    control = active()
    remaining = None if control is None else control.remaining()
    return remaining is None or pause < remaining


def acquired(lock: threading.Lock) -> bool:
    """Take a lock, if that takes no longer than the call that this thread makes a step of may still wait.

    Raises:
        CallCancelled: the call has been cancelled meanwhile.
    """
    control = active()
    if control is None:
        return lock.acquire()
    while not lock.acquire(timeout=_GLANCE_S):
        control.check()
        if control.remaining() == 0:
            return False
    return True
