"""Which versions took part in a comparison."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib import metadata

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
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
