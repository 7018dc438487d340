"""A recorded body cut into the steps in which it is sent. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import Response
from llm_contracts.wire.sse import events


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """Bytes that are sent in one go.

    Attributes:
        data: the bytes.
        events: how many events are complete once they are sent.
        text: how many characters of text the client has got by then, if this step adds any; else None.
    """

    data: bytes
    events: int
    text: int | None = None


def as_recorded(response: Response) -> tuple[Step, ...]:
    """The pieces of the recording; the whole body where they were not recorded."""
    ends = [event.end for event in events(response.body)]
    sizes = [len(response.body)] if response.pieces is None else [piece.size for piece in response.pieces]
    return tuple(
        Step(data=response.body[start:stop], events=bisect_right(ends, stop))
        for start, stop in pairwise(accumulate(sizes, initial=0))
        if stop > start
    )


def event_by_event(response: Response) -> tuple[Step, ...]:
    """One event a step, whatever the pieces of the recording; a body without events goes out as recorded."""
    facts = read_facts(response)
    if not facts.text_after:
        return as_recorded(response)
    return tuple(_event_steps(response, facts.text_after))


def _event_steps(response: Response, text_after: tuple[int, ...]) -> Iterator[Step]:
    start = text = index = 0
    for index, (event, after) in enumerate(zip(events(response.body), text_after, strict=True), start=1):
        yield Step(data=response.body[start : event.end], events=index, text=after if after > text else None)
        start, text = event.end, after
    if start < len(response.body):
        yield Step(data=response.body[start:], events=index)
