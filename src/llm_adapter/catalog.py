"""Which models there are, and where a model's name leads."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from llm_adapter.errors import LLMNotConfiguredError, ModelNotSupportedError
from llm_adapter.listing import Listed, Lister, ModelLists
from llm_adapter.providers import Provider
from llm_adapter.settings import Account, ListingAccess, Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """What a provider that lets people name their models calls one: by `id`; `model` is which one it is."""

    id: str
    model: str


Finder = Callable[[ListingAccess, str], Endpoint | None]
"""Finds what a provider calls a model; None for a name that is to be sent as it is. Does not raise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """Where a model's name leads.

    Attributes:
        provider: its row.
        account: how to reach it.
        model: what is sent as the model.
        family_name: what tells the model's family: mostly the same, but an endpoint's id tells nothing.
    """

    provider: Provider
    account: Account
    model: str
    family_name: str


def resolve(model: str, settings: Settings, find: Finder = lambda _access, _name: None) -> Route:
    """Find the provider of a model by its name alone: what a listing leaves out still works.

    Args:
        model: the application's name for the model.
        settings: the configuration.
        find: asked for providers whose names for models are translated; for others nobody is asked.

    Raises:
        ModelNotSupportedError: the name belongs to no provider.
        LLMNotConfiguredError: the provider has no key, or a setting of it makes no sense. An empty key is
            never handed to a client library, which would go and find another provider's in the environment.
    """
    provider = next((row for row in settings.providers if row.owns(model)), None)
    if provider is None:
        raise ModelNotSupportedError(f"no provider answers to the model name {model!r}", model=model)
    account = settings.accounts[provider.key]
    if account.mistake is not None:
        raise LLMNotConfiguredError(
            f"model {model!r} cannot be asked: {account.mistake}",
            model=model,
            provider=provider.key,
            config_var=account.mistake.variable,
        ) from account.mistake
    variable = _missing(provider, account)
    if variable:
        what = "an address" if variable == provider.base_url_variable else "a key"
        raise LLMNotConfiguredError(
            f"model {model!r} needs {what} for {provider.key}: set {variable}",
            model=model,
            provider=provider.key,
            config_var=variable,
        )
    name = model.removeprefix(provider.prefix)
    endpoint = find(account.listing, name) if account.listing else None
    return Route(
        provider=provider,
        account=account,
        model=endpoint.id if endpoint else name,
        family_name=endpoint.model if endpoint else name,
    )


def current_models(
    settings: Settings, lists: ModelLists, lister: Lister, logger: logging.Logger
) -> list[str]:
    """The names of all models that can be asked for, each once, in the order of the allow list or the table.

    A provider without a key or with a failing listing is a warning in the log, never an error: the choice of
    models must not keep an application from starting.
    """
    lists.warn(settings.warnings, logger)
    offered: dict[str, None] = {}
    asked = lists.of(
        [account for row in settings.providers if (account := _listable(row, settings))],
        lister,
        settings.listing_lifetime,
    )
    for row in settings.providers:
        offered |= dict.fromkeys(
            row.prefix + model for model in _offered(row, settings, lists, asked, logger)
        )
    if settings.allowed_models:
        return [name for name in settings.allowed_models if name in offered]
    return list(offered)


def _missing(row: Provider, account: Account) -> str | None:
    """The first variable that must be set before the provider can be asked."""
    needed = (
        (row.key_variables[0], account.api_key),
        (row.second_key_variable, account.api_secret),
        (row.base_url_variable, account.base_url),
    )
    return next((variable for variable, value in needed if variable and not value), None)


def _listable(row: Provider, settings: Settings) -> Account | None:
    account = settings.accounts[row.key]
    usable = row.lists_models and account.mistake is None and not _missing(row, account)
    return account if usable else None


def _offered(
    row: Provider,
    settings: Settings,
    lists: ModelLists,
    asked: Mapping[Account, Listed],
    logger: logging.Logger,
) -> Iterable[str]:
    account = settings.accounts[row.key]
    variable = _missing(row, account)
    if variable or account.mistake:
        if variable:
            lists.warn([f"{row.key} is skipped: {variable} is not set"], logger)
        return ()
    listed = asked.get(account)
    if listed is None:
        return row.static_models
    if listed.trouble:
        # Its own text may hold what the provider echoed, so only its kind is logged.
        lists.warn([f"the models of {row.key} cannot be listed ({listed.trouble})"], logger)
    if listed.models is None:
        return (*row.fallback_models, *row.static_models)
    return (*(model for model in listed.models if row.owns(row.prefix + model)), *row.static_models)
