"""A project's settings, and the project as a value; `load` reads the rows and clients that it registers.

Everything here reads files that people write by hand, so every failure is a `ConfigError` that says which
file, which place in it, and what would be right.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from llm_contracts.clients.call import Client
from llm_contracts.clients.command import CommandClient
from llm_contracts.project.scenario import Provider, Scenario
from llm_contracts.simulator.dialect import Dialect
from llm_contracts.simulator.dialects import DIALECTS
from llm_contracts.util.environ import variables
from llm_contracts.util.files import files_below, files_like, read_file
from llm_contracts.util.text import first_names
from llm_contracts.wire.protocols import BUILT_IN, Protocols


class ConfigError(Exception):
    """The configuration cannot be used. The message names the place and the way out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Retiring:
    """`[tool.llm_contracts.retire]`: the names of what goes when the migration is over.

    Attributes:
        modules: dotted names of the old code.
        requirements: packages that only the old code needs.
        variables: settings that lose their meaning; `*` stands for any end of a name.
        words: anything else that gives a reference away.
        keep: globs of files that may go on naming them, such as a changelog.
    """

    modules: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All that is looked for."""
        return (*self.modules, *self.requirements, *self.variables, *self.words)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """`[tool.llm_contracts]` of the nearest pyproject.toml, with every path absolute.

    Without a project the defaults hold: the bare clients are compared, and nothing is registered.
    `distributions`: the project's own packages, whose releases matter; `strict`: normalisations that
    are switched off; `categories`: dotted names of error classes whose attribute `category` counts;
    `commands`: the clients of the tables `client.NAME`, which are programs.
    """

    root: Path
    clients: Path = Path("tests/contracts/clients.py")
    scenarios: Path = Path("tests/contracts/scenarios.py")
    waivers: Path = Path("tests/contracts/waivers.toml")
    cassettes: Path = Path("cassettes")
    snapshots: Path = Path("snapshots")
    reference: str = "openai"
    candidate: str = "litellm"
    stale_after_days: int = 90
    waiver_warning_days: int = 14
    waiver_days: int = 90
    retire: Retiring = Retiring()
    matrix: Path = Path("tests/contracts/matrix.toml")
    distributions: tuple[str, ...] = ()
    strict: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    commands: Mapping[str, CommandClient] = field(default_factory=dict)

    @property
    def report(self) -> Path:
        """Where `check` leaves its result for `verdict` and for other reports."""
        return self.root / "report"

    def shown(self, file: Path) -> str:
        """A file as messages name it: from the root if it lies below."""
        return str(file.relative_to(self.root) if file.is_relative_to(self.root) else file)


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """The settings together with what the project's own two files register."""

    settings: Settings
    clients: Mapping[str, Client] = field(default_factory=dict)
    providers: tuple[Provider, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    protocols: Protocols = BUILT_IN

    def protocols_of(self, provider: str, scenario: Scenario | None = None) -> Protocols:
        """By which protocols to read what a provider sends: the one that the scenario's row or its own
        names, or all there are.

        A name without a row, as a corpus may have, gets all.
        """
        of_provider = next((row.protocol for row in self.providers if row.name == provider), None)
        named = (scenario.protocol if scenario is not None else None) or of_provider
        return tuple(one for one in self.protocols if named in (None, one.name))

    def dialect_of(self, provider: str) -> Dialect | None:
        """In which dialect the simulator plays a provider; None if nobody has named one."""
        named = next((row.dialect for row in self.providers if row.name == provider), None) or provider
        return DIALECTS.get(named) if isinstance(named, str) else named

    def provider(self, name: str) -> Provider:
        """The row of one provider.

        Raises:
            ConfigError: with the nearest names, if there is no such row.
        """
        by_name = {provider.name: provider for provider in self.providers}
        return by_name[checked_name("provider", name, by_name)]

    def cassette(self, scenario: Scenario) -> Path:
        """Where the recording of a scenario lives, whether or not it has been made."""
        return self.settings.cassettes / scenario.provider / f"{scenario.id}.yaml"

    def is_recorded(self, scenario: Scenario) -> bool:
        """Whether something lies there, be it readable or not."""
        return os.path.lexists(self.cassette(scenario))

    def without_scenario(self, provider: str = "") -> tuple[str, ...]:
        """The recordings that no scenario replays, by name: all below the folder, or those of a provider."""
        folder, owned = self.settings.cassettes, set(map(self.cassette, self.scenarios))
        files = files_like(folder / provider, "*.yaml") if provider else files_below(folder, "*.yaml")
        left = (file.relative_to(folder).with_suffix("").as_posix() for file in files if file not in owned)
        return tuple(sorted(left))

    def select(self, providers: Sequence[str] = (), scenarios: Sequence[str] = ()) -> tuple[Scenario, ...]:
        """The rows of these providers and these scenarios (by id or by `provider/id`), in their own order;
        all where nothing is asked for.

        Raises:
            ConfigError: with the nearest names, for a name that fits no row.
        """
        known = {provider.name for provider in self.providers}
        wanted = {checked_name("provider", name, known) for name in providers}
        names = {name for row in self.scenarios for name in (row.id, row.name)}
        ids = {checked_name("scenario", name, names) for name in scenarios}
        return tuple(
            row
            for row in self.scenarios
            if (not wanted or row.provider in wanted) and (not ids or ids & {row.id, row.name})
        )


def nearest(name: str, known: Iterable[str]) -> str:
    """A half sentence for a message: the names most like `name`, or some of all where none is near."""
    names = sorted(known, key=lambda each: ("/" in each, each))
    near = (
        difflib.get_close_matches(name, names, n=3, cutoff=0.6)
        or [each for each in names if name in each][:3]
    )
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return f"Known: {first_names(names, _SHOWN)}." if names else "None is registered."


def checked_name(what: str, name: str, known: Iterable[str]) -> str:
    """`name`, if it is known.

    Raises:
        ConfigError: with the nearest names, if it is not.
    """
    names = set(known)
    if name not in names:
        raise ConfigError(f"There is no {what} {name!r}. {nearest(name, names)}")
    return name


def find_root(start: Path) -> Path | None:
    """The nearest folder from `start` upward whose pyproject.toml has a `[tool.llm_contracts]` table."""
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if file.is_file() and _table(file) is not None:
            return folder
    return None


def load_settings(start: Path, *, needed: bool = False) -> Settings:
    """Read the settings that hold for a folder.

    Args:
        start: the folder.
        needed: whether the defaults, which hold without a project, are of no use.

    Raises:
        ConfigError: for TOML that cannot be read, an unknown key, or a value of the wrong type; if a project
            is needed, for a folder that belongs to none.
    """
    root = find_root(start.resolve())
    if root is None and needed:
        raise ConfigError(
            f"{start.resolve()} belongs to no project: no pyproject.toml here or above has a "
            "[tool.llm_contracts] table. Go to the project's folder, or begin one here: `llm-contracts init`."
        )
    folder = root or start.resolve()
    file = folder / "pyproject.toml"
    table = (_table(file) if root else None) or {}
    defaults = ((each.name, each.default) for each in fields(Settings))
    given: dict[str, Any] = {name: folder / place for name, place in defaults if isinstance(place, Path)}
    for key, value in table.items():
        place = f"{file}: [tool.llm_contracts] {key}"
        if key not in _READERS:
            raise ConfigError(f"{place}: there is no such key. {nearest(key, _READERS)}")
        given["commands" if key == "client" else key] = _READERS[key](place, value, folder)
    return Settings(root=folder, **given)


_SHOWN = 20  # names in a message


def _table(file: Path) -> dict[str, Any] | None:
    try:
        document = tomllib.loads(read_file(file).decode())
    except (OSError, RecursionError, ValueError) as error:
        raise ConfigError(f"{file}: cannot be read as TOML: {error}") from error
    tools = document.get("tool", {})
    if not isinstance(tools, dict):
        raise ConfigError(f"{file}: tool must be a table.")
    table = tools.get("llm_contracts")
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{file}: tool.llm_contracts must be a table.")
    return table


def _text(place: str, value: Any, _root: Path) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ConfigError(f"{place}: must be a non-empty text, not {value!r}.")
    return value


def _path(place: str, value: Any, root: Path) -> Path:
    return root / _text(place, value, root)


def _module(place: str, value: Any, root: Path) -> Path:
    file = _path(place, value, root)
    if not file.is_file():
        raise ConfigError(f"{place}: there is no file {value!r} beside it.")
    return file


def _days(place: str, value: Any, _root: Path) -> int:
    if type(value) is not int or value < 1:
        raise ConfigError(f"{place}: must be a number of days, 1 or more, not {value!r}.")
    return value


def _names(place: str, names: Any, _root: Path) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ConfigError(f"{place}: must be a list of non-empty texts, not {names!r}.")
    return tuple(names)


def _retiring(place: str, table: Any, root: Path) -> Retiring:
    place = place.removesuffix("] retire") + ".retire]"
    known = [field.name for field in fields(Retiring)]
    if not isinstance(table, dict):
        raise ConfigError(f"{place} must be a table with lists of names: {', '.join(known)}.")
    for key in table:
        if key not in known:
            raise ConfigError(f"{place} {key}: there is no such key. {nearest(key, known)}")
    return Retiring(**{key: _names(f"{place} {key}", names, root) for key, names in table.items()})


def _commands(place: str, table: Any, root: Path) -> dict[str, CommandClient]:
    commands = {}
    for name, row in (table if isinstance(table, dict) else {"": None}).items():
        if not isinstance(row, dict) or row.keys() != {"command"}:
            raise ConfigError(f'{place}.{name or "NAME"}: must be a table: command = ["program", …].')
        words = _names(f"{place}.{name} command", row["command"], root)
        if not words:
            raise ConfigError(f"{place}.{name} command: there is no program in it.")
        commands[name] = CommandClient(command=words, folder=root)
    return commands


_BY_TYPE = {type(Path()): _path, str: _text, int: _days, tuple: _names, Retiring: _retiring}
_READERS: Mapping[str, Callable[[str, Any, Path], Any]] = {
    **{each.name: _BY_TYPE[kind] for each in fields(Settings) if (kind := type(each.default)) in _BY_TYPE},
    **dict.fromkeys(("clients", "scenarios"), _module),
    "client": _commands,
}
"""Key of the table → what makes its value of it, given its place in messages and the project's folder."""


def address_fault(url: str) -> str:
    """Why an address cannot be taken apart; empty where it can."""
    try:
        _ = urlsplit(url).port
    except ValueError as error:
        return str(error)
    return ""


def env_file(file: Path) -> str:
    """What `.env` says; nothing where there is none. Managers of secrets make it a pipe that gives it once.

    Raises:
        OSError, ValueError: it cannot be read.
    """
    return read_file(file, writer_within=10).decode().removeprefix("\ufeff") if file.exists() else ""


def environment(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables to work with: those of the process, then those of the project's `.env`.

    The process itself is left as it is, so that no client library picks a key up behind our back.

    Raises:
        ConfigError: `.env` cannot be read.
    """
    from dotenv import dotenv_values

    file = settings.root / ".env"
    try:
        stored = dotenv_values(stream=StringIO(env_file(file)), interpolate=False)
    except (OSError, ValueError) as error:  # without its text, which may hold a piece of a key
        raise ConfigError(f"{file}: cannot be read ({type(error).__name__}). Save it as UTF-8.") from None
    return {**{key: value for key, value in stored.items() if value is not None}, **variables(environ)}
