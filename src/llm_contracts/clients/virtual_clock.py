"""Pauses without waiting: how long a client sleeps between two attempts is noted, and not slept.

Clients back off before they try again: for half a second, for one, or for as long as a provider's
Retry-After says. How long they mean to wait is part of what they do; observing it does not take waiting. So
while a client is observed, its thread and whatever inherits that thread's context sleep on a virtual clock.
All other threads sleep as ever. An asynchronous client is given an event loop that does the same for
`asyncio.sleep`, and for that alone: its timers and time limits are real.

This is the only place where a foreign function is replaced, and only while a client is observed. A client
that imported `time.sleep` by name, or that pauses in a thread of its own making, really sleeps, and that is
not noted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVarTuple

from llm_contracts.clients.replacing import replaced

_Arguments = TypeVarTuple("_Arguments")

SHORTEST = 0.05
"""Seconds. Shorter sleeps are polls of some other thread's work; skipping these would be a busy loop."""


@dataclass(kw_only=True, slots=True)
class Pauses:
    """The pauses of one run.

    Attributes:
        sent: how many requests have arrived so far.
        budget: seconds that may still be skipped. A longer pause is really slept, so that a client that
            sleeps for ever still runs into its time limit.
    """

    sent: Callable[[], int]
    budget: float
    _noted: list[tuple[int, float]] = field(default_factory=list)

    def note(self, seconds: float) -> bool:
        """Note a pause; False if it has to be slept."""
        if not SHORTEST <= seconds <= self.budget:
            return False
        self.budget -= seconds
        self._noted.append((self.sent(), seconds))
        return True

    def between(self, requests: int) -> tuple[float, ...]:
        """The seconds asked for between each of so many requests and the next, in milliseconds' precision."""
        return tuple(self.after(sent) for sent in range(1, requests))

    def after(self, requests: int) -> float:
        """The seconds asked for when exactly so many requests had been sent."""
        return round(sum(seconds for sent, seconds in tuple(self._noted) if sent == requests), 3)


@contextmanager
def virtual_time(pauses: Pauses) -> Iterator[None]:
    """Sleep on a virtual clock in this context; `pauses` notes what is skipped."""
    token = _OBSERVED.set(pauses)
    try:
        with replaced([(time, "sleep", partial(partial, _sleep))]):
            yield
    finally:
        _OBSERVED.reset(token)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in which `asyncio.sleep` takes no time; `pauses` notes what is skipped."""

    def __init__(self, pauses: Pauses) -> None:
        super().__init__()
        self._pauses = pauses

    def call_later(
        self,
        delay: float,
        callback: Callable[[*_Arguments], object],
        *args: *_Arguments,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call it at once where it only ends a sleep."""
        asleep = callback is _WAKE
        return super().call_later(
            0 if asleep and self._pauses.note(delay) else delay, callback, *args, context=context
        )


# What `asyncio.sleep` alone asks a loop to call. Without it, asynchronous clients would really sleep.
_WAKE = getattr(asyncio.futures, "_set_result_unless_cancelled", None)


def _sleep(really: Callable[[Any], None], seconds: Any, /) -> None:
    """In the place of `time.sleep`."""
    pauses = _OBSERVED.get()
    if pauses is None or not pauses.note(seconds):
        really(seconds)


_OBSERVED: ContextVar[Pauses | None] = ContextVar("observed", default=None)
