"""The way being left: the openai SDK's own clients, and `requests` for who is not compatible, as used before.

Nothing imports this folder but the backend switch, and that only when it is chosen. Deleting it is the last
step of the migration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from llm_adapter.backends import REHEARSED, AsyncOpened, Backend, Opened
from llm_adapter.backends.connection import AsyncConnections, ClientCache, rehearsal
from llm_adapter.backends.reading import aopened_by_sdk, opened_by_sdk
from llm_adapter.backends.sdk_clients import http_client, plain_client_class
from llm_adapter.failures import NotSentError
from llm_adapter.requests import Outgoing
from llm_adapter.settings import Account

if TYPE_CHECKING:
    import openai


def _ernie_v1(outgoing: Outgoing) -> Opened:
    from llm_adapter.legacy.ernie_v1 import open_stream

    return open_stream(outgoing)


def _dify(outgoing: Outgoing) -> Opened:
    from llm_adapter.legacy.dify import open_stream

    return open_stream(outgoing)


_CUSTOM: Mapping[str, Backend] = {"ernie_v1": _ernie_v1, "dify": _dify}


def _create(client: Any, outgoing: Outgoing) -> Any:
    """Ask by either kind of client; what the asynchronous one gives is to be awaited."""
    if "max_retries" in outgoing.params:
        client = client.with_options(max_retries=outgoing.max_retries)
    ours = ("deadline", "max_retries")
    return client.chat.completions.create(
        model=outgoing.model,
        messages=list(outgoing.messages),
        stream=True,
        **{name: value for name, value in outgoing.params.items() if name not in ours},
    )


@dataclass(frozen=True, slots=True)
class LegacyBackend:
    """Opens streams with one SDK client a provider and the SDK's own defaults for retries and timeouts."""

    _clients: ClientCache = field(default_factory=ClientCache, repr=False)

    def __call__(self, outgoing: Outgoing) -> Opened:
        """Send the request.

        Raises:
            NotSentError: the library that only some of the old clients need is not installed.
        """
        custom = _CUSTOM.get(outgoing.provider)
        if custom is not None:
            try:
                return custom(outgoing)
            except ModuleNotFoundError as error:
                if error.name != "requests":
                    raise
                raise NotSentError(
                    "the legacy client needs requests: pip install 'llm-adapter[legacy]'"
                ) from error
        return self._asked(self._client(outgoing), outgoing)

    def _asked(self, client: openai.OpenAI, outgoing: Outgoing) -> Opened:
        return opened_by_sdk(_create(client, outgoing))

    def warm_up(self, accounts: Iterable[Account]) -> None:
        """Do all that a first call would do but talk to a provider: imports, types, connection pools."""
        import openai

        with closing(rehearsal()) as play:
            client = openai.OpenAI(
                base_url=REHEARSED.base_url, api_key=REHEARSED.api_key, http_client=play.http()
            )
            list(self._asked(client, REHEARSED).chunks)
        for account in accounts:
            if account.speaks == "openai":
                self._client(account)

    def preload(self) -> None:
        """Import what any call needs."""
        import openai.resources.chat  # noqa: F401

    def close(self) -> None:
        """Close the connection pools."""
        self._clients.close()

    def _client(self, who: Account | Outgoing) -> openai.OpenAI:
        def make() -> openai.OpenAI:
            made: openai.OpenAI = plain_client_class()(
                base_url=who.base_url,
                api_key=who.api_key,
                default_headers=dict(who.headers),
                http_client=http_client(),
            )
            return made

        client: openai.OpenAI = self._clients.client((who.base_url, who.api_key, who.headers), make)
        return client


@dataclass(frozen=True, slots=True)
class AsyncLegacyBackend:
    """`LegacyBackend`, on event loops."""

    connections: AsyncConnections = field(
        default_factory=lambda: AsyncConnections(partial(plain_client_class, asynchronous=True))
    )

    async def __call__(self, outgoing: Outgoing) -> AsyncOpened:
        """Send the request.

        Raises:
            NotSentError: the old client knew no event loop.
        """
        if outgoing.provider in _CUSTOM:
            way_out = f"LLM_BACKEND_{outgoing.provider.upper()}=litellm"
            raise NotSentError(f"the legacy client has no asynchronous side; set {way_out}")
        client = self.connections.client(outgoing.base_url, outgoing.api_key, outgoing.headers)
        return aopened_by_sdk(await _create(client, outgoing))

    async def close(self) -> None:
        """Close the connections of this event loop."""
        await self.connections.close()
