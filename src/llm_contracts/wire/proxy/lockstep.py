"""Sending no further than the consumer has read: deliveries have the same position in every run."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import suppress

Marks = tuple[int, ...]
"""Characters of text, reasoning, tool calls' arguments, other choices' text, and any choice's text: what a
user or an agent waits for. See `WireFacts.progress`.
"""

NOTHING: Marks = (0, 0, 0, 0, 0)

_EXPIRIES = 2
_UNSEEN = 0.3  # of the patience: many clients hand on text alone, and are waited for in vain on all else
_TEXT = (0, 4)


class Lockstep:
    """One exchange's waiting, for one of the marks.

    A client that holds some of it back, as one that looks ahead by a chunk does, is waited for once in vain;
    from then on it is expected to lag by as much. When it falls further behind twice in a row, it buffers, or
    does not hand this on at all, and is not waited for any more.
    """

    def __init__(self, delivery: Delivery, number: int, patience: float) -> None:
        self._delivery = delivery
        self._number = number
        self._patience = patience
        self._before = delivery.handed[number]
        self._marks: list[int] = [0]
        self._lag = 0
        self._expiries = 0

    async def after(self, mark: int) -> None:
        """The client has got so much in this exchange: wait until the consumer has it too."""
        if self._expiries >= _EXPIRIES or mark <= self._marks[-1]:
            return
        self._marks.append(mark)
        unseen = self._number not in _TEXT and not self._delivery.handed[self._number]
        patience = self._patience * _UNSEEN if unseen else self._patience
        awaited = self._before + self._marks[max(0, len(self._marks) - 1 - self._lag)]
        if await self._delivery.reaches(self._number, awaited, patience):
            self._expiries = 0
        else:
            self._expiries += 1
            reached = self._delivery.handed[self._number] - self._before
            self._lag = len(self._marks) - bisect_right(self._marks, reached)


class Delivery:
    """How much the consumer has handed on; belongs to the edge's loop.

    `spent` are the seconds for which it was waited for in vain.
    """

    def __init__(self) -> None:
        self.handed = NOTHING
        self.spent = 0.0
        self._given_up = False
        self._changed = asyncio.Event()

    def progress(self, handed: Sequence[int]) -> None:
        """The consumer has handed on so many characters in all."""
        self.handed = tuple(handed)
        self._changed.set()

    def give_up(self) -> None:
        """From now on nobody is waited for."""
        self._given_up = True
        self._changed.set()

    async def reaches(self, number: int, chars: int, patience: float) -> bool:
        """Whether the consumer gets so far within `patience` seconds."""
        if self._given_up or self.handed[number] >= chars:
            return self.handed[number] >= chars
        begun = time.monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self.handed[number] < chars and not self._given_up:
                    self._changed.clear()  # who was woken by it goes on all the same
                    await self._changed.wait()
        in_time = self.handed[number] >= chars
        if not in_time:
            self.spent += time.monotonic() - begun
        return in_time
