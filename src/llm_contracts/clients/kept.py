"""What a path keeps from one call to the next, as an application keeps its clients."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from llm_contracts.clients.call import Call

T = TypeVar("T")


class Kept:
    """Holds what was made for one call until all are over; a context manager. For one call at a time."""

    def __init__(self) -> None:
        self._held: dict[Hashable, Any] = {}
        self._stack = ExitStack()

    def get(self, key: Hashable, make: Callable[[], AbstractContextManager[T]]) -> T:
        """What is held under this key; made and entered if it is asked for the first time."""
        if key not in self._held:
            self._held[key] = self._stack.enter_context(make())
        held: T = self._held[key]
        return held

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.clear()
        self._stack.__exit__(kind, error, trace)


@contextmanager
def kept(call: Call, name: Hashable, make: Callable[[], AbstractContextManager[T]]) -> Iterator[T]:
    """A client for this call alone or, where calls to one address follow one another, the one for all.

    A path may use it for what an application would not build for every call. Otherwise `check --cost` counts
    the building of clients as a cost of calls.
    """
    if call.kept is None:
        with make() as made:
            yield made
    else:
        yield call.kept.get((name, call.base_url), make)
