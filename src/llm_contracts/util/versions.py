"""Which versions took part in a comparison."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib import metadata

_DISTRIBUTIONS = ("litellm", "openai", "llm-adapter")


def versions(distributions: Iterable[str] = _DISTRIBUTIONS) -> dict[str, str]:
    """Python and every distribution whose release can change a result, as installed; absent ones left out."""
    found = {"python": platform.python_version()}
    for name in distributions:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
