"""What a project says about the releases it wants to know about: `matrix.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from llm_contracts.matrix.pair import ReleasePair, Unsupported
from llm_contracts.project.config import ConfigError, nearest
from llm_contracts.util.files import read_file


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
            pairs=tuple(map(_pair, _rows(table, "pairs"))),
            unsupported=tuple(map(_unsupported, _rows(table, "unsupported"))),
            overrides=tuple(_text("overrides", row) for row in _rows(table, "overrides")),
            requirements=tuple(_text("requirements", row) for row in _rows(table, "requirements")),
        )
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from error


def _check_keys(table: Mapping[str, object], model: type[MatrixPlan | Unsupported], where: str = "") -> None:
    known = [field.name for field in fields(model)]
    for key in table:
        if key not in known:
            raise ConfigError(f"{where}{key}: there is no such key. {nearest(key, known)}")


def _rows(table: Mapping[str, object], key: str) -> list[object]:
    rows = table.get(key, [])
    if not isinstance(rows, list):
        raise ConfigError(f"{key}: must be a list, not {rows!r}.")
    return rows


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
