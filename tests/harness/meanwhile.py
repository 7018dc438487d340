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

    def go_on(number: int) -> None:
        while not end.is_set():
            act(number)

    others = [Thread(target=go_on, args=(number,)) for number in range(threads)]
    with ExitStack() as stack:
        stack.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(1e-6)
        for other in others:
            other.start()
            stack.callback(other.join)
        stack.callback(end.set)
        yield
