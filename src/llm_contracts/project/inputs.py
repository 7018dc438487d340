"""What a stored result was made from, so that a verdict is never read off a result that no longer holds."""

from __future__ import annotations

import hashlib
import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from llm_contracts.project.config import ConfigError, Settings
from llm_contracts.util.files import read_file
from llm_contracts.util.text import first_names
from llm_contracts.util.versions import versions

_OWN = Path(__file__).parents[1]
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
    """What a stored result (`views/document`) depends on and has changed since: files, versions, the day.
    Empty where it holds. A result that does not say what it was made from is judged by the rest.
    """
    stored, used = document.get("inputs"), document.get("versions", {})
    compared = (document.get("reference", ""), document.get("candidate", ""))
    installed = versions(settings.distributions, compared)
    changed = [
        *(changed_since(settings, stored) if stored is not None else ()),
        *(name for name, version in installed.items() if used.get(name) != version),
    ]
    made = datetime.fromisoformat(document["checked_at"]).astimezone()
    if made.date() != (now or datetime.now(UTC)).astimezone().date():
        changed.append("the date, on which waivers and the age of recordings depend")
    return tuple(changed)


def input_files(settings: Settings, code: Iterable[str] = (), clients: Iterable[str] = ()) -> dict[str, str]:
    """Path relative to the project's root → digest, of everything a result depends on: recordings, waivers,
    the project's own rows and clients, and every module of the project that this process has loaded. `code`:
    those that others have loaded. `clients`: names of clients; where one is `module:attribute`, the loaded
    files of its package belong to it wherever they lie, by their absolute paths.
    """
    files = {*_named(settings), *code_files(settings.root), *map(Path, code)}
    inside = {
        file.relative_to(settings.root).as_posix(): _digest(file)
        for file in sorted(files)
        if file.is_file() and file.is_relative_to(settings.root)
    }
    elsewhere = {
        str(file): _digest(file)
        for file in sorted({*_client_files(clients), *_code_elsewhere()})
        if not file.is_relative_to(settings.root)
    }
    return inside | elsewhere


def _client_files(clients: Iterable[str]) -> Iterator[Path]:
    packages = {name.partition(":")[0].partition(".")[0] for name in clients if ":" in name}
    for name, module in sys.modules.copy().items() if packages else ():
        if name.partition(".")[0] in packages and (file := getattr(module, "__file__", None)) is not None:
            yield Path(file).resolve()


def changed_since(settings: Settings, stored: Mapping[str, str]) -> tuple[str, ...]:
    """The files that are new, gone or different since `stored` was made."""
    there = {
        file.relative_to(settings.root).as_posix()
        for file in _named(settings)
        if file.is_file() and file.is_relative_to(settings.root)
    }
    names = sorted(there | stored.keys())
    return tuple(name for name in names if stored.get(name) != _digest(settings.root / name))


def _named(settings: Settings) -> Iterator[Path]:
    if settings.cassettes.is_relative_to(settings.root):
        yield from settings.cassettes.rglob("*.yaml")
        yield from settings.cassettes.glob("*/captured-*.json")
    yield from (settings.waivers, settings.clients, settings.scenarios)
    for client in settings.commands.values():
        yield from client.files()


def code_files(root: Path) -> Iterator[Path]:
    """The project's own code, as far as this process has loaded it. Installed packages are known by their
    versions instead.
    """
    inside, installed = _prefix(root), _prefix(Path(sys.prefix).resolve())
    for path in _loaded():
        if path.startswith(inside) and not path.startswith(installed):
            yield Path(path)


def _code_elsewhere() -> Iterator[Path]:
    """Loaded code that is neither the project's nor installed nor the harness's: of a folder on the path."""
    of_python = ("stdlib", "platstdlib", "purelib", "platlib")
    paths = [*map(sysconfig.get_path, of_python), *site.getsitepackages(), sys.prefix, str(_OWN)]
    known = tuple(_prefix(os.path.realpath(path)) for path in (*paths, site.getusersitepackages()))
    yield from (Path(path) for path in _loaded() if not path.startswith(known))


def _loaded() -> Iterator[str]:
    """The files of all modules that this process has loaded."""
    real = cache(os.path.realpath)  # thousands of modules lie in hundreds of folders
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file is not None:
            folder, name = os.path.split(file)
            yield f"{_prefix(real(folder))}{name}"


def _prefix(folder: Path | str) -> str:
    return f"{str(folder).rstrip(os.sep)}{os.sep}"


def _digest(file: Path) -> str:
    """Sixteen hex digits; empty for a file that is not there, which equals no digest."""
    if not file.is_file():
        return ""
    return hashlib.sha256(read_file(file)).hexdigest()[:16]
