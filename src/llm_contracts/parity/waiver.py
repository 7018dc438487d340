"""One accepted difference: what it covers, why, by whom, and until when."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from llm_contracts.parity.divergence import Divergence, Kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiver:
    """One row of the waivers file.

    Attributes:
        kind: the one kind it accepts.
        provider, scenario, where: patterns in which `*` stands for anything and `?` for one character.
            Brackets mean themselves, so that `delta[17]` can be written as it is shown.
        litellm, openai: version ranges; it only holds under these, and under any where there is none.
        reason: why the difference is acceptable; shown in every report.
        by: who decided so.
        until: the last day on which it holds.
        place: file, line and entry, for messages.
    """

    kind: Kind
    provider: str
    scenario: str
    reason: str
    by: str
    until: date
    where: str = "*"
    litellm: str | None = None
    openai: str | None = None
    place: str = ""

    @property
    def identity(self) -> tuple[object, ...]:
        """What it covers. Two waivers with the same are duplicates, whatever their reasons."""
        return (self.kind, self.provider, self.scenario, self.where, self.litellm, self.openai)

    def covers(self, provider: str, scenario: str) -> bool:
        """Whether it is meant for this scenario."""
        return _fits(self.provider, provider) and _fits(self.scenario, scenario)

    def applies(self, versions: Mapping[str, str]) -> bool:
        """Whether it holds under these releases. A range is never met by a release that is not known."""
        ranges = {"litellm": self.litellm, "openai": self.openai}
        return all(_within(versions.get(name), allowed) for name, allowed in ranges.items() if allowed)

    def accepts(self, divergence: Divergence) -> bool:
        """Whether it is about this difference, in whichever scenario it occurs."""
        return divergence.kind is self.kind and _fits(self.where, divergence.where)


def _fits(pattern: str, name: str) -> bool:
    translated = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(translated, name, re.DOTALL) is not None


def _within(version: str | None, allowed: str) -> bool:
    try:
        return version is not None and SpecifierSet(allowed).contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False
