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
    found = {"python": platform.python_version()}
    for name in (*_ALWAYS, *(client.removesuffix("-async") for client in clients), *more):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
