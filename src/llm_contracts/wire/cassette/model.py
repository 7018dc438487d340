"""What one cassette file holds: the exchanges, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from llm_contracts.wire.interaction import Interaction


class Provenance(StrEnum):
    """What a recording is worth as evidence."""

    LIVE = "live"  # a real provider answered
    SIMULATED = "simulated"  # the project's simulator answered, through the real recorder
    SCRIPTED = "scripted"  # written by hand
    IMPORTED = "imported"  # recorded by somebody else


@dataclass(frozen=True, kw_only=True, slots=True)
class Recording:
    """Where a cassette comes from.

    Attributes:
        provenance: who answered.
        recorded_at: UTC, to the second.
        provider, scenario: whose recording it is; it counts for no other.
        client: the name of the client that made the calls.
        versions: tool → version.
        address: the base URL that was really called; empty for a simulator, and in older files.
        digest: the digest that the file was read with; empty for what has not been written yet, and in
            older files. A file whose content has another one is not read.
    """

    provenance: Provenance
    recorded_at: datetime
    provider: str
    scenario: str
    client: str
    versions: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    digest: str = field(default="", compare=False)

    def age(self, on: date) -> int:
        """Whole days since it was made, on a given day. What limits are set for is this number."""
        return (on - self.recorded_at.date()).days


@dataclass(frozen=True, kw_only=True, slots=True)
class Cassette:
    """What one file holds. `recording` is None for files that plain vcrpy wrote."""

    interactions: tuple[Interaction, ...]
    recording: Recording | None = None
