"""Asking a provider which models it has."""

from __future__ import annotations

from llm_adapter.backends import gemini
from llm_adapter.backends.ark_listing import EndpointDirectory
from llm_adapter.backends.connection import Connections
from llm_adapter.backends.retrying_client import RetryingClient
from llm_adapter.settings import Account

_PATIENCE_S = 20.0
"""Somebody waits for a settings page while models are listed, so not the ten minutes of an answer."""


def list_models(connections: Connections, directory: EndpointDirectory, account: Account) -> list[str]:
    """The names of an account's endpoints where it has keys to list these, otherwise the ids of the first
    page of `GET /models`: the providers of the table have only one.
    """
    if account.listing:
        return directory.names(account.listing)
    if account.speaks == "gemini":
        retrying = RetryingClient(client=connections.http(), error_document=gemini.error_document)
        return list(gemini.list_models(retrying.send, account.base_url, account.api_key, _PATIENCE_S))
    client = connections.client(account.base_url, account.api_key, account.headers)
    page = client.models.list(timeout=_PATIENCE_S)
    return [model.id for model in page.data]
