"""The two ways to play a recording to a client, behind one callable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from typing import Protocol
from urllib.parse import urlsplit

from llm_contracts.clients.session import SessionLike
from llm_contracts.project.config import ConfigError
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.protocols import BUILT_IN, Protocols
from llm_contracts.wire.proxy.playback_options import Pieces, PlaybackOptions
from llm_contracts.wire.proxy.timeline import seconds


class EngineName(StrEnum):
    """How recordings are played."""

    WIRE = "wire"  # over a real socket on loopback, piece by piece
    VCR = "vcr"  # inside the process through vcrpy, whole bodies, one recording at a time


@dataclass(frozen=True, kw_only=True, slots=True)
class Play:
    """One recording being played.

    Attributes:
        session: what to observe.
        origin: what takes the place of the provider's address; without it the client keeps that.
        seconds: how long the recording itself takes at this speed. It is added to a path's time limit, which
            is meant for what the path does.
    """

    session: SessionLike
    origin: str | None = None
    seconds: float = 0.0

    def address(self, base_url: str) -> str:
        """What the client must use as base URL in place of the provider's own."""
        return base_url if self.origin is None else self.origin + urlsplit(base_url).path


PATIENCE = 1.5
"""Seconds to wait for a consumer: on a busy machine a client may take one for a few hundred events that hold
no text.
"""


class Engine(Protocol):
    """Plays interactions for as long as the context is open. `protocols`: how their text is found."""

    def __call__(
        self, interactions: tuple[Interaction, ...], protocols: Protocols = ..., /
    ) -> AbstractContextManager[Play]: ...


@contextmanager
def opened(
    name: EngineName, *, pieces: Pieces | None = None, speed: float | None = None, lockstep: bool = True
) -> Iterator[Engine]:
    """An engine that is ready to play; shut down afterwards.

    The wire engine plays in lockstep: in whichever pieces and at whichever speed, a piece leaves only when
    the consumer has handed on the text of those before it. So the position of each delivery is the same in
    every run, and a client that holds text back can be told from a machine that was busy.

    Args:
        name: which engine.
        pieces: where the wire engine cuts bodies; by default after each event.
        speed: how many times as fast as recorded it plays; by default without pauses.
        lockstep: whether the wire engine waits for the client.

    Raises:
        ConfigError: the library of the vcr engine is not installed.
    """
    if name is EngineName.VCR:
        if find_spec("vcr") is None:
            raise ConfigError("--engine vcr needs vcrpy: pip install 'llm-contracts[vcr]'.")
        from llm_contracts.run.engines.vcr import play_in_process

        yield play_in_process
        return
    from llm_contracts.wire.proxy.server import Edge

    with Edge() as edge:

        @contextmanager
        def play(interactions: tuple[Interaction, ...], protocols: Protocols = BUILT_IN) -> Iterator[Play]:
            with edge.replay(
                interactions,
                PlaybackOptions(
                    lockstep=lockstep, patience=PATIENCE, pieces=pieces, speed=speed, protocols=protocols
                ),
            ) as session:
                taken = seconds(interactions) / speed if speed else 0.0
                yield Play(session=session, origin=session.origin, seconds=taken)

        yield play


class UnplayableError(Exception):
    """The engine cannot play this recording; another one can, and the message says which."""
