"""How a recording is played: in which pieces, how fast, and whether it waits for the consumer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from llm_contracts.wire.protocols import BUILT_IN, Protocols


class Fragmentation(StrEnum):
    """Where a body is cut into the pieces in which it is sent."""

    RECORDED = "recorded"  # as the provider sent it; in one piece where that is not known
    EVENTS = "events"  # after each server-sent event; a body without events as recorded
    ONE = "one"  # nowhere


Pieces = Fragmentation | int
"""A rule of cutting, or so many bytes a piece."""

RECORDED_SPEED = 1.0
"""As fast as the provider was. None, in the place of a speed, is as fast as the client takes it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlaybackOptions:
    """How to play.

    The three go together: a piece leaves when its time has come and, in lockstep, when the consumer has
    handed on the text of the pieces before it.

    Attributes:
        pieces: where to cut; None is event by event in lockstep, else as recorded.
        speed: how many times as fast as recorded: 10 makes a pause of a second one of 0.1. None leaves out
            every pause. Where a recording knows no times there are none to keep.
        lockstep: wait for the consumer after each piece that adds text.
        patience: seconds to wait for the consumer at most.
        silence: seconds for which a provider that stopped sending, or whose client left, stays connected.
        protocols: by which the text is found that lockstep waits for.
    """

    pieces: Pieces | None = None
    speed: float | None = None
    lockstep: bool = False
    patience: float = 0.25
    silence: float = 10.0
    protocols: Protocols = BUILT_IN

    @property
    def cutting(self) -> Pieces:
        """Where bodies are cut."""
        if self.pieces is not None:
            return self.pieces
        return Fragmentation.EVENTS if self.lockstep else Fragmentation.RECORDED


def pieces_from(text: str) -> Pieces:
    """What `--pieces` means.

    Raises:
        ValueError: it is neither the name of a rule nor a positive number of bytes.
    """
    if text in list(Fragmentation):
        return Fragmentation(text)
    if text.isascii() and text.isdigit() and int(text):
        return int(text)
    raise ValueError(f"{text!r} is neither {', '.join(Fragmentation)} nor a positive number of bytes")
