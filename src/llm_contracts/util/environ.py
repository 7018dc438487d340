"""Environment variables for a while: for libraries that have no other setting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """A copy. Other threads may remove variables meanwhile: `os.environ.copy()` raises KeyError then."""
    found = ((name, environ.get(name)) for name in tuple(environ))
    return {name: value for name, value in found if value is not None}


@contextmanager
def with_variables(environ: MutableMapping[str, str], values: Mapping[str, str]) -> Iterator[None]:
    """While open, these variables have these values; afterwards they are as they were."""
    before = {name: environ.get(name) for name in values}
    environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                environ.pop(name, None)
            else:
                environ[name] = value
