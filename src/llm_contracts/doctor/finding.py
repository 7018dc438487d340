"""What an examination says, and how bad it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

AREAS = ("environment", "keys", "recordings", "waivers", "result", "secrets")
"""What can be examined apart. `.env` belongs to the keys."""


class FindingLevel(StrEnum):
    """How much a finding asks for, the least first."""

    OK = "ok"
    NOTE = "note"  # good to know; nothing has to be done
    WARNING = "warning"  # to be seen to, before it stops somebody
    FAULT = "fault"  # something does not work, or will not when it is needed
    UNREADABLE = "unreadable"  # a recording or a result that cannot be read
    SECRET = "secret"  # noqa: S105 - the level's name, not a secret


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One sentence about one thing, and the way out where something is wrong. Never a secret's value."""

    area: str
    level: FindingLevel
    what: str
    way_out: str = ""


def finding(level: FindingLevel, what: str, way_out: str = "") -> Finding:
    """A finding; whoever asked for it knows the area."""
    return Finding(area="", level=level, what=what, way_out=way_out)


ok = partial(finding, FindingLevel.OK)
note = partial(finding, FindingLevel.NOTE)
warning = partial(finding, FindingLevel.WARNING)
fault = partial(finding, FindingLevel.FAULT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """Everything that was found, area by area.

    Attributes:
        findings: in the order in which they are read.
        keys: provider → variable → where it is set: `environment`, `.env` or nowhere (None).
        recordings: provenance → number of recordings.
    """

    findings: tuple[Finding, ...]
    keys: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    recordings: Mapping[str, int] = field(default_factory=dict)

    @property
    def worst(self) -> FindingLevel:
        """The level of the worst finding."""
        return max(
            (finding.level for finding in self.findings),
            key=list(FindingLevel).index,
            default=FindingLevel.OK,
        )
