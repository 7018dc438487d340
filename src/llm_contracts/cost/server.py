"""The edge in a process of its own, so that its work is not counted among that of the clients."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection

from llm_contracts.util.child import child
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.proxy.network import reached_straight
from llm_contracts.wire.proxy.playback_options import Fragmentation, PlaybackOptions
from llm_contracts.wire.proxy.server import Edge

Serve = Callable[[Sequence[Interaction]], str]
"""Plays a recording, as often as it is asked for, and gives the origin at which it can be had."""


class ServerError(OSError):
    """The process that plays recordings has ended."""


@contextmanager
def serving() -> Iterator[Serve]:
    """A process that plays recordings, event by event and as quickly as they are taken, for as long as the
    context is open; it never outlives the process that measures.
    """
    with reached_straight(os.environ), child(_play) as pipe:

        def serve(interactions: Sequence[Interaction]) -> str:
            try:
                pipe.send(tuple(interactions))
                return str(pipe.recv())
            except (OSError, EOFError) as error:
                raise ServerError("The process that plays recordings for measuring has ended.") from error

        yield serve


def _play(asked: Connection) -> None:
    """In that process: until whoever asks is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that measures
    with Edge() as edge, suppress(EOFError):
        while True:
            asked.send(edge.replay(asked.recv(), PlaybackOptions(pieces=Fragmentation.EVENTS)).origin)
