"""Which versions took part in a comparison."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from llm_contracts.util.files import files_like

_ALWAYS = ("litellm", "openai", "llm-contracts")


def versions(more: Iterable[str] = (), clients: Iterable[str] = ()) -> dict[str, str]:
    """The installed releases of Python, of this harness, of LiteLLM and openai, of `more`, which a project
    names, and of what built-in `clients` are named after (`anthropic-async`); absent ones are left out.
    """
    libraries = (client.removesuffix("-async") for client in clients)
    here = {name: installed_version(name) for name in (*_ALWAYS, *libraries, *more)}
    return {
        "python": platform.python_version(),
        **{name: version for name, version in here.items() if version is not None},
    }


def installed_version(name: str) -> str | None:
    """The release of a distribution that this interpreter would import; None where it is not installed."""
    found = _distribution(name)
    return None if found is None else _version(_head(found))


def _distribution(name: str) -> metadata.Distribution | None:
    return next(iter(metadata.Distribution.discover(name=name)), None)


def _head(installed: metadata.Distribution) -> str:
    """What it says of itself, to be read by pattern: the parser of `metadata` takes ten times as long."""
    texts = map(installed.read_text, ("METADATA", "PKG-INFO", ""))  # the last where distutils left one file
    return next(filter(None, texts), "").partition("\n\n")[0]


def _version(head: str) -> str:
    return next(iter(re.findall(r"^Version: (.+)$", head, re.MULTILINE)), "")


def packages_of(distributions: Iterable[str]) -> dict[str, str]:
    """The installed releases of these distributions and of all that they need, extras left out: a client
    changes with the HTTP library below it.
    """
    found: dict[str, str] = {}
    waiting = list(distributions)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        installed = None if name in found else _distribution(name)
        if installed is not None:
            head = _head(installed)
            found[name] = _version(head)
            waiting += re.findall(r"^Requires-Dist: ([\w.-]+)(?!.*extra ==)", head, re.MULTILINE)
    return found


def installed_packages() -> dict[str, str]:
    """Name → release of everything that is installed, by the names of folders: to read what each says of
    itself takes a tenth of a second. What setuptools leaves in a source folder (`shop.egg-info`) names none.
    """
    folders = (path for entry in reversed(sys.path) for path in files_like(Path(entry), "*-*.*-info"))
    named = (path.stem.split("-")[:2] for path in folders)  # an egg's third part is the Python it is for
    return {name.replace("_", "-").lower(): version for name, version in named}
