"""The settings, read once for each call; nothing else in the package looks at `os.environ`."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from importlib.util import find_spec
from threading import RLock
from typing import Any
from urllib.parse import unquote, urlsplit

from llm_adapter import values
from llm_adapter.errors import SettingsError
from llm_adapter.providers import PROVIDERS, Provider, SignedListing
from llm_adapter.values import Source, Variables

CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""The variables by which HTTP libraries find the certificates to trust."""

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
"""The variables by which they find a proxy, also in small letters; `NO_PROXY` takes hosts out."""

REFUSED_SWITCHES = (
    "USE_LITELLM_PROXY",  # renames every model, and breaks three providers
    "EXPERIMENTAL_OPENAI_BASE_LLM_HTTP_HANDLER",  # calls by another HTTP client, past ours
    "LITELLM_ROUTE_ALL_CHAT_OPENAI_TO_RESPONSES",  # asks another endpoint
)
"""LiteLLM's variables that change every call made here and that no argument of a call can outvote."""

_THINKING = "DEFAULT_REASONING_EFFORT_"  # how many tokens LiteLLM lets Gemini think for each effort


class BackendName(StrEnum):
    """Which client makes the calls."""

    LITELLM = "litellm"
    LEGACY = "legacy"


@dataclass(frozen=True, kw_only=True, slots=True)
class ListingAccess:
    """Where a signed listing is asked, and as whom."""

    url: str
    key_id: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """Where a provider is reached, and as whom. An empty key means: not configured.

    Attributes:
        headers: sent with every request, to this provider alone.
        mistake: the variable that makes no sense, and what is wrong with it; such an account is not used.
    """

    provider: str
    base_url: str
    api_key: str = field(repr=False)
    backend: BackendName = BackendName.LITELLM
    speaks: str = "openai"
    listing: ListingAccess | None = None
    api_secret: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = ()
    mistake: SettingsError | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything that can be configured.

    Attributes:
        accounts: one for each provider, by its key.
        providers: the rows of the providers, in the order in which they are asked whose a model is.
        default_model: the model the host application offers first; the calls always take one.
        default_temperature: what the host application offers first; `invoke_llm`'s own default stays 0.8,
            because answers change with it.
        allowed_models: the only names `get_current_models` may give, or empty for all. Calls are not
            restricted: a choice that a user saved keeps working.
        display_names: what people are shown for a model.
        max_output_tokens: the most output to ask for, by the application's name for the model.
        limits_from_table: models without such a limit are asked for what LiteLLM's table has for them.
        thinking_off: thinking is switched off wherever a provider has a switch, whatever the caller asks for.
        listing_lifetime: for how many seconds a provider's list of models is good.
        warnings: what is set but cannot mean what it was meant to; a sentence each, without secrets.
        proxy_secrets: users and passwords of the environment's proxies.
    """

    accounts: Mapping[str, Account]
    providers: tuple[Provider, ...] = PROVIDERS
    default_model: str = ""
    default_temperature: float | None = None
    allowed_models: tuple[str, ...] = ()
    display_names: Mapping[str, str] = field(default_factory=dict)
    max_output_tokens: Mapping[str, int] = field(default_factory=dict)
    limits_from_table: bool = True
    thinking_off: bool = True
    listing_lifetime: float = 300.0
    warnings: tuple[str, ...] = ()
    proxy_secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def from_environ(cls, environ: Source | None = None, providers: Iterable[Provider] = ()) -> Settings:
        """Read the settings. A value that makes no sense stops its own provider alone, or is left out.

        Args:
            environ: the variables; the process's own when None.
            providers: further rows; one with the key of a row of the table stands in its place.
        """
        variables = Variables(os.environ if environ is None else environ)
        further = tuple(providers)
        rows = (*further, *(row for row in PROVIDERS if row.key not in {each.key for each in further}))
        around = Variables(os.environ)  # where the libraries look, whatever is given
        wrong = _surroundings_mistake(variables.names, variables) or _surroundings_mistake(os.environ, around)
        accounts = {row.key: _account(variables, row) for row in rows}
        if wrong is not None:
            accounts = {key: replace(account, mistake=wrong) for key, account in accounts.items()}
        mistakes: list[str] = []
        read = partial(_or_else, mistakes, variables)
        allowed = read((), values.names, "LLM_ALLOWED_MODELS")
        shown = read((), values.names, "LLM_ALLOWED_MODEL_DISPLAY_NAMES")
        limits = read({}, values.limits, "LLM_MODEL_MAX_OUTPUT_TOKENS")
        limit = read("table", values.choice, "LLM_DEFAULT_OUTPUT_LIMIT", ("table", "none"))
        default = read("", Variables.get, "DEFAULT_LLM_MODEL")
        return cls(
            accounts=accounts,
            providers=rows,
            default_model=default,
            default_temperature=read(None, values.temperature, "DEFAULT_LLM_TEMPERATURE"),
            allowed_models=tuple(dict.fromkeys(allowed)),
            # Names belong to models by their place: with another length nobody can tell which is whose.
            # Of a model that is named twice the first name counts, as its first place does.
            display_names=dict(zip(reversed(allowed), reversed(shown), strict=True))
            if len(allowed) == len(shown)
            else {},
            max_output_tokens=limits,
            limits_from_table=limit == "table",
            thinking_off=read("off", values.choice, "LLM_THINKING", ("off", "caller")) == "off",
            listing_lifetime=read(300.0, values.seconds, "LLM_MODEL_LIST_SECONDS"),
            warnings=(
                *dict.fromkeys(str(account.mistake) for account in accounts.values() if account.mistake),
                *mistakes,
                *_unequal(allowed, shown),
                *_half_keys(variables, rows),
                *_unknown_switches(variables, rows),
                *_unowned("LLM_ALLOWED_MODELS", allowed, rows),
                *_unowned("LLM_MODEL_MAX_OUTPUT_TOKENS", limits, rows),
                *_unowned("DEFAULT_LLM_MODEL", filter(None, [default]), rows),
            ),
            proxy_secrets=(*_proxy_secrets(variables), *_proxy_secrets(around)),
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every configured key, for what must never be shown."""
        accounts = self.accounts.values()
        listings = [account.listing for account in accounts if account.listing]
        return (
            *(key for account in accounts for key in (account.api_key, account.api_secret) if key),
            *(secret for listing in listings for secret in (listing.key_id, listing.secret)),
            *self.proxy_secrets,
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads the settings, each time that it is called. What it reads them from is in no traceback."""

    source: Source = field(repr=False)
    providers: tuple[Provider, ...] = ()

    def __call__(self) -> Settings:
        """The settings as they are now."""
        return Settings.from_environ(self.source, self.providers)


_CHANGING = RLock()


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Set variables for a moment: for libraries that can only be configured by them while being imported.

    One thread at a time, or the second would take for the application's what the first has set, and leave it.
    """
    with _CHANGING:
        before = {name: os.environ.get(name) for name in values}
        os.environ.update(values)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _surroundings_mistake(names: Iterable[str], variables: Variables) -> SettingsError | None:
    """What would change calls or break them, and what no client of ours can be kept from reading."""
    for name in REFUSED_SWITCHES:
        if variables.get_if_readable(name).lower() == "true":
            return SettingsError(f"{name} is true: LiteLLM would send every call elsewhere; remove {name}")
    for name in names:
        if name.startswith(_THINKING):
            return SettingsError(
                f"{name} would change what Gemini is asked; remove it, and give each call its own"
            )
    for name, is_there in zip(CERTIFICATES, (os.path.isfile, os.path.isdir), strict=True):
        value = variables.get_if_readable(name)
        if value and not is_there(value):
            kind = "file" if is_there is os.path.isfile else "folder"
            return SettingsError(f"{name} is {value!r}, but there is no such {kind} of certificates")
    return None


def _proxy_secrets(variables: Variables) -> Iterator[str]:
    for name in PROXIES:
        for value in filter(None, map(variables.get_if_readable, (name, name.lower()))):
            user, _, password = value.rpartition("@")[0].rpartition("/")[2].partition(":")
            yield from filter(None, {user, password, unquote(user), unquote(password)})


def _account(variables: Variables, row: Provider) -> Account:
    try:
        second = row.second_key_variable
        given = ((header, values.credential(variables, name)) for header, name in row.header_variables)
        keys = (values.credential(variables, name) for name in row.key_variables)
        return Account(
            provider=row.key,
            base_url=_base_url(variables, row),
            api_key=next(filter(None, keys), ""),
            speaks=row.speaks,
            backend=_chosen_backend(variables, row),
            listing=_listing(variables, row.signed_listing) if row.signed_listing else None,
            api_secret=values.credential(variables, second) if second else "",
            headers=tuple((header, value) for header, value in given if value),
        )
    except SettingsError as mistake:
        return Account(
            provider=row.key,
            base_url=row.base_url,
            # Keys stay known, so that nothing shows them.
            api_key=next(filter(None, map(variables.get_if_readable, row.key_variables)), ""),
            api_secret=variables.get_if_readable(row.second_key_variable) if row.second_key_variable else "",
            speaks=row.speaks,
            mistake=mistake,
        )


def _base_url(variables: Variables, row: Provider) -> str:
    """Where the API begins. Of Google's own host, which serves several, it is the one that is spoken here: so
    applications have it, whose variable may name the host alone or its imitation of OpenAI's.
    """
    given = values.url(variables, row.base_url_variable)
    googles = row.speaks == "gemini" and urlsplit(given).hostname == urlsplit(row.base_url).hostname
    return row.base_url if googles else given or row.base_url


def _or_else(
    mistakes: list[str], variables: Variables, default: Any, read: Callable[..., Any], name: str, *more: Any
) -> Any:
    """What a variable says; if that makes no sense, the default, and a sentence about it."""
    try:
        return read(variables, name, *more)
    except SettingsError as mistake:
        mistakes.append(f"{mistake}; it is ignored")
        return default


def _listing(variables: Variables, row: SignedListing) -> ListingAccess | None:
    key_id, secret = (values.credential(variables, name) for name in row.key_variables)
    if not (key_id and secret):
        return None
    return ListingAccess(url=values.url(variables, row.url_variable) or row.url, key_id=key_id, secret=secret)


def _chosen_backend(variables: Variables, row: Provider) -> BackendName:
    own = f"LLM_BACKEND_{row.key.upper()}"
    chosen = _backend(variables, own)
    if chosen is BackendName.LEGACY and not row.has_legacy:
        raise SettingsError(
            f"{own} is legacy, but there is no legacy client for {row.key}: remove {own}",
        )
    if not row.has_legacy:
        return BackendName.LITELLM
    # Without a word about it, the new client: who installs this package has decided to move.
    return chosen or _backend(variables, "LLM_BACKEND") or BackendName.LITELLM


def _backend(variables: Variables, name: str) -> BackendName | None:
    value = values.choice(variables, name, (*BackendName, ""))
    if value == BackendName.LEGACY and not _legacy_is_there():
        raise SettingsError(
            f"{name} is legacy, but there are no legacy clients any more: remove {name}, or set litellm",
        )
    return BackendName(value) if value else None


def _legacy_is_there() -> bool:
    """Whether the last step of the migration, deleting the folder, is still to come."""
    try:
        return find_spec("llm_adapter.legacy") is not None
    except ModuleNotFoundError:
        return False


# Mistakes that are not worth stopping any call for


def _unequal(allowed: Sequence[str], shown: Sequence[str]) -> Iterator[str]:
    if shown and len(allowed) != len(shown):
        yield (
            f"LLM_ALLOWED_MODEL_DISPLAY_NAMES has {len(shown)} names and LLM_ALLOWED_MODELS {len(allowed)}: "
            "the names are ignored; give one for each model, in the same order"
        )


def _half_keys(variables: Variables, rows: Iterable[Provider]) -> Iterator[str]:
    for row in rows:
        names = row.signed_listing.key_variables if row.signed_listing else ()
        missing = [name for name in names if not variables.get_if_readable(name)]
        if len(missing) == 1:
            given = next(name for name in names if name not in missing)
            yield f"{given} is set without {missing[0]}: the usual listing of {row.key} is asked; set both"


def _unknown_switches(variables: Variables, rows: Iterable[Provider]) -> Iterator[str]:
    start = "LLM_BACKEND_"
    known = {row.key.upper() for row in rows}
    for name in sorted(name for name in variables.names if name.startswith(start)):
        key = name.removeprefix(start)
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1) or sorted(known)
            way_out = ", ".join(start + each for each in near)
            yield f"{name} switches nothing: there is no such provider; known: {way_out}"


def _unowned(name: str, models: Iterable[str], rows: Iterable[Provider]) -> Iterator[str]:
    for model in models:
        if not any(row.owns(model) for row in rows):
            yield f"{name} names {model!r}, which belongs to no provider; is its prefix missing?"
