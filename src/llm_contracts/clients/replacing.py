"""Foreign names that something else stands for, as long as anybody observes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from types import ModuleType
from typing import Any

Place = tuple[Any, str, Callable[[Any], Any]]
"""A module or class, a name in it, and what makes the replacement of what stands there."""


@dataclass(kw_only=True, slots=True)
class _Replacement:
    holder: Any
    name: str
    really: Any
    ours: Any
    users: int = 0

    @property
    def stands(self) -> bool:
        """Whether nobody else has replaced it since."""
        return vars(self.holder).get(self.name) is self.ours


_REPLACING = Lock()
_NEWEST: dict[tuple[Any, str], _Replacement] = {}


@contextmanager
def replaced(places: Iterable[Place]) -> Iterator[None]:
    """While anybody is in such a block, what stands in these places is replaced. Others replace it, too: a
    later block replaces what they put there, and what is no longer ours is left alone.
    """
    with _REPLACING:
        used = [_used(*place) for place in places]
    try:
        yield
    finally:
        with _REPLACING:
            for replacement in used:
                _released(replacement)


def _used(holder: Any, name: str, make: Callable[[Any], Any]) -> _Replacement:
    newest = _NEWEST.get((holder, name))
    if newest is None or not newest.stands:
        really = vars(holder).get(name)  # None where a class inherits it
        ours = make(getattr(holder, name) if really is None else really)
        newest = _NEWEST[holder, name] = _Replacement(holder=holder, name=name, really=really, ours=ours)
        _set(holder, name, ours)
    newest.users += 1
    return newest


def _released(used: _Replacement) -> None:
    used.users -= 1
    if used.users or not used.stands:
        return
    if used.really is None:
        delattr(used.holder, used.name)
    else:
        _set(used.holder, used.name, used.really)


def _set(holder: Any, name: str, value: Any) -> None:
    """Past a class of modules that hears of changes (`process_state`): this is none that a call makes."""
    kind = ModuleType if isinstance(holder, ModuleType) else type
    kind.__setattr__(holder, name, value)
