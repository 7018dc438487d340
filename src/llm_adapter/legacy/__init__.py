"""The way being left: the openai SDK's own clients, and `requests` for who is not compatible, as used before.

Nothing imports this folder but the backend switch, and that only when it is chosen. Deleting it is the last
step of the migration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llm_adapter.backends import Backend, Opened
from llm_adapter.backends.connection import Kept, opened
from llm_adapter.requests import Outgoing

if TYPE_CHECKING:
    import openai


def _ernie_v1(outgoing: Outgoing) -> Opened:
    from llm_adapter.legacy.ernie_v1 import open_stream

    return open_stream(outgoing)


def _dify(outgoing: Outgoing) -> Opened:
    from llm_adapter.legacy.dify import open_stream

    return open_stream(outgoing)


_CUSTOM: Mapping[str, Backend] = {"ernie_v1": _ernie_v1, "dify": _dify}


@dataclass(frozen=True, slots=True)
class LegacyBackend:
    """Opens streams with one SDK client a provider and the SDK's own defaults for retries and timeouts."""

    _kept: Kept = field(default_factory=Kept, repr=False)

    def __call__(self, outgoing: Outgoing) -> Opened:
        """Send the request."""
        custom = _CUSTOM.get(outgoing.provider)
        if custom is not None:
            return custom(outgoing)
        return opened(
            self._client(outgoing).chat.completions.create(
                model=outgoing.model,
                messages=list(outgoing.messages),  # type: ignore[arg-type]
                stream=True,
                **outgoing.params,
            )
        )

    def close(self) -> None:
        """Close the connection pools."""
        self._kept.close()

    def _client(self, outgoing: Outgoing) -> openai.OpenAI:
        import openai

        key = (outgoing.base_url, outgoing.api_key)
        client: openai.OpenAI = self._kept.client(
            key, lambda: openai.OpenAI(base_url=outgoing.base_url, api_key=outgoing.api_key)
        )
        return client
