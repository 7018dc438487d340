"""Sending no earlier than the provider did."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


class Pace:
    """The times of one exchange, counted from its making: when the request has arrived.

    Every time is kept against this beginning, not against the piece before, so that delays do not add up.

    Args:
        speed: how many times as fast as recorded; None waits for nothing.
        clock: seconds on a clock that never goes back.
        sleep: waits for so many seconds of that clock.
    """

    def __init__(
        self,
        speed: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._speed = speed
        self._clock = clock
        self._sleep = sleep
        self._began = clock()

    async def reach(self, at_ms: float | None) -> None:
        """Wait until so many recorded milliseconds have passed; for an unknown time nobody waits."""
        if self._speed is None or at_ms is None:
            return
        remaining = self._began + at_ms / 1000 / self._speed - self._clock()
        if remaining > 0:
            await self._sleep(remaining)
