"""One accepted difference: what it covers, why, by whom, and until when."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from llm_contracts.parity.compare import ABSENT
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.parity.value_class import change_of
from llm_contracts.parity.variant_names import split


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiver:
    """One row of the waivers file.

    Attributes:
        kind: the one kind it accepts.
        provider, scenario, where: patterns in which `*` stands for anything and `?` for one character.
            Brackets mean themselves, so that `delta[17]` can be written as it is shown. A scenario's pattern
            with a `~` in it is for variants of recordings alone (`*~cut@*`), one without it for recordings.
            Provider and scenario may have several patterns, with `|` between them (in the file: a list).
        reference, candidate: patterns for what became of what, as `review` shows it (`absent`, `rate_limit`).
            A failure is accepted only by a row that names both; of variants only where one fails.
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
    reference: str | None = None
    candidate: str | None = None
    litellm: str | None = None
    openai: str | None = None
    place: str = ""

    @property
    def identity(self) -> Waiver:
        """What it covers. Two waivers with the same are duplicates, whatever their reasons."""
        return replace(self, reason="", by="", until=date.max, place="")

    @property
    def for_variants(self) -> bool:
        """Whether it is about variants of recordings, never about a recording as it is."""
        return any(split(pattern)[1] for pattern in self.scenario.split("|"))

    def covers(self, provider: str, scenario: str) -> bool:
        """Whether it is meant for this scenario, or for this variant of one.

        What has been accepted of a recording (`plain-stream`, `*`) is not accepted of its variants by that:
        a difference may be harmless in an answer and fatal where the answer is cut.
        """
        patterns = self.scenario.split("|")
        return _fits_some(self.provider, provider) and any(_covers(each, scenario) for each in patterns)

    def covers_recording(self, provider: str, scenario: str) -> bool:
        """Whether it is meant for this scenario's recording, or for variants of it."""
        recording = split(scenario)[0]
        return _fits_some(self.provider, provider) and any(
            _fits(split(pattern)[0], recording) for pattern in self.scenario.split("|")
        )

    def applies(self, versions: Mapping[str, str]) -> bool:
        """Whether it holds under these releases. A range is never met by a release that is not known."""
        ranges = {"litellm": self.litellm, "openai": self.openai}
        return all(_within(versions.get(name), allowed) for name, allowed in ranges.items() if allowed)

    def accepts(self, divergence: Divergence) -> bool:
        """Whether it is about this difference, in whichever scenario it occurs."""
        if divergence.kind is not self.kind or not _fits(self.where, divergence.where):
            return False
        wanted = self.reference, self.candidate
        alone = ABSENT in (divergence.reference, divergence.candidate)
        if divergence.kind is Kind.ERROR and None in wanted and (alone or not self.for_variants):
            return False
        changed = zip(wanted, change_of(divergence), strict=True)
        return all(pattern is None or _fits(pattern, value) for pattern, value in changed)


def _covers(pattern: str, scenario: str) -> bool:
    (recordings, variants), (recording, variant) = split(pattern), split(scenario)
    same_kind = bool(variants) == bool(variant)
    return same_kind and _fits(recordings, recording) and _fits(variants, variant)


def _fits_some(patterns: str, name: str) -> bool:
    return any(_fits(pattern, name) for pattern in patterns.split("|"))


def _fits(pattern: str, name: str) -> bool:
    return _compiled(pattern).fullmatch(name) is not None


@lru_cache(maxsize=4096)  # each is asked about every recording
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _within(version: str | None, allowed: str) -> bool:
    try:
        return version is not None and SpecifierSet(allowed).contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False
