"""The backends and what else is shared by all calls of a process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from llm_adapter.backends import AsyncBackend, Backend
from llm_adapter.backends.ark_listing import EndpointDirectory
from llm_adapter.listing import Lister, ModelLists
from llm_adapter.settings import Account, BackendName


@dataclass(slots=True)
class Clients:
    """The backends and their connections, each made when first needed and kept until `close`.

    Attributes:
        backends: how to make each backend.
        async_backends: those for event loops.
        directory: knows what providers call models that people have named themselves.
        lists: knows which models there are.
    """

    backends: Mapping[BackendName, Callable[[], Any]] = field(
        default_factory=lambda: {BackendName.LITELLM: _litellm, BackendName.LEGACY: _legacy}
    )
    async_backends: Mapping[BackendName, Callable[[], Any]] = field(
        default_factory=lambda: {BackendName.LITELLM: _async_litellm, BackendName.LEGACY: _async_legacy}
    )
    directory: EndpointDirectory = field(default_factory=EndpointDirectory)
    lists: ModelLists = field(default_factory=ModelLists)
    _made: dict[BackendName, Any] = field(default_factory=dict)
    _made_async: dict[BackendName, Any] = field(default_factory=dict)
    _connections: Any = None

    def backend(self, name: BackendName) -> Backend:
        """The backend of that name."""
        if name not in self._made:
            # Two threads may both get here; `setdefault` lets one of them win, and an unused backend has
            # opened nothing.
            self._made.setdefault(name, self.backends[name]())
        backend: Backend = self._made[name]
        return backend

    def async_backend(self, name: BackendName) -> AsyncBackend:
        """The backend of that name for event loops."""
        if name not in self._made_async:
            self._made_async.setdefault(name, self.async_backends[name]())
        backend: AsyncBackend = self._made_async[name]
        return backend

    def warm_up(self, name: BackendName, accounts: Iterable[Account]) -> None:
        """Let a backend prepare for calls with these accounts, if it knows how to."""
        backend = self.backend(name)
        if hasattr(backend, "warm_up"):
            backend.warm_up(accounts)

    def preload(self, name: BackendName) -> None:
        """Let a backend import what it needs, if it knows how to."""
        backend = self.backend(name)
        if hasattr(backend, "preload"):
            backend.preload()

    def lister(self) -> Lister:
        """Asks providers for their models."""
        from llm_adapter.backends.connection import Connections
        from llm_adapter.backends.models import list_models

        if self._connections is None:
            self._connections = Connections()
        return partial(list_models, self._connections, self.directory)

    def close(self) -> None:
        """Close every connection pool. What is asked next opens new ones."""
        for closable in (*self._made.values(), self._connections):
            if hasattr(closable, "close"):
                closable.close()

    async def aclose(self) -> None:
        """Close the connection pools of this event loop."""
        for closable in self._made_async.values():
            if hasattr(closable, "close"):
                await closable.close()


def _litellm() -> Any:
    from llm_adapter.backends.litellm import LiteLLMBackend

    return LiteLLMBackend()


def _async_litellm() -> Any:
    from llm_adapter.backends.litellm_async import AsyncLiteLLMBackend

    return AsyncLiteLLMBackend()


def _async_legacy() -> Any:
    from llm_adapter.legacy import AsyncLegacyBackend

    return AsyncLegacyBackend()


def _legacy() -> Any:
    from llm_adapter.legacy import LegacyBackend

    return LegacyBackend()
