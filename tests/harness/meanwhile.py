"""Other threads that change what is looked at; they take turns as often as the interpreter lets them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Event, Thread


@contextmanager
def meanwhile(act: Callable[[int], object], *, threads: int = 3) -> Iterator[None]:
    """While open, so many threads do this over and over, each with its number."""
    end = Event()

    def go_on(number: int, begun: Event) -> None:
        begun.set()
        while not end.is_set():
            act(number)

    with ExitStack() as stack:
        for number in range(threads):
            begun = Event()
            other = Thread(target=go_on, args=(number, begun))
            other.start()
            stack.callback(other.join)
            stack.callback(end.set)
            # Coverage traces each from its start, and Python 3.11 refuses that to two at once.
            begun.wait()
        stack.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(1e-6)
        yield
