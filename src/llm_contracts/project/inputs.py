"""What a stored result was made from, so that a verdict is never read off a result that no longer holds."""

from __future__ import annotations

import hashlib
import json
import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from llm_contracts.project.config import ConfigError, Settings
from llm_contracts.util.files import files_below, files_like, read_file
from llm_contracts.util.text import first_names
from llm_contracts.util.versions import installed_packages, versions

_OWN = Path(__file__).parents[1]
SETTINGS = "pyproject.toml (tool.llm_contracts)"
_SHOWN = 3  # changed inputs in the message: enough to see why


def refuse_stale(settings: Settings, document: Mapping[str, Any]) -> None:
    """Stop where a stored result no longer holds.

    Raises:
        ConfigError: naming what has changed since.
    """
    changed = outdated(settings, document)
    if changed:
        raise ConfigError(
            f"The stored result is out of date: since then, changed: {first_names(changed, _SHOWN)}. "
            "Run `llm-contracts check` again."
        )


def outdated(
    settings: Settings, document: Mapping[str, Any], *, now: datetime | None = None
) -> tuple[str, ...]:
    """What a stored result (`results/document`) depends on and has changed since: files, versions, the day.
    Empty where it holds. A result that does not say what it was made from is judged by the rest.
    """
    stored, used = document.get("inputs"), document.get("versions", {})
    compared = (document.get("reference", ""), document.get("candidate", ""))
    installed = versions(settings.distributions, compared)
    changed = [
        *(changed_since(settings, stored) if stored is not None else ()),
        *(name for name, version in installed.items() if used.get(name) != version),
    ]
    if not changed and (packages := document.get("packages")):
        here = installed_packages()
        changed += (name for name, version in packages.items() if here.get(name) != version)
    made = datetime.fromisoformat(document["checked_at"]).astimezone()
    if made.date() != (now or datetime.now(UTC)).astimezone().date():
        changed.append("the date, on which waivers and the age of recordings depend")
    return tuple(changed)


def input_files(settings: Settings, clients: Iterable[str] = ()) -> dict[str, str]:
    """Path → digest, of everything a result depends on: recordings, waivers, the project's own rows and
    clients, all code that this process has loaded and that is not installed, and what the settings say about
    comparing. Paths are relative to the project's root where they lie below it. `clients`: names of clients;
    where one is `module:attribute`, the loaded files of its package belong to it, installed or not.
    """
    files = {*_settings_files(settings), *code_files(settings.root), *_client_files(clients)}
    return {SETTINGS: _settings_digest(settings), **digests(settings.root, files)}


def digests(root: Path, files: Iterable[Path]) -> dict[str, str]:
    """Path → digest, of those that are there."""
    found = ((_name(root, file), _digest(file)) for file in sorted(files, key=str))
    return {name: digest for name, digest in found if digest}


def _name(root: Path, file: Path) -> str:
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)


def _settings_digest(settings: Settings) -> str:
    """A digest of what the settings say about comparing; a changed age or place shows by itself."""
    commands = {name: client.command for name, client in settings.commands.items()}
    text = json.dumps([settings.strict, settings.categories, commands], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _client_files(clients: Iterable[str]) -> Iterator[Path]:
    packages = {name.partition(":")[0].partition(".")[0] for name in clients if ":" in name}
    for name, module in sys.modules.copy().items() if packages else ():
        if name.partition(".")[0] in packages and (file := getattr(module, "__file__", None)) is not None:
            yield Path(file).resolve()


def changed_since(settings: Settings, stored: Mapping[str, str]) -> tuple[str, ...]:
    """The files that are new, gone or different since `stored` was made."""
    there = {_name(settings.root, file) for file in _settings_files(settings) if file.is_file()}
    names = sorted((there | stored.keys()) - {SETTINGS})
    changed = (name for name in names if stored.get(name) != _digest(settings.root / name))
    return (*([] if stored.get(SETTINGS) == _settings_digest(settings) else [SETTINGS]), *changed)


def _settings_files(settings: Settings) -> Iterator[Path]:
    yield from files_below(settings.cassettes, "*.yaml")
    for pattern in ("*/*.yaml", "*/captured-*.json"):  # unlike `rglob`, also in folders that are links
        yield from files_like(settings.cassettes, pattern)
    yield from (settings.waivers, settings.clients, settings.scenarios)
    for client in settings.commands.values():
        yield from client.files()


def code_files(root: Path) -> Iterator[Path]:
    """The code that this process has loaded: the project's own, and what is neither Python's nor the
    harness's nor installed, such as a folder on the path. Installed packages are known by their versions.
    """
    inside, environment = _prefix(root), _prefix(Path(sys.prefix).resolve())
    of_python = map(sysconfig.get_path, ("stdlib", "platstdlib", "purelib", "platlib"))
    paths = (*of_python, *site.getsitepackages(), site.getusersitepackages(), str(_OWN))
    known = (environment, *(_prefix(os.path.realpath(path)) for path in paths))
    for file in _loaded():
        if not file.startswith(environment if file.startswith(inside) else known):
            path = Path(file)
            # A module in an archive is that file.
            yield path if path.is_file() else next(filter(Path.is_file, path.parents), path)


def _loaded() -> Iterator[str]:
    """The files of all code that this process has loaded; quick, because each check asks several times."""

    @cache  # thousands of modules lie in hundreds of folders
    def real(folder: str) -> str:
        parent, name = os.path.split(folder)
        if name in {"", ".", ".."} or os.path.islink(folder):  # noqa: PTH114 - a Path takes longer to make
            return _prefix(os.path.realpath(folder))
        return f"{real(parent)}{name}{os.sep}"

    modules = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    for file in {*filter(None, modules), *executed_files()}:
        folder, root, name = file.rpartition(os.sep)
        yield f"{real(folder or root)}{name}"


@cache
def executed_files() -> set[str]:
    """The files whose code this process has executed since it first asked: more than its modules, since code
    may also be read from a file and executed.
    """
    found: set[str] = set()

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "exec" and isinstance(name := getattr(arguments[0], "co_filename", None), str):
            found.add(name)

    sys.addaudithook(hear)
    return found


def _prefix(folder: Path | str) -> str:
    return f"{str(folder).rstrip(os.sep)}{os.sep}"


def _digest(file: Path) -> str:
    """Sixteen hex digits; empty for a file that is not there, which equals no digest."""
    with suppress(FileNotFoundError):  # it is removed meanwhile
        if file.is_file():
            return hashlib.sha256(read_file(file)).hexdigest()[:16]
    return ""
