"""What one call has done so far beside answering, and which call the running thread belongs to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socket import socket
from threading import Thread, get_ident
from typing import Any
from weakref import ref

_PLAIN = (bool, int, float, type(None))


@dataclass(kw_only=True, slots=True)
class Change:
    """What was set in one place, and how to read what is there now.

    Attributes:
        untouched: the value before any call of this process set it. A second call finds what the first one
            set, and sets it again: that is a change all the same.
        before: the value before this call.
        read: gives the value now; `object`, which is another each time, where that cannot be read.
        written: what this call wrote.
    """

    untouched: Any
    before: Any
    read: Callable[[], Any]
    written: list[Any] = field(default_factory=list)

    @property
    def outlives(self) -> bool:
        """Whether it was not undone."""
        now = self.read()
        undone = _same(now, self.before) and not all(_same(value, now) for value in self.written)
        return not undone and not _same(now, self.untouched)

    @property
    def shown(self) -> str:
        """What was done, without values that might be secret."""
        value = self.written[-1]
        return f"set to {value}" if isinstance(value, _PLAIN) and value is not None else "set"


_UNTOUCHED: dict[str, Any] = {}
"""Place → the value before the first call of this process that changed it."""


@dataclass(kw_only=True, slots=True)
class Effects:
    """What one call did so far. What its threads do when it is `over` is no longer noted.

    Attributes:
        edge: host and port that it is meant to talk to.
        output: stream → what it wrote there.
        names: place → names of what it did there, in order.
        changes: place (`environ.NAME`, `state.litellm.drop_params`) → what was set there.
        left: place → what else it left behind, as known at its end.
    """

    edge: str = ""
    over: bool = False
    output: dict[str, str] = field(default_factory=lambda: defaultdict(str))
    names: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    threads: list[Thread] = field(default_factory=list)
    sockets: list[ref[socket]] = field(default_factory=list)
    changes: dict[str, Change] = field(default_factory=dict)
    left: dict[str, Any] = field(default_factory=dict)

    def note(self, place: str, name: str) -> None:
        """Something by this name was done there."""
        self.names[place][name] = None

    def note_change(self, place: str, read: Callable[[], Any], before: Any, written: Any) -> None:
        """Something is set there."""
        untouched = _UNTOUCHED.setdefault(place, before)
        new = Change(untouched=untouched, before=before, read=read, written=[written])
        change = self.changes.setdefault(place, new)
        if change is not new:  # whole from the start, because other threads look at it meanwhile
            change.written.append(written)


_WATCHED: dict[int, Effects] = {}
"""By thread. A context variable would do as well, but Python 3.11 crashes if garbage collection writes one
while another is written (python/cpython#148891), which LiteLLM's wrapper does.
"""


def current() -> Effects | None:
    """Those of the call that the running thread belongs to; None where it is over, or there is none."""
    effects = _WATCHED.get(get_ident())
    return None if effects is None or effects.over else effects


@contextmanager
def belonging_to(effects: Effects | None) -> Iterator[None]:
    """What this thread does in the block belongs to this call, or to none."""
    before = _WATCHED.pop(get_ident(), None)
    try:
        if effects is not None:
            _WATCHED[get_ident()] = effects
        yield
    finally:
        _WATCHED.pop(get_ident(), None)
        if before is not None:
            _WATCHED[get_ident()] = before


def _same(one: Any, other: Any) -> bool:
    return one is other or (
        type(one) is type(other) and isinstance(one, (*_PLAIN, str, tuple)) and one == other
    )
