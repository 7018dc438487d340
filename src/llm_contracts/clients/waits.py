"""How long a client waits, on the clock: what it does not sleep on the virtual clock takes time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from llm_contracts.clients.run_delay import run_delay, run_delay_of_programs
from llm_contracts.clients.virtual_clock import Pauses

_NOTICED = 0.25  # seconds; on a busy machine less is not a pause
_SHORT = 0.01  # seconds; what load adds to less is not asked for


@dataclass(kw_only=True, slots=True)
class Waits:
    """The waiting of one run, noted in its thread. `spent`: the seconds so far for which the other side has
    waited in vain, which are not the client's. What the thread waited for a processor is not either.
    """

    spent: Callable[[], float]
    started: float = field(default_factory=time.monotonic)
    _gaps: dict[str, float] = field(default_factory=dict)
    _last: float = 0.0
    _spent: float = 0.0
    _delay: float = 0.0
    _programs: float = 0.0
    _first_delay: float | None = None

    def note(self, index: int) -> None:
        """Note how long the client took for this item since the one before."""
        now, spent = time.monotonic(), self.spent()
        gap = now - (self._last or self.started) - (spent - self._spent)
        if gap >= _SHORT:
            delay = run_delay()
            gap -= delay - self._delay
            self._delay = delay
            if self._first_delay is None:
                self._first_delay = delay
        if gap >= _NOTICED:
            delay = run_delay_of_programs()
            gap -= max(0.0, delay - self._programs)  # less than before where a program has ended since
            self._programs = delay
        if gap >= _NOTICED:
            self._gaps[f"stream[{index}]"] = round(gap, 3)
        self._last, self._spent = now, spent

    def found(
        self, skipped: Pauses, requests: int, times: Sequence[tuple[float, float | None]], *, starting: bool
    ) -> tuple[tuple[float, ...], dict[str, float]]:
        """The pauses between so many requests, and all waiting by its place, in seconds.

        Args:
            skipped: what was slept on the virtual clock.
            requests: how many there were.
            times: when each came and its answer ended, as far as that is known.
            starting: whether the client starts anew for each call, which takes its time.
        """
        pauses, waits = list(skipped.between(requests)), dict[str, float]()
        load = self._first_delay or 0.0
        for index, ((_, ended), (begun, _)) in enumerate(pairwise(times)):
            real = 0.0 if ended is None else begun - ended - load
            if real >= _NOTICED and index < len(pauses):
                pauses[index] = round(pauses[index] + real, 3)
                waits[f"pauses[{index}]"] = round(real, 3)
        to_first = 0.0 if starting or not times else times[0][0] - self.started - load
        before = skipped.after(0) + (to_first if to_first >= _NOTICED else 0.0)
        inside = skipped.after(requests) if requests else 0.0
        waits |= {name: round(value, 3) for name, value in (("before", before), ("stream", inside)) if value}
        waits |= {place: gap for place, gap in self._gaps.items() if place != "stream[0]"}
        to_last = times[-1][0] - self.started if times else 0.0
        if (gap := self._gaps.get("stream[0]", 0.0) - to_last) >= _NOTICED:
            waits["stream[0]"] = round(gap, 3)
        return tuple(pauses), waits
