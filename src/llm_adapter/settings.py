"""The settings, read once for each call; nothing else in the package looks at `os.environ`."""

from __future__ import annotations

import difflib
import json
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from importlib.util import find_spec
from typing import Any, TypeVar
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

T = TypeVar("T")

_HOTTEST = 2.0  # what OpenAI's API takes; no provider of the table takes more

Source = Mapping[str, Any] | Callable[[str], Any]
"""Where variables come from: by name, or by asking for a name; None where there is none of that name."""

_REFERENCE = re.compile(r"\$\{(\w+)\}")
_DEEPEST = 10  # variables that name each other must not keep us expanding for ever


@dataclass(frozen=True, slots=True)
class Variables:
    """The values of a source as text, with each `${NAME}` in them expanded.

    What the source does not know is looked for in the environment, and if it is not there either, stays.
    """

    source: Source = field(repr=False)

    def get(self, name: str) -> str:
        """The value without the spaces around it; empty where there is none."""
        return self._expanded(self._raw(name) or "", _DEEPEST).strip()

    @property
    def names(self) -> Iterable[str]:
        """The names there are, where the source can tell."""
        return list(self.source) if isinstance(self.source, Mapping) else ()

    def _raw(self, name: str) -> str | None:
        found = self.source.get(name) if isinstance(self.source, Mapping) else self.source(name)
        if isinstance(found, Mapping):
            return json.dumps(dict(found))
        if isinstance(found, (list, tuple)):
            return ",".join(map(str, found))
        return None if found is None else str(found)

    def _expanded(self, value: str, depth: int) -> str:
        def replacement(match: re.Match[str]) -> str:
            found = self._raw(match[1])
            found = os.environ.get(match[1]) if found is None else found
            return match[0] if found is None else self._expanded(found, depth - 1)

        return _REFERENCE.sub(replacement, value) if depth and "${" in value else value


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
        allowed = _names(variables, "LLM_ALLOWED_MODELS")
        shown = _names(variables, "LLM_ALLOWED_MODEL_DISPLAY_NAMES")
        mistakes: list[str] = []
        limits = _or_else(dict[str, int](), mistakes, _limits, variables, "LLM_MODEL_MAX_OUTPUT_TOKENS")
        default = variables.get("DEFAULT_LLM_MODEL")
        return cls(
            accounts=accounts,
            providers=rows,
            default_model=default,
            default_temperature=_or_else(None, mistakes, _temperature, variables, "DEFAULT_LLM_TEMPERATURE"),
            allowed_models=tuple(dict.fromkeys(allowed)),
            # Names belong to models by their place: with another length nobody can tell which is whose.
            display_names=dict(zip(allowed, shown, strict=True)) if len(allowed) == len(shown) else {},
            max_output_tokens=limits,
            limits_from_table=_or_else(
                "table", mistakes, _choice, variables, "LLM_DEFAULT_OUTPUT_LIMIT", ("table", "none")
            )
            == "table",
            thinking_off=_or_else("off", mistakes, _choice, variables, "LLM_THINKING", ("off", "caller"))
            == "off",
            listing_lifetime=_or_else(300.0, mistakes, _seconds, variables, "LLM_MODEL_LIST_SECONDS"),
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


def _surroundings_mistake(names: Iterable[str], variables: Variables) -> SettingsError | None:
    """What would change calls or break them, and what no client of ours can be kept from reading."""
    for name in REFUSED_SWITCHES:
        if variables.get(name).lower() == "true":
            return SettingsError(f"{name} is true: LiteLLM would send every call elsewhere; remove {name}")
    for name in names:
        if name.startswith(_THINKING):
            return SettingsError(
                f"{name} would change what Gemini is asked; remove it, and give each call its own"
            )
    for name, is_there in zip(CERTIFICATES, (os.path.isfile, os.path.isdir), strict=True):
        value = variables.get(name)
        if value and not is_there(value):
            kind = "file" if is_there is os.path.isfile else "folder"
            return SettingsError(f"{name} is {value!r}, but there is no such {kind} of certificates")
    return None


def _proxy_secrets(variables: Variables) -> Iterator[str]:
    for name in PROXIES:
        for value in filter(None, (variables.get(name), variables.get(name.lower()))):
            user, _, password = value.rpartition("@")[0].rpartition("/")[2].partition(":")
            yield from filter(None, {user, password, unquote(user), unquote(password)})


def _account(variables: Variables, row: Provider) -> Account:
    try:
        second = row.second_key_variable
        given = ((header, _credential(variables, name)) for header, name in row.header_variables)
        keys = (_credential(variables, name) for name in row.key_variables)
        return Account(
            provider=row.key,
            base_url=_url(variables, row.base_url_variable) or row.base_url,
            api_key=next(filter(None, keys), ""),
            speaks=row.speaks,
            backend=_chosen_backend(variables, row),
            listing=_listing(variables, row.signed_listing) if row.signed_listing else None,
            api_secret=_credential(variables, second) if second else "",
            headers=tuple((header, value) for header, value in given if value),
        )
    except SettingsError as mistake:
        return Account(
            provider=row.key,
            base_url=row.base_url,
            # Keys stay known, so that nothing shows them.
            api_key=next(filter(None, map(variables.get, row.key_variables)), ""),
            api_secret=variables.get(row.second_key_variable) if row.second_key_variable else "",
            speaks=row.speaks,
            mistake=mistake,
        )


def _or_else(
    default: T, mistakes: list[str], read: Callable[..., T], variables: Variables, name: str, *more: Any
) -> T:
    """What a variable says; if that makes no sense, the default, and a sentence about it."""
    try:
        return read(variables, name, *more)
    except SettingsError as mistake:
        mistakes.append(f"{mistake}; it is ignored")
        return default


def _listing(variables: Variables, row: SignedListing) -> ListingAccess | None:
    key_id, secret = (_credential(variables, name) for name in row.key_variables)
    if not (key_id and secret):
        return None
    return ListingAccess(url=_url(variables, row.url_variable) or row.url, key_id=key_id, secret=secret)


def _credential(variables: Variables, name: str) -> str:
    value = variables.get(name)
    if not (value.isascii() and value.isprintable() and " " not in value):
        raise SettingsError(f"{name} holds a blank or a character that no key has; its value is not shown")
    return value


def _url(variables: Variables, name: str) -> str:
    """An address that every client reads alike, without slashes at its end."""
    value = variables.get(name) if name else ""
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
    value = _choice(variables, name, (*BackendName, ""))
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


def _choice(variables: Variables, name: str, choices: Sequence[str]) -> str:
    """One of some words; the first is what an empty value means, unless that is one of them."""
    value = variables.get(name).lower()
    if not value and "" not in choices:
        return choices[0]
    if value not in choices:
        words = ", ".join(filter(None, choices))
        raise SettingsError(f"{name} is {value!r}, but must be one of: {words}")
    return value


def _names(variables: Variables, name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in variables.get(name).split(",") if part.strip())


def _temperature(variables: Variables, name: str) -> float | None:
    value = variables.get(name)
    if not value:
        return None
    temperature = _number(value)
    if not 0 <= temperature <= _HOTTEST:
        raise SettingsError(f"{name} is {value!r}, but must be a number from 0 to 2, such as 0.3")
    return temperature


def _seconds(variables: Variables, name: str) -> float:
    value = variables.get(name) or "300"
    seconds = _number(value)
    if not seconds >= 0:
        raise SettingsError(f"{name} is {value!r}, but must be a number of seconds, such as 300")
    return seconds


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return math.nan


def _limits(variables: Variables, name: str) -> dict[str, int]:
    value = variables.get(name)
    if not value:
        return {}
    example = '{"qwen/qwen-plus": 8192}'
    try:
        limits = json.loads(value)
    except ValueError:
        raise SettingsError(f"{name} is not JSON; it must look like {example}") from None
    if not isinstance(limits, dict) or not all(_is_positive(limit) for limit in limits.values()):
        raise SettingsError(f"{name} must be an object of models and positive whole numbers, like {example}")
    return {model.strip(): limit for model, limit in limits.items()}


def _is_positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


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
        missing = [name for name in names if not variables.get(name)]
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
