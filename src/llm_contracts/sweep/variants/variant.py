"""One variant of a recording, and the three families of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from llm_contracts.wire.interaction import End, Interaction


class Family(StrEnum):
    """What kind of thing was changed."""

    RECUT = "recut"  # the same answer in other pieces or another framing: nothing may change
    ENDS = "ends"  # the answer is over too early
    FAULTS = "faults"  # the provider does something wrong


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """A recording as it could have been.

    Attributes:
        name: what was changed (`crlf`), and after or in which event, counted from 1 (`cut@3`).
        family: what follows from it for the clients.
        interactions: the changed exchanges, in the order of the recording.
        patience: seconds that a client should wait for a byte at most; None leaves it to the client.
    """

    name: str
    family: Family
    interactions: tuple[Interaction, ...]
    patience: float | None = None

    @property
    def hurried(self) -> bool:
        """Whether what a client sees hangs on how fast it is: it gives up, or loses what it has not read."""
        reset = any(interaction.response.end is End.RESET for interaction in self.interactions)
        return reset or self.patience is not None
