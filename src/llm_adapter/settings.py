"""The environment, read once; nothing else in the package looks at `os.environ`."""

from __future__ import annotations

import difflib
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.util import find_spec
from urllib.parse import unquote, urlsplit

from llm_adapter.errors import SettingsError
from llm_adapter.providers import PROVIDERS, Provider, SignedListing

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

_HOTTEST = 2.0  # what OpenAI's API takes; no provider of the table takes more


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

    `headers` are sent with every request, to this provider alone.
    """

    base_url: str
    api_key: str = field(repr=False)
    backend: BackendName = BackendName.LITELLM
    speaks: str = "openai"
    listing: ListingAccess | None = None
    api_secret: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything that can be configured.

    Attributes:
        accounts: one for each provider of the table, by its key.
        default_model: the model the host application offers first; the calls always take one.
        default_temperature: what the host application offers first; `invoke_llm`'s own default stays 0.8,
            because answers change with it.
        allowed_models: the only names `get_current_models` may give, or empty for all. Calls are not
            restricted: a choice that a user saved keeps working.
        display_names: what people are shown for a model.
        max_output_tokens: the output limit to send, by the application's name for the model.
        warnings: what is set but cannot mean what it was meant to; a sentence each, without secrets.
        proxy_secrets: users and passwords of the environment's proxies.
    """

    accounts: Mapping[str, Account]
    default_model: str = ""
    default_temperature: float | None = None
    allowed_models: tuple[str, ...] = ()
    display_names: Mapping[str, str] = field(default_factory=dict)
    max_output_tokens: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    proxy_secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings.

        Args:
            environ: the variables; the process's own when None.

        Raises:
            SettingsError: a variable holds something that makes no sense.
        """
        variables = os.environ if environ is None else environ
        for surroundings in (variables, os.environ):  # the libraries look into the latter, whatever is given
            _refuse_surroundings(surroundings)
        allowed = _names(variables, "LLM_ALLOWED_MODELS")
        shown = _names(variables, "LLM_ALLOWED_MODEL_DISPLAY_NAMES")
        limits = _limits(variables, "LLM_MODEL_MAX_OUTPUT_TOKENS")
        return cls(
            accounts={row.key: _account(variables, row) for row in PROVIDERS},
            default_model=variables.get("DEFAULT_LLM_MODEL", "").strip(),
            default_temperature=_temperature(variables, "DEFAULT_LLM_TEMPERATURE"),
            allowed_models=allowed,
            # Names belong to models by their place: with another length nobody can tell which is whose.
            display_names=dict(zip(allowed, shown, strict=True)) if len(allowed) == len(shown) else {},
            max_output_tokens=limits,
            warnings=(
                *_unequal(allowed, shown),
                *_half_keys(variables),
                *_unknown_switches(variables),
                *_unowned("LLM_ALLOWED_MODELS", allowed),
                *_unowned("LLM_MODEL_MAX_OUTPUT_TOKENS", limits),
                *_unowned("DEFAULT_LLM_MODEL", _names(variables, "DEFAULT_LLM_MODEL")),
            ),
            proxy_secrets=(*_proxy_secrets(variables), *_proxy_secrets(os.environ)),
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


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Set variables for a moment: for libraries that can only be configured by them while being imported."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _refuse_surroundings(variables: Mapping[str, str]) -> None:
    """What would change calls or break them, and what no client of ours can be kept from reading."""
    for name in REFUSED_SWITCHES:
        if variables.get(name, "").strip().lower() == "true":
            raise SettingsError(f"{name} is true: LiteLLM would send every call elsewhere; remove {name}")
    for name in variables:
        if name.startswith(_THINKING):
            raise SettingsError(
                f"{name} would change what Gemini is asked; remove it, and give each call its own"
            )
    for name, is_there in zip(CERTIFICATES, (os.path.isfile, os.path.isdir), strict=True):
        value = variables.get(name, "")
        if value and not is_there(value):
            kind = "file" if is_there is os.path.isfile else "folder"
            raise SettingsError(f"{name} is {value!r}, but there is no such {kind} of certificates")


def _proxy_secrets(variables: Mapping[str, str]) -> Iterator[str]:
    for name in PROXIES:
        for value in filter(None, (variables.get(name), variables.get(name.lower()))):
            user, _, password = value.rpartition("@")[0].rpartition("/")[2].partition(":")
            yield from filter(None, {user, password, unquote(user), unquote(password)})


def _account(variables: Mapping[str, str], row: Provider) -> Account:
    keys = (_credential(variables, name) for name in row.key_variables)
    second, headers = row.second_key_variable, row.header_variables
    given = ((header, _credential(variables, name)) for header, name in headers)
    return Account(
        base_url=_url(variables, row.base_url_variable) or row.base_url,
        api_key=next(filter(None, keys), ""),
        speaks=row.speaks,
        backend=_chosen_backend(variables, row),
        listing=_listing(variables, row.signed_listing) if row.signed_listing else None,
        api_secret=_credential(variables, second) if second else "",
        headers=tuple((header, value) for header, value in given if value),
    )


def _listing(variables: Mapping[str, str], row: SignedListing) -> ListingAccess | None:
    key_id, secret = (_credential(variables, name) for name in row.key_variables)
    if not (key_id and secret):
        return None
    return ListingAccess(url=_url(variables, row.url_variable) or row.url, key_id=key_id, secret=secret)


def _credential(variables: Mapping[str, str], name: str) -> str:
    value = variables.get(name, "").strip()
    if not (value.isascii() and value.isprintable() and " " not in value):
        raise SettingsError(f"{name} holds a blank or a character that no key has; its value is not shown")
    return value


def _url(variables: Mapping[str, str], name: str) -> str:
    """An address that every client reads alike, without slashes at its end."""
    value = variables.get(name, "").strip()
    if not value:
        return ""
    if not value.startswith(("http://", "https://")):
        raise SettingsError(f"{name} must begin with https:// or http://")
    path = value.partition("://")[2].partition("/")[2].rstrip("/")
    try:
        parts = urlsplit(value)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        has_host = False
    faults = {
        "names no host, or a port that is no number": not has_host,
        "holds a user or a password": "@" in value.partition("://")[2].partition("/")[0],
        "has a query or a fragment": "?" in value or "#" in value,
        "holds a blank, a line end or a backslash": not value.isprintable() or bool({" ", "\\"} & set(value)),
        "has an empty part or dots between its slashes": not {"", ".", ".."}.isdisjoint(path.split("/"))
        and bool(path),
    }
    for fault, is_so in faults.items():
        if is_so:
            raise SettingsError(f"{name} must be a plain address, such as https://host/v1, but it {fault}")
    return value.rstrip("/")


def _chosen_backend(variables: Mapping[str, str], row: Provider) -> BackendName:
    own = f"LLM_BACKEND_{row.key.upper()}"
    chosen = _backend(variables, own)
    if chosen is BackendName.LEGACY and not row.has_legacy:
        raise SettingsError(f"{own} is legacy, but there is no legacy client for {row.key}: remove {own}")
    if not row.has_legacy:
        return BackendName.LITELLM
    # Without a word about it, the new client: who installs this package has decided to move.
    return chosen or _backend(variables, "LLM_BACKEND") or BackendName.LITELLM


def _backend(variables: Mapping[str, str], name: str) -> BackendName | None:
    value = variables.get(name, "").strip().lower()
    if not value:
        return None
    try:
        backend = BackendName(value)
    except ValueError:
        raise SettingsError(f"{name} is {value!r}, but must be one of: litellm, legacy") from None
    if backend is BackendName.LEGACY and not _legacy_is_there():
        raise SettingsError(
            f"{name} is legacy, but there are no legacy clients any more: remove {name}, or set litellm"
        )
    return backend


def _legacy_is_there() -> bool:
    """Whether the last step of the migration, deleting the folder, is still to come."""
    try:
        return find_spec("llm_adapter.legacy") is not None
    except ModuleNotFoundError:
        return False


def _names(variables: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in variables.get(name, "").split(",") if part.strip())


def _temperature(variables: Mapping[str, str], name: str) -> float | None:
    value = variables.get(name, "").strip()
    if not value:
        return None
    try:
        temperature = float(value)
    except ValueError:
        temperature = math.nan
    if not 0 <= temperature <= _HOTTEST:
        raise SettingsError(f"{name} is {value!r}, but must be a number from 0 to 2, such as 0.3")
    return temperature


def _limits(variables: Mapping[str, str], name: str) -> dict[str, int]:
    value = variables.get(name, "").strip()
    if not value:
        return {}
    example = '{"qwen/qwen-plus": 8192}'
    try:
        limits = json.loads(value)
    except ValueError:
        raise SettingsError(f"{name} is not JSON; it must look like {example}") from None
    if not isinstance(limits, dict) or not all(_is_positive(limit) for limit in limits.values()):
        raise SettingsError(f"{name} must be an object of models and positive whole numbers, like {example}")
    return limits


def _is_positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


# Mistakes that are not worth stopping every call for


def _unequal(allowed: Sequence[str], shown: Sequence[str]) -> Iterator[str]:
    if shown and len(allowed) != len(shown):
        yield (
            f"LLM_ALLOWED_MODEL_DISPLAY_NAMES has {len(shown)} names and LLM_ALLOWED_MODELS {len(allowed)}: "
            "the names are ignored; give one for each model, in the same order"
        )


def _half_keys(variables: Mapping[str, str]) -> Iterator[str]:
    for row in PROVIDERS:
        names = row.signed_listing.key_variables if row.signed_listing else ()
        missing = [name for name in names if not variables.get(name, "").strip()]
        if len(missing) == 1:
            given = next(name for name in names if name not in missing)
            yield f"{given} is set without {missing[0]}: the usual listing of {row.key} is asked; set both"


def _unknown_switches(variables: Mapping[str, str]) -> Iterator[str]:
    start = "LLM_BACKEND_"
    known = {row.key.upper() for row in PROVIDERS}
    for name in sorted(name for name in variables if name.startswith(start)):
        key = name.removeprefix(start)
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1) or sorted(known)
            way_out = ", ".join(start + each for each in near)
            yield f"{name} switches nothing: there is no such provider; known: {way_out}"


def _unowned(name: str, models: Iterable[str]) -> Iterator[str]:
    for model in models:
        if not any(row.owns(model) for row in PROVIDERS):
            yield f"{name} names {model!r}, which belongs to no provider; is its prefix missing?"
