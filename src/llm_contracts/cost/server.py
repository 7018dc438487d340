"""The edge in a process of its own, so that its work is not counted among that of the clients.

It reads recordings from standard input, one a line, as JSON, and answers each with the origin at which it is
played from then on: event by event, as quickly as they are taken. It ends with its input, so it
never outlives the process that measures.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from llm_contracts.util.dataclass_json import from_json, to_json
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.proxy.straight import reached_straight

Serve = Callable[[Sequence[Interaction]], str]
"""Plays a recording, as often as it is asked for, and gives the origin at which it can be had."""


class ServerError(OSError):
    """The process that plays recordings has ended."""


@contextmanager
def serving() -> Iterator[Serve]:
    """A process that plays recordings, for as long as the context is open."""
    # -P: a file in the working directory must not take the place of a module.
    command = [sys.executable, "-P", "-m", __name__]
    with (
        reached_straight(os.environ),
        subprocess.Popen(  # noqa: S603 - our own module, and no shell reads the arguments
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        ) as process,
    ):
        try:
            yield lambda interactions: _origin_of_server(process, interactions)
        finally:
            process.kill()


def _origin_of_server(process: subprocess.Popen[str], interactions: Sequence[Interaction]) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(to_json(tuple(interactions))) + "\n")
    process.stdin.flush()
    origin = process.stdout.readline().strip()
    if not origin:
        raise ServerError("The process that plays recordings for measuring has ended.")
    return origin


def main() -> None:
    """Serve until there is no more input."""
    from llm_contracts.wire.proxy.playback_options import Fragmentation
    from llm_contracts.wire.proxy.server import Edge

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that measures
    with Edge() as edge:
        for line in sys.stdin:
            interactions = from_json(tuple[Interaction, ...], json.loads(line))
            session = edge.replay(interactions, pieces=Fragmentation.EVENTS)
            sys.stdout.write(f"{session.origin}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
