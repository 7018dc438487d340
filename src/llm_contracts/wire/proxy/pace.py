"""Sending no earlier than the provider did."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

Reach = Callable[[float | None], Awaitable[None]]
"""Waits until so many recorded milliseconds have passed; for an unknown time nobody waits."""


def paced(
    speed: float | None,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Reach:
    """What waits for the times of one exchange, counted from now on: when the request has arrived.

    Every time is kept against this beginning, not against the piece before, so that delays do not add up.

    Args:
        speed: how many times as fast as recorded; None waits for nothing.
        clock: seconds on a clock that never goes back.
        sleep: waits for so many seconds of that clock.
    """
    began = clock()

    async def reach(at_ms: float | None) -> None:
        if speed is None or at_ms is None:
            return
        remaining = began + at_ms / 1000 / speed - clock()
        if remaining > 0:
            await sleep(remaining)

    return reach
