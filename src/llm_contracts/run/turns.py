"""Whose turn it is: recordings are played side by side, or one of them alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class Turns:
    """Shared by the threads that play recordings in one process.

    Threads that play at once wait for each other's interpreter lock, and a client that waits for its turn
    looks like one that waits.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._playing = 0
        self._alone = False

    @contextmanager
    def beside_others(self) -> Iterator[None]:
        """A turn that any number of threads have at once. Not from within another one."""
        with self._changed:
            self._changed.wait_for(lambda: not self._alone)
            self._playing += 1
        try:
            yield
        finally:
            with self._changed:
                self._playing -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """A turn that nobody else has one beside. It begins when the turns end that others have now."""
        with self._changed:
            self._changed.wait_for(lambda: not self._alone)
            self._alone = True
        try:
            with self._changed:
                self._changed.wait_for(lambda: not self._playing)
            yield
        finally:
            with self._changed:
                self._alone = False
                self._changed.notify_all()
