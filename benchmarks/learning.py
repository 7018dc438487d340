"""What it costs to learn the credentials of an import: two new cookies with each answer.

Where all is linear, an exchange takes as long among many as among few.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator

from benchmarks.measure import Figure, Size, figure
from llm_contracts.wire.interaction import Interaction, Request, Response
from llm_contracts.wire.scrub import Scrubber

_COUNTS = {Size.QUICK: (50, 100), Size.FULL: (50, 100, 200, 400)}
_EVENT = b'data: {"choices": [{"delta": {"content": "word "}}]}\n\n'


def run(size: Size) -> Iterator[Figure]:
    """Learn from more and more exchanges."""
    taken = {count: _seconds(count) / count for count in _COUNTS[size]}
    for count, seconds in taken.items():
        yield figure(f"{count} exchanges, {2 * count} cookies: each", [seconds * 1000], unit="ms")
    few, *_, many = taken
    yield figure(f"an exchange among {many} / among {few}", [taken[many] / taken[few]], at_most=1.5)


def exchange(number: int) -> Interaction:
    """An answer of a hundred events that sets two cookies."""
    values = (hashlib.sha256(f"{number}-{each}".encode()).hexdigest() for each in range(2))
    headers = tuple(("set-cookie", f"session={value}; Path=/") for value in values)
    return Interaction(
        request=Request(method="POST", uri="https://provider.example/v1", headers=(), body=b"{}"),
        response=Response(status=200, headers=headers, body=_EVENT * 100),
    )


def _seconds(count: int) -> float:
    """The processor time of learning from so many exchanges."""
    scrubber, begin = Scrubber({}), time.process_time()
    for each in map(exchange, range(count)):
        scrubber.learn((each,))
        assert not scrubber.find(scrubber.interaction(each).response.body)
    return time.process_time() - begin
