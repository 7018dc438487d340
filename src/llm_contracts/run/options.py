"""How a check runs."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import date, datetime

from llm_contracts.project.config import ConfigError
from llm_contracts.run.engines import EngineName
from llm_contracts.run.shards import Shard
from llm_contracts.wire.proxy.playback_options import Fragmentation, Pieces

IN_FLIGHT = 4
"""Recordings that one process plays at a time: much of a run is waiting for clients that hold text back."""


def local_day() -> date:
    """The day where the person lives who runs this: waivers last until its end."""
    return datetime.now().astimezone().date()


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """How to run. Without names the project's own two clients are compared; `jobs`: processors to use, 0 for
    all; `pieces` and `speed`: see `opened`, of the wire engine only; `shard`: the part to run, of which no
    verdict is given.

    Raises:
        ConfigError: the engine cannot play in such pieces, or at this speed.
    """

    today: date = field(default_factory=local_day)
    reference: str | None = None
    candidate: str | None = None
    engine: EngineName = EngineName.WIRE
    jobs: int = 0
    timeout: float = 60.0
    pieces: Pieces | None = None
    speed: float | None = None
    shard: Shard | None = None

    def __post_init__(self) -> None:
        if self.engine is EngineName.VCR and (self.pieces is not None or self.speed is not None):
            raise ConfigError("The vcr engine plays whole bodies: --pieces and --speed need --engine wire.")

    @property
    def workers(self) -> int:
        """Threads to use where there is one process."""
        return self.in_flight * (1 if self.engine is EngineName.VCR else self.processors)

    @property
    def in_flight(self) -> int:
        """Recordings that a process plays at a time. The engine inside the process plays one: it patches the
        clients' connections.
        """
        return 1 if self.engine is EngineName.VCR else IN_FLIGHT

    @property
    def processors(self) -> int:
        """How many processors to keep busy."""
        return self.jobs or os.cpu_count() or 1

    @property
    def caveats(self) -> tuple[str, ...]:
        """What a run of this kind cannot see, a sentence each."""
        if self.engine is EngineName.VCR or self.pieces is Fragmentation.ONE or isinstance(self.pieces, int):
            late = "whether a client hands text on late (delivery_lag)"
            return (f"Bodies were not played by events: {late} could not show.",)
        return ()
