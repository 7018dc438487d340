"""Asking a provider which models it has."""

from __future__ import annotations

from llm_adapter.backends import gemini
from llm_adapter.backends.ark_listing import EndpointDirectory
from llm_adapter.backends.connection import Connections
from llm_adapter.backends.retrying_client import RetryingClient
from llm_adapter.listing import PATIENCE_S
from llm_adapter.settings import Account


def list_models(connections: Connections, directory: EndpointDirectory, account: Account) -> list[str]:
    """The ids of the first page of `GET /models`: the providers of the table have only one.

    Where an account has keys to list its endpoints, these, if the listing takes the keys: they may have been
    issued for another service.
    """
    if account.listing:
        try:
            return directory.models(account.listing)
        except Exception as error:  # noqa: BLE001 (whatever a network does, there is another listing)
            directory.warn(error, "its models are")
    if account.speaks == "gemini":
        retrying = RetryingClient(client=connections.http(), error_document=gemini.error_document)
        return list(gemini.list_models(retrying.send, account.base_url, account.api_key, PATIENCE_S))
    client = connections.client(account.base_url, account.api_key, account.headers)
    page = client.models.list(timeout=PATIENCE_S)
    identities = (getattr(model, "id", None) for model in page.data)
    return [identity for identity in identities if identity and isinstance(identity, str)]
