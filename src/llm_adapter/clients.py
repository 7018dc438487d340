"""The backends and what else is shared by all calls of a process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from llm_adapter.backends import AsyncBackend, Backend
from llm_adapter.backends.ark_listing import EndpointDirectory
from llm_adapter.control import active
from llm_adapter.listing import Lister, ModelLists
from llm_adapter.settings import Account, BackendName
from llm_adapter.waiting import waited


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
            make = self.backends[name]
            # Two threads may both get here; `setdefault` lets one of them win, and an unused backend has
            # opened nothing.
            self._made.setdefault(name, waited(make) if active() else make())
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


# A backend's library is imported with it: that takes seconds, which no call waits for beyond its limits.


def _litellm() -> Any:
    from llm_adapter.backends.litellm import LiteLLMBackend, library

    library()
    return LiteLLMBackend()


def _async_litellm() -> Any:
    from llm_adapter.backends.litellm import library
    from llm_adapter.backends.litellm_async import AsyncLiteLLMBackend

    library()
    return AsyncLiteLLMBackend()


def _legacy() -> Any:
    from llm_adapter.backends.sdk_clients import plain_client_class
    from llm_adapter.legacy import LegacyBackend

    plain_client_class()
    return LegacyBackend()


def _async_legacy() -> Any:
    from llm_adapter.backends.sdk_clients import plain_client_class
    from llm_adapter.legacy import AsyncLegacyBackend

    plain_client_class(asynchronous=True)
    return AsyncLegacyBackend()
