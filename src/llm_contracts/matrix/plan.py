"""Pairs of releases to try together, and what a project says about them: `matrix.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from llm_contracts.project.config import ConfigError, nearest
from llm_contracts.util.files import read_file

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
        try:
            return all(
                SpecifierSet(allowed).contains(Version(version), prereleases=True)
                for allowed, version in ranges
                if allowed is not None
            )
        except InvalidVersion:
            return False


def by_age(version: str) -> tuple[int, Version, str]:
    """A key that sorts releases, oldest first; what is not a version comes last."""
    try:
        return (0, Version(version), version)
    except InvalidVersion:
        return (1, Version("0"), version)


@dataclass(frozen=True, kw_only=True, slots=True)
class MatrixPlan:
    """The file's content.

    Attributes:
        pairs: what is tried where no release is asked for.
        overrides: requirements that replace whatever packages ask for (uv's `--overrides`).
        requirements: what else the project's clients need to be importable.
        unsupported: what is not meant to work.
    """

    pairs: tuple[ReleasePair, ...] = ()
    overrides: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    unsupported: tuple[Unsupported, ...] = ()


def load_plan(file: Path) -> MatrixPlan:
    """Read the file; an empty plan where there is none.

    Raises:
        ConfigError: it cannot be read, or something in it has no meaning; names the place.
    """
    if not file.is_file():
        return MatrixPlan()
    try:
        table = tomllib.loads(read_file(file).decode())
    except (OSError, RecursionError, ValueError) as error:
        raise ConfigError(f"{file}: cannot be read as TOML: {error}") from error
    try:
        _check_keys(table, MatrixPlan)
        return MatrixPlan(
            pairs=tuple(map(_pair, table.get("pairs", ()))),
            unsupported=tuple(map(_unsupported, table.get("unsupported", ()))),
            overrides=tuple(_text("overrides", row) for row in table.get("overrides", ())),
            requirements=tuple(_text("requirements", row) for row in table.get("requirements", ())),
        )
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from error


def _check_keys(table: Mapping[str, object], model: type[MatrixPlan | Unsupported], where: str = "") -> None:
    known = [field.name for field in fields(model)]
    for key, value in table.items():
        if key not in known:
            raise ConfigError(f"{where}{key}: there is no such key. {nearest(key, known)}")
        if model is MatrixPlan and not isinstance(value, list):
            raise ConfigError(f"{key}: must be a list, not {value!r}.")


def _text(key: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{key}: must hold non-empty texts, not {value!r}.")
    return value


def _pair(row: object) -> ReleasePair:
    if not isinstance(row, list) or len(row) != len(fields(ReleasePair)):
        raise ConfigError(f'pairs: must hold pairs such as ["1.105.0", "2.54.0"], not {row!r}.')
    litellm, openai = (_text("pairs", version) for version in row)
    return ReleasePair(litellm=litellm, openai=openai)


def _unsupported(row: object) -> Unsupported:
    if not isinstance(row, dict) or "reason" not in row:
        names = ", ".join(field.name for field in fields(Unsupported))
        raise ConfigError(f"unsupported: each needs a reason, and has: {names}.")
    _check_keys(row, Unsupported, "unsupported: ")
    values = {key: _text(f"unsupported: {key}", value) for key, value in row.items()}
    for key in ("litellm", "openai"):
        try:
            SpecifierSet(values.get(key, ""))
        except InvalidSpecifier as error:
            msg = f"unsupported: {key}: {values[key]!r} is not a range such as '>=1.80,<1.83'."
            raise ConfigError(msg) from error
    return Unsupported(**values)
