"""The wire between two lanes: which event became which chunk, and when it came.

A path's times in a replay say nothing about the provider. What is drawn are the recorded times of the events;
a chunk stands at the time of the last event that had been sent when the path handed it on.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from llm_contracts.parity.compare.finding import first_difference
from llm_contracts.reporting.lanes import chunk_line, quoted
from llm_contracts.review.tui.page import Row, whole
from llm_contracts.wire.sse import events

if TYPE_CHECKING:
    from llm_contracts.clients.observation import Observation
    from llm_contracts.parity.result import Item
    from llm_contracts.wire.interaction import Response

_SCALE = 56  # columns of the drawing
_SHADES = " ▁▃▅▇"


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """One event of the wire; `at_ms` is None where the recording has no times."""

    data: str
    at_ms: float | None


def moments(response: Response) -> tuple[Moment, ...]:
    """The events of an answer with the time at which each was complete."""
    pieces = response.pieces
    ends = list(accumulate(piece.size for piece in pieces or ()))
    return tuple(
        Moment(
            data=f"{event.name}: {event.data}" if event.name else event.data,
            at_ms=pieces[min(bisect_left(ends, event.end), len(ends) - 1)].at_ms if pieces else None,
        )
        for event in events(response.body)
    )


def wire_rows(item: Item) -> Iterator[Row]:
    """Every exchange: its status, then its events with the chunks that either client made of them."""
    handed = _handed(item)
    number = 0
    for exchange in item.exchanges:
        response = exchange.response
        yield whole(f"{exchange.request.method} {exchange.request.uri}")
        told = [
            f"{response.status} {response.reason}".strip(),
            f"{len(response.body):,} bytes",
            str(response.end),
        ]
        yield whole(f"  {', '.join(told)}")
        found = moments(response)
        before = ""
        for moment in found:
            number += 1
            yield _event_row(moment, number, handed, first_difference(before, moment.data))
            before = moment.data
        if not found:
            yield from (whole(f"  {line}") for line in _body_lines(response))
    if not item.exchanges:
        yield whole("The result holds no exchanges of this recording.")


def _event_row(moment: Moment, number: int, handed: Mapping[str, Mapping[int, list[str]]], same: int) -> Row:
    """One event; `same` is how much of it is as in the one before."""
    became = [found.get(number, []) for found in handed.values()]
    at = "" if moment.at_ms is None else f" {moment.at_ms:>6,.0f} ms"
    return whole(
        moment.data,
        label=f"{number:>4}{at} {'|'.join(str(len(chunks)) for chunks in became)}",
        differs=became[0] != became[1],
        fold="events",
        skip=same,
    )


def _body_lines(response: Response) -> list[str]:
    return response.body.decode("utf-8", "replace").splitlines() or ["(no body)"]


def _handed(item: Item) -> dict[str, dict[int, list[str]]]:
    """Side → number of an event → the chunks that were handed on after it and before the next."""
    sides = {"reference": item.reference, "candidate": item.candidate}
    return {name: _by_position(seen) for name, seen in sides.items()}


def _by_position(seen: Observation | None) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for chunk in seen.chunks if seen else ():
        if chunk.position is not None:
            found.setdefault(chunk.position, []).append(chunk_line(chunk))
    return found


# The time line


def time_rows(item: Item) -> Iterator[Row]:
    """A drawing to scale, then each delta with the event at which it was handed on."""
    times = [m.at_ms for exchange in item.exchanges for m in moments(exchange.response)]
    known = [at for at in times if at is not None]
    lanes = {"reference": item.reference, "candidate": item.candidate}
    if len(known) < len(times) or not known:
        yield whole("The recording has no times." if times else "There are no events on the wire.")
    else:
        yield from _drawing(known, lanes)
    yield whole("")
    left, right = (_deltas(seen, times) for seen in lanes.values())
    for number in range(max(len(left), len(right))):
        one = left[number] if number < len(left) else None
        other = right[number] if number < len(right) else None
        yield Row(left=one, right=other, label=str(number + 1), differs=one != other, fold="deltas")


def _drawing(times: Sequence[float], lanes: Mapping[str, Observation | None]) -> Iterator[Row]:
    last = max(times)
    yield whole(f"{'wire':<11}{_line(times, last)}  {len(times):,} events")
    for name, seen in lanes.items():
        at = [time for time in _times(seen, times) if time is not None]
        first = f", the first at {at[0]:,.0f} ms" if at else ""
        yield whole(f"{name:<11}{_line(at, last)}  {len(at):,} deltas{first}")
    yield whole(f"{'':<11}{'0 ms':<{_SCALE - 12}}{f'{last:,.0f} ms':>12}")


def _line(times: Sequence[float], last: float) -> str:
    """One column for each part of the time, the higher the more came in it."""
    counts = Counter(min(int(time / last * _SCALE), _SCALE - 1) if last > 0 else 0 for time in times)
    most = max(counts.values(), default=1)
    shades = len(_SHADES) - 1
    return "".join(_SHADES[-(-counts[column] * shades // most)] for column in range(_SCALE))


def _times(seen: Observation | None, times: Sequence[float | None]) -> list[float | None]:
    positions = [chunk.position for chunk in (seen.chunks if seen else ()) if chunk.text]
    return [_time_of(position, times) for position in positions]


def _time_of(position: int | None, times: Sequence[float | None]) -> float | None:
    return times[position - 1] if position and position <= len(times) else None


def _deltas(seen: Observation | None, times: Sequence[float | None]) -> list[str]:
    chunks = [chunk for chunk in (seen.chunks if seen else ()) if chunk.text]
    return [f"{_place(chunk.position, times)}  {quoted(chunk.text)}" for chunk in chunks]


def _place(position: int | None, times: Sequence[float | None]) -> str:
    at = _time_of(position, times)
    event = "event ?" if position is None else f"event {position}"
    return event if at is None else f"{event} {at:,.0f} ms"
