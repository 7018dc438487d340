"""Sending no further than the consumer has read: deliveries have the same position in every run."""

from __future__ import annotations

import asyncio
from bisect import bisect_right

_EXPIRIES = 2


class Lockstep:
    """One exchange's waiting.

    A client that holds some text back, as one that looks ahead by a chunk does, is waited for once in vain;
    from then on it is expected to lag by as much. When it falls further behind twice in a row, it buffers,
    and is not waited for any more.
    """

    def __init__(self, delivery: Delivery, patience: float) -> None:
        self._delivery = delivery
        self._patience = patience
        self._before = delivery.chars
        self._marks: list[int] = []
        self._lag = 0
        self._expiries = 0

    async def after(self, text: int) -> None:
        """The client has got `text` characters in this exchange: wait until the consumer has them too."""
        if self._expiries >= _EXPIRIES:
            return
        self._marks.append(text)
        awaited = self._marks[-1 - self._lag]
        if await self._delivery.reaches(self._before + awaited, self._patience):
            self._expiries = 0
        else:
            self._expiries += 1
            self._lag = len(self._marks) - bisect_right(self._marks, self._delivery.chars - self._before)


class Delivery:
    """How much text the consumer has handed on; belongs to the edge's loop."""

    def __init__(self) -> None:
        self.chars = 0
        self._waiting: dict[asyncio.Future[int], int] = {}  # and for how much; rarely more than one

    def progress(self, chars: int) -> None:
        """The consumer has handed on so many characters in all."""
        self.chars = chars
        for reached, wanted in self._waiting.items():
            if chars >= wanted:
                _settle(reached, chars)

    async def reaches(self, chars: int, patience: float) -> bool:
        """Whether the consumer gets so far within `patience` seconds."""
        if self.chars >= chars:
            return True
        loop = asyncio.get_running_loop()
        reached: asyncio.Future[int] = loop.create_future()
        expiry = loop.call_later(patience, _settle, reached, self.chars)
        self._waiting[reached] = chars
        try:
            return await reached >= chars
        finally:
            expiry.cancel()
            del self._waiting[reached]


def _settle(future: asyncio.Future[int], chars: int) -> None:
    if not future.done():
        future.set_result(chars)
