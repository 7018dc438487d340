"""The two ways to play a recording to a client, behind one callable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from llm_contracts.paths.observe import SessionLike
from llm_contracts.wire.interaction import Interaction


class EngineName(StrEnum):
    """How recordings are played."""

    WIRE = "wire"  # over a real socket on loopback, piece by piece
    VCR = "vcr"  # inside the process through vcrpy, whole bodies, one recording at a time


@dataclass(frozen=True, kw_only=True, slots=True)
class Play:
    """One recording being played. Without an `origin` the client keeps the provider's own address."""

    session: SessionLike
    origin: str | None = None

    def address(self, base_url: str) -> str:
        """What the client must use as base URL in place of the provider's own."""
        return base_url if self.origin is None else self.origin + urlsplit(base_url).path


_PATIENCE = 1.5  # seconds; on a busy machine a client may take one for a few hundred events that hold no text

Engine = Callable[[tuple[Interaction, ...]], AbstractContextManager[Play]]
"""Plays interactions for as long as the context is open."""


@contextmanager
def opened(name: EngineName) -> Iterator[Engine]:
    """An engine that is ready to play; shut down afterwards."""
    if name is EngineName.VCR:
        yield _vcr
        return
    from llm_contracts.wire.edge import Edge

    with Edge() as edge:

        @contextmanager
        def play(interactions: tuple[Interaction, ...]) -> Iterator[Play]:
            with edge.replay(interactions, lockstep=True, patience=_PATIENCE) as session:
                yield Play(session=session, origin=session.origin)

        yield play


class UnplayableError(Exception):
    """The engine cannot play this recording; another one can, and the message says which."""


@contextmanager
def _vcr(interactions: tuple[Interaction, ...]) -> Iterator[Play]:
    from llm_contracts.wire.vcr import NotReplayableError, VcrReplay

    try:
        replay = VcrReplay(interactions)
    except NotReplayableError as error:
        raise UnplayableError(str(error)) from error
    with replay as session:
        yield Play(session=session)
