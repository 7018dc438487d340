"""Two releases to try together, and what is known beforehand about such pairs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

LATEST = "latest"
"""Stands for the newest release that the index has and the rest of a pair allows."""


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class ReleasePair:
    """A release of LiteLLM and one of openai, each a version or `latest`."""

    litellm: str
    openai: str

    def __str__(self) -> str:
        return f"LiteLLM {self.litellm} with openai {self.openai}"

    @property
    def folder(self) -> str:
        """A name for a folder of its own."""
        return f"litellm-{self.litellm}-openai-{self.openai}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Unsupported:
    """A row about releases that are not meant to work.

    Attributes:
        reason: why; shown wherever it matters.
        litellm, openai: version ranges; all releases where there is none.
        provider: for this provider alone. Without one the pair is not tried, not even installed.
    """

    reason: str
    litellm: str | None = None
    openai: str | None = None
    provider: str | None = None

    def covers(self, pair: ReleasePair) -> bool:
        """Whether it is about this pair. Nothing is known about a `latest` that has not been looked up."""
        ranges = ((self.litellm, pair.litellm), (self.openai, pair.openai))
        return all(_within(version, allowed) for allowed, version in ranges if allowed is not None)


def unsupported(pair: ReleasePair, rows: Iterable[Unsupported]) -> tuple[Unsupported, ...]:
    """The rows that are about this pair."""
    return tuple(row for row in rows if row.covers(pair))


def by_age(version: str) -> tuple[int, Version, str]:
    """A key that sorts releases, oldest first; what is not a version comes last."""
    try:
        return (0, Version(version), version)
    except InvalidVersion:
        return (1, Version("0"), version)


def _within(version: str, allowed: str) -> bool:
    try:
        return SpecifierSet(allowed).contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False
