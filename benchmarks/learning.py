"""What it costs to learn the credentials of an import: two new cookies with each answer.

    python -m benchmarks.learning

Each row has twice the exchanges of the one before: where all is linear, the time per exchange stays the same.
"""

from __future__ import annotations

import hashlib
import sys
import time

from llm_contracts.wire.interaction import Interaction, Request, Response
from llm_contracts.wire.scrub import Scrubber

ROWS = (50, 100, 200, 400)
_EVENT = b'data: {"choices": [{"delta": {"content": "word "}}]}\n\n'


def exchange(number: int) -> Interaction:
    """An answer of a hundred events that sets two cookies."""
    values = (hashlib.sha256(f"{number}-{each}".encode()).hexdigest() for each in range(2))
    headers = tuple(("set-cookie", f"session={value}; Path=/") for value in values)
    return Interaction(
        request=Request(method="POST", uri="https://provider.example/v1", headers=(), body=b"{}"),
        response=Response(status=200, headers=headers, body=_EVENT * 100),
    )


def main() -> None:
    """Print a row for each number of exchanges."""
    for count in ROWS:
        scrubber, begin = Scrubber({}), time.process_time()
        for number in range(count):
            each = exchange(number)
            scrubber.learn((each,))
            assert not scrubber.find(scrubber.interaction(each).response.body)
        taken = time.process_time() - begin
        each_ms = taken / count * 1000
        sys.stdout.write(f"{count:4} exchanges, {2 * count} cookies: {taken:6.2f} s, {each_ms:.1f} ms each\n")


if __name__ == "__main__":
    main()
