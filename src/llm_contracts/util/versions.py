"""Which versions took part in a comparison."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib import metadata

_OF_BUILT_IN_CLIENTS = ("litellm", "openai")


def versions(more: Iterable[str] = ()) -> dict[str, str]:
    """The installed releases of Python, of the built-in clients' distributions and of `more`, those that a
    project names; absent ones are left out.
    """
    found = {"python": platform.python_version()}
    for name in (*_OF_BUILT_IN_CLIENTS, *more):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
