"""What a project says about the releases it wants to know about: `matrix.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from llm_contracts.matrix.pair import ReleasePair, Unsupported
from llm_contracts.project.config import ConfigError, nearest

_LISTS = ("overrides", "requirements")
_PAIR = 2


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
        ConfigError: it cannot be read, or says something that means nothing; names the place.
    """
    if not file.is_file():
        return MatrixPlan()
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read as TOML: {error}") from error
    known = [field.name for field in fields(MatrixPlan)]
    for key in table:
        if key not in known:
            raise ConfigError(f"{file}: {key}: there is no such key. {nearest(key, known)}")
    return MatrixPlan(
        pairs=tuple(_pair(file, row) for row in _list(file, table, "pairs")),
        unsupported=tuple(_unsupported(file, row) for row in _list(file, table, "unsupported")),
        **{key: tuple(_text(file, key, row) for row in _list(file, table, key)) for key in _LISTS},
    )


def _list(file: Path, table: Mapping[str, Any], key: str) -> list[Any]:
    rows = table.get(key, [])
    if not isinstance(rows, list):
        raise ConfigError(f"{file}: {key}: must be a list, not {rows!r}.")
    return rows


def _text(file: Path, key: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{file}: {key}: must hold non-empty texts, not {value!r}.")
    return value


def _pair(file: Path, row: object) -> ReleasePair:
    if not isinstance(row, list) or len(row) != _PAIR:
        raise ConfigError(f'{file}: pairs: must hold pairs such as ["1.105.0", "2.54.0"], not {row!r}.')
    litellm, openai = (_text(file, "pairs", version) for version in row)
    return ReleasePair(litellm=litellm, openai=openai)


def _unsupported(file: Path, row: object) -> Unsupported:
    known = [field.name for field in fields(Unsupported)]
    if not isinstance(row, dict) or "reason" not in row:
        raise ConfigError(f"{file}: unsupported: each needs a reason, and has: {', '.join(known)}.")
    for key, value in row.items():
        if key not in known:
            raise ConfigError(f"{file}: unsupported: {key}: there is no such key. {nearest(key, known)}")
        _text(file, f"unsupported: {key}", value)
    for key in ("litellm", "openai"):
        _check_range(file, key, row.get(key))
    return Unsupported(**row)


def _check_range(file: Path, key: str, allowed: str | None) -> None:
    try:
        SpecifierSet(allowed or "")
    except InvalidSpecifier as error:
        raise ConfigError(
            f"{file}: unsupported: {key}: {allowed!r} is no range such as '>=1.80,<1.83'."
        ) from error
