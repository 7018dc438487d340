"""Pairs of releases to try together: what `matrix.toml` says about them, and what is asked for."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from llm_contracts.project.config import ConfigError, nearest
from llm_contracts.util.files import read_file
from llm_contracts.util.versions import versions

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


@dataclass(frozen=True, kw_only=True, slots=True)
class MatrixRequest:
    """The options of the command.

    Attributes:
        litellm, openai: releases, one after the other or with commas or blanks between.
        providers, scenarios, reference, candidate, corpus, jobs, timeout, cost: handed on to the check.
        overrides, requirements: beside those of `matrix.toml`.
        bisect: the kind of difference whose release is wanted.
        cache: uv's cache folder, in place of its own choice.
        report: the folder of the results, in place of the project's.
    """

    litellm: tuple[str, ...] = ()
    openai: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    reference: str | None = None
    candidate: str | None = None
    corpus: Path | None = None
    overrides: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    bisect: str | None = None
    cost: bool = False
    jobs: int | None = None
    timeout: float | None = None
    cache: Path | None = None
    report: Path | None = None

    def pairs(self, planned: Sequence[ReleasePair]) -> list[ReleasePair]:
        """What is asked for, each pair once; where nothing is, what the project plans."""
        here = pinned_pair()
        litellm, openai = (
            [part for value in values for part in value.replace(",", " ").split()]
            for values in (self.litellm, self.openai)
        )
        if not litellm and not openai:
            return list(dict.fromkeys(planned)) or [ReleasePair(litellm=LATEST, openai=LATEST)]
        pairs = (
            ReleasePair(litellm=one, openai=other)
            for one in litellm or [here.litellm]
            for other in openai or [here.openai]
        )
        return list(dict.fromkeys(pairs))

    def check_arguments(self, scenarios: Sequence[str] | None = None) -> tuple[str, ...]:
        """The command and options of the check that runs under each pair. `scenarios`: those to run, in place
        of what was asked for.
        """
        asked = {"provider": self.providers, "scenario": self.scenarios}
        if self.corpus is None and scenarios is not None:
            asked = {"scenario": tuple(scenarios)}
        words = ["check"] if self.corpus is None else ["corpus", str(self.corpus.absolute())]
        rest = {name: getattr(self, name) for name in ("reference", "candidate", "jobs", "timeout")}
        return (*words, *_options({**asked, **rest}), *(["--cost"] if self.cost else []))

    @property
    def command(self) -> str:
        """What was asked for, as one would type it; the files that it was written to are left out."""
        named = {
            "litellm": self.litellm,
            "openai": self.openai,
            "provider": self.providers,
            "scenario": self.scenarios,
            "reference": self.reference,
            "candidate": self.candidate,
            "corpus": self.corpus,
            "override": self.overrides,
            "bisect": self.bisect,
        }
        return shlex.join(["llm-contracts", "matrix", *_options(named), *(["--cost"] if self.cost else [])])


def pinned_pair() -> ReleasePair:
    """The pair that is installed here."""
    here = versions()
    return ReleasePair(litellm=here["litellm"], openai=here["openai"])


def _options(named: Mapping[str, object]) -> list[str]:
    """Options as words; one that was not given is left out, one with several values is repeated."""
    return [
        word
        for name, given in named.items()
        for value in (given if isinstance(given, (tuple, list)) else (given,))
        if value is not None
        for word in (f"--{name}", str(value))
    ]
