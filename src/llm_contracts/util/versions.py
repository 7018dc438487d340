"""Which versions took part in a comparison."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib import metadata

_ALWAYS = ("litellm", "openai", "llm-contracts")


def versions(more: Iterable[str] = ()) -> dict[str, str]:
    """The installed releases of Python, of the built-in clients' libraries, of this harness and of `more`,
    which a project names; absent ones are left out.
    """
    found = {"python": platform.python_version()}
    for name in (*_ALWAYS, *more):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
