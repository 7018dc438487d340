"""A project from its own files: clients.py and scenarios.py are imported, and their rows are checked."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from llm_contracts.clients.call import Client
from llm_contracts.clients.libraries.litellm import offline_litellm
from llm_contracts.project.config import ConfigError, Project, Settings, address_fault, nearest
from llm_contracts.project.inputs import executed_files
from llm_contracts.project.recorded_scenarios import captured_rows
from llm_contracts.project.scenario import Provider, Scenario
from llm_contracts.simulator.dialects import DIALECTS
from llm_contracts.wire.protocols import BUILT_IN, Protocol, Protocols


def load_project(settings: Settings, *, names_only: bool = False) -> Project:
    """Import the project's clients.py and scenarios.py. A missing file registers nothing.

    Args:
        settings: where the files are.
        names_only: whether nothing but names is asked for, so that no recording has to be read.

    Raises:
        ConfigError: if a file cannot be imported or registers something else than it should.
    """
    executed_files()  # hears from now on
    # The project's files may import their neighbours by their place below the root, from any folder and also
    # when they are called, until another project is loaded.
    sys.path[:] = [_Root(settings.root), *(entry for entry in sys.path if not isinstance(entry, _Root))]
    registered = _module(settings.clients)
    scenarios = _module(settings.scenarios)
    providers = _rows(settings.clients, registered, "PROVIDERS", Provider)
    rows = _rows(settings.scenarios, scenarios, "SCENARIOS", Scenario)
    protocols = (*_rows(settings.clients, registered, "PROTOCOLS", Protocol), *BUILT_IN)
    for provider in providers:
        _check_fields(settings.clients, provider)
    for row in rows:
        _check_fields(settings.scenarios, row)
    _check_names(settings, protocols, providers, rows)
    # What was captured brings its rows with it; one that the project has written itself comes first.
    further, captured = captured_rows(settings.cassettes, providers, protocols, read=not names_only)
    names = {row.name for row in rows}
    return Project(
        settings=settings,
        clients=_registered_clients(settings, registered),
        providers=(*providers, *further),
        scenarios=(*rows, *(row for row in captured if row.name not in names)),
        protocols=protocols,
    )


class _Root(str):
    """The entry of `sys.path` that is a project's."""

    __slots__ = ()


def _module(file: Path) -> ModuleType | None:
    if not file.is_file():
        return None
    # Two projects in one process must not share a module, and dataclasses look their module up by name.
    name = f"_llm_contracts_{file.stem}_{hashlib.sha256(str(file).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with offline_litellm():
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise ConfigError(f"{file}: cannot be imported: {type(error).__name__}: {error}") from error
    return module


Row = TypeVar("Row", Provider, Scenario, Protocol)


def _rows(file: Path, module: ModuleType | None, name: str, kind: type[Row]) -> tuple[Row, ...]:
    found: Any = getattr(module, name, ())
    if not isinstance(found, Iterable):
        raise ConfigError(f"{file}: {name} must be a list of rows, not {type(found).__name__}.")
    rows: tuple[Row, ...] = tuple(found)
    for number, row in enumerate(rows):
        if not isinstance(row, kind):
            raise ConfigError(
                f"{file}: {name}[{number}] must be a {kind.__name__}, not {type(row).__name__}."
            )
    return rows


def _check_fields(file: Path, row: Provider | Scenario) -> None:
    """Each is of the type that is declared, and the base URL can be read. Later nobody would know the row."""
    declared: Any = type(row)
    for name, kinds in _kinds_of(declared).items():
        value = getattr(row, name)
        if not any(_is_a(kind, value) for kind in kinds):
            wanted = " or ".join(map(_display_type, kinds))
            given = repr(value) if isinstance(value, str) else type(value).__name__
            raise ConfigError(f"{file}: {row.name}: {name} must be {wanted}, not {given}.")
    if fault := address_fault(row.base_url):
        raise ConfigError(f"{file}: {row.name}: {row.base_url!r} is not a base URL: {fault}.")


@cache
def _kinds_of(declared: Any) -> Mapping[str, tuple[Any, ...]]:
    """Field → the types that it may have."""
    return {
        name: get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
        for name, hint in get_type_hints(declared).items()
    }


def _is_a(kind: Any, value: Any) -> bool:
    origin = get_origin(kind)
    if origin is tuple:  # a list will do
        (part, _) = get_args(kind)
        sequence = isinstance(value, Sequence) and not isinstance(value, str | bytes)
        return sequence and all(_is_a(part, each) for each in value)
    if choices := _choices(kind):
        return value in choices
    return kind is Any or isinstance(value, origin or kind)


def _choices(kind: Any) -> tuple[str, ...]:
    is_enum = isinstance(kind, type) and issubclass(kind, StrEnum)
    return tuple(kind) if is_enum else get_args(kind) if get_origin(kind) is Literal else ()


def _display_type(kind: Any) -> str:
    if get_origin(kind) is tuple:
        return f"a list of {_display_type(get_args(kind)[0]).removeprefix('a ')}s"
    return (
        " or ".join(map(repr, map(str, _choices(kind))))
        or {str: "a text", type(None): "None", bool: "True or False"}.get(kind)
        or f"a {(get_origin(kind) or kind).__name__.replace('Mapping', 'mapping')}"
    )


def _registered_clients(settings: Settings, module: ModuleType | None) -> dict[str, Client]:
    file = settings.clients
    clients: Any = getattr(module, "CLIENTS", {})
    if not isinstance(clients, Mapping):
        raise ConfigError(
            f"{file}: CLIENTS must be a mapping of names and clients, not {type(clients).__name__}."
        )
    for name, client in clients.items():
        if not callable(client):
            raise ConfigError(f"{file}: CLIENTS[{name!r}] must be callable, not {type(client).__name__}.")
    if twice := sorted(clients.keys() & settings.commands.keys()):
        raise ConfigError(f"{file}: CLIENTS: {twice[0]!r} is a table in pyproject.toml, too.")
    return {**clients, **settings.commands}


def _check_names(
    settings: Settings, protocols: Protocols, providers: Sequence[Provider], rows: Sequence[Scenario]
) -> None:
    """None stands twice, and each that a row names is there."""
    known = [one.name for one in protocols]
    names = [row.name for row in providers]
    place = "{} stands there twice; a scenario's name is its cassette's place."
    for file, sentence, every in (
        (settings.clients, "PROTOCOLS: there are two protocols called {!r}.", known),
        (settings.clients, "PROVIDERS: there are two providers called {!r}.", names),
        (settings.scenarios, place, [row.name for row in rows]),
    ):
        if twice := [name for name, count in Counter(every).items() if count > 1]:
            raise ConfigError(f"{file}: {sentence.format(twice[0])}")
    for file, row, what, name, there in (
        *((settings.clients, row.name, "protocol", row.protocol, known) for row in providers),
        *((settings.clients, row.name, "dialect", row.dialect, DIALECTS) for row in providers),
        *((settings.scenarios, row.name, "provider", row.provider, names) for row in rows),
        *((settings.scenarios, row.name, "protocol", row.protocol, known) for row in rows),
    ):
        if isinstance(name, str) and name not in there:  # a dialect may be an object
            raise ConfigError(f"{file}: {row}: there is no {what} {name!r}. {nearest(name, there)}")
