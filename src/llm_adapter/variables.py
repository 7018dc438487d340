"""The environment variables, for people: `.env.example` and docs/configuration.md are made from this table.

Run as a program, from the repository's root, it writes both files; with `--check` it says which are stale.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from llm_adapter.providers import PROVIDERS, Provider
from llm_adapter.settings import CERTIFICATES, PROXIES, REFUSED_SWITCHES


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """One variable.

    Attributes:
        name: its name.
        meaning: what it does, as a sentence without its end.
        default: what holds where it is not set, in words.
        shown: the value in the example; a variable that is shown with one is commented out there.
        provider: the key of the provider that it is about, or empty for all.
    """

    name: str
    meaning: str
    default: str
    shown: str = ""
    provider: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """Variables that belong together, under a title."""

    title: str
    variables: tuple[Variable, ...]


def sections() -> tuple[Section, ...]:
    """Every variable that is read, for all providers of the table."""
    return (
        Section(title="Which client makes the calls", variables=(_EVERYWHERE, *_each(_switch))),
        Section(title="Keys", variables=_each(_keys)),
        Section(title="Where the providers are", variables=_each(_addresses)),
        Section(title="Models", variables=_MODELS),
        Section(title="The way to the providers", variables=_WAY),
        Section(title="Refused", variables=_REFUSED),
    )


def example() -> str:
    """The text of `.env.example`: keys to fill in; everything else with a value to see, commented out."""
    blocks = ["\n".join(_example_lines(section)) for section in sections()]
    return "\n\n".join((_EXAMPLE_HEAD, *blocks)) + "\n"


def page() -> str:
    """The text of docs/configuration.md."""
    tables = ["\n".join((f"## {section.title}", "", *_table(section))) for section in sections()]
    return "\n\n".join((_PAGE_HEAD, *tables, _PAGE_FOOT)) + "\n"


FILES: Mapping[str, Callable[[], str]] = {".env.example": example, "docs/configuration.md": page}
"""The files that are made from the table, by their place below the repository's root."""


def stale(root: Path) -> list[str]:
    """The files that do not hold what the table says."""
    return [
        name
        for name, text in FILES.items()
        if not (root / name).is_file() or (root / name).read_text(encoding="utf-8") != text()
    ]


def main(arguments: Sequence[str], root: Path) -> int:
    """Write the files, or check them; 1 if any is stale."""
    if list(arguments) == ["--check"]:
        names = stale(root)
        for name in names:
            sys.stderr.write(f"{name} is stale: run python -m llm_adapter.variables\n")
        return 1 if names else 0
    for name, text in FILES.items():
        (root / name).write_text(text(), encoding="utf-8")
    return 0


# The table

_EVERYWHERE = Variable(
    name="LLM_BACKEND",
    meaning="The client for all providers: `litellm` or `legacy`",
    default="`litellm`",
    shown="legacy",
)

_MODELS = (
    Variable(
        name="DEFAULT_LLM_MODEL",
        meaning="The model that the host application offers first; the calls themselves always take one",
        default="none",
        shown="qwen/qwen-plus",
    ),
    Variable(
        name="DEFAULT_LLM_TEMPERATURE",
        meaning="The temperature that the host application offers first, from 0 to 2",
        default="none; `invoke_llm` sends 0.8 when it is given none, `chat_llm` sends none",
        shown="0.3",
    ),
    Variable(
        name="LLM_ALLOWED_MODELS",
        meaning="The only models that are offered, with commas between; calls to others still work",
        default="all",
        shown="gpt-4o,qwen/qwen-plus",
    ),
    Variable(
        name="LLM_ALLOWED_MODEL_DISPLAY_NAMES",
        meaning="What people are shown for them: as many names, in the same order, else they are ignored",
        default="the models' own names",
        shown="GPT-4o,Qwen Plus",
    ),
    Variable(
        name="LLM_MODEL_MAX_OUTPUT_TOKENS",
        meaning="Output limits in tokens, for models that would otherwise cut answers at a small default; a "
        "JSON object of models and positive whole numbers. No call gets more, whatever it asks for",
        default="`LLM_DEFAULT_OUTPUT_LIMIT` says",
        shown='{"qwen/qwen-plus": 8192}',
    ),
    Variable(
        name="LLM_DEFAULT_OUTPUT_LIMIT",
        meaning="The output limit of other models over LiteLLM: `table`, the one that LiteLLM's table has; "
        "`none`, what the caller asks for",
        default="`table`",
        shown="none",
    ),
    Variable(
        name="LLM_THINKING",
        meaning="Over LiteLLM: `off` switches thinking off wherever a provider has a switch, whatever the "
        "caller says; `caller` sends what the caller says",
        default="`off`",
        shown="caller",
    ),
    Variable(
        name="LLM_MODEL_LIST_SECONDS",
        meaning="For how many seconds a provider's list of models is good before it is asked again",
        default="300",
        shown="60",
    ),
)

_WAY = (
    *(
        Variable(
            name=name,
            meaning=f"The proxy for {what}, also in small letters; `NO_PROXY` takes hosts out",
            default="no proxy",
            shown=" ",
        )
        for name, what in zip(PROXIES, ("`http:`", "`https:`", "all"), strict=True)
    ),
    *(
        Variable(
            name=name,
            meaning=f"The {what} of certificates to trust, which must be there",
            default="those of the package certifi",
            shown=" ",
        )
        for name, what in zip(CERTIFICATES, ("file", "folder"), strict=True)
    ),
)

_REFUSED = tuple(
    Variable(
        name=name,
        meaning="LiteLLM's own: `true` would send every call elsewhere, so it is refused",
        default="calls go where these tables say",
        shown="false",
    )
    for name in REFUSED_SWITCHES
)


def _each(of: Callable[[Provider], Iterable[Variable]]) -> tuple[Variable, ...]:
    return tuple(variable for row in PROVIDERS for variable in of(row))


def _switch(row: Provider) -> Iterator[Variable]:
    yield Variable(
        name=f"LLM_BACKEND_{row.key.upper()}",
        meaning="The client for this provider alone"
        if row.has_legacy
        else "There is no legacy client to switch to; only `litellm` is accepted",
        default="what `LLM_BACKEND` says" if row.has_legacy else "`litellm`",
        shown="legacy" if row.has_legacy else "litellm",
        provider=row.key,
    )


def _keys(row: Provider) -> Iterator[Variable]:
    first, *others = row.key_variables
    meaning = f"The API key's first half, beside `{row.second_key_variable}`"
    yield _key(row, first, meaning if row.second_key_variable else "The API key")
    if row.second_key_variable:
        yield _key(row, row.second_key_variable, "The API key's second half")
    for _, name in row.header_variables:
        meaning = f"The {name.split('_')[1].lower()} that pays; sent to no other provider"
        yield Variable(name=name, meaning=meaning, default="the key's own", shown=" ", provider=row.key)
    for name in others:
        yield replace(_key(row, name, f"The API key, read where `{first}` is empty"), shown=" ")
    if row.signed_listing:
        for name, half in zip(row.signed_listing.key_variables, ("id", "secret"), strict=True):
            yield replace(_key(row, name, _LISTING_KEY.format(half)), default="the usual listing is asked")


_LISTING_KEY = (
    "The {} of an access key that may list endpoints. With both halves, models go by the names that people "
    "gave their endpoints; calls send the endpoint's id"
)


def _key(row: Provider, name: str, meaning: str) -> Variable:
    return Variable(name=name, meaning=meaning, default="the provider is skipped", provider=row.key)


def _addresses(row: Provider) -> Iterator[Variable]:
    yield _address(row, row.base_url_variable, row.base_url, "Where its API begins")
    if row.signed_listing:
        listing = row.signed_listing
        yield _address(row, listing.url_variable, listing.url, "Where its endpoints are listed")


def _address(row: Provider, name: str, url: str, meaning: str) -> Variable:
    default = f"`{url}`" if url else "the provider is skipped"
    return Variable(name=name, meaning=meaning, default=default, shown=url, provider=row.key)


# How it looks

_EXAMPLE_HEAD = """\
# Copy to .env and fill in the keys you have; a provider without one is skipped.
# What is commented out shows a value that can be set. All of it is explained in docs/configuration.md.
# Both files are made by `python -m llm_adapter.variables`: do not edit them."""

_PAGE_HEAD = """\
# Configuration

<!-- Made by `python -m llm_adapter.variables` from src/llm_adapter/variables.py: do not edit. -->

Everything is set by environment variables, or by a source of the application's own (`adapter_from`). The
functions of `llm_adapter` read them again for each call, so a running process can be switched by setting a
variable in it. Spaces around a value do not count, an empty value counts as unset, and `${NAME}` in a
value stands for the variable of that name.

A value that makes no sense stops its own provider alone: its calls fail with `LLMNotConfiguredError`, which
names the variable, and whose cause says what it may be: a backend of an unknown name, an address without
`https://`, `legacy` after the legacy clients were deleted. What would change the calls of all providers stops
them all. Limits, temperatures and lists that make no sense are left out, with a warning.

What cannot have its intended effect is a warning in the log whenever models are listed: half of
a pair of keys, a switch for an unknown provider, a model that belongs to none, display names of another
number."""

_PAGE_FOOT = """\
## Not settings of ours

The client libraries read more variables: headers, organisations and keys for OpenAI's SDK, addresses and
keys for LiteLLM, a user's `~/.netrc` for requests. None of them reaches a call, which always carries the
address, the key and the headers from the tables above. Two exceptions: the old clients of Dify and of ERNIE's
first API find certificates by `REQUESTS_CA_BUNDLE` and `CURL_CA_BUNDLE`, and LiteLLM cannot be imported where
one of its numbers (`DEFAULT_MAX_RETRIES` and many more) is not one; the error names the variable. What would
change calls all the same, `DEFAULT_REASONING_EFFORT_…` and the variables above, is refused by name.
`LITELLM_LOCAL_MODEL_COST_MAP`, `LITELLM_MODE` and `CUSTOM_TIKTOKEN_CACHE_DIR` are set while LiteLLM is being
imported, and put back.
Langfuse is configured by the application that gives us its spans."""


def _example_lines(section: Section) -> Iterator[str]:
    yield f"# {section.title}."
    for variable in section.variables:
        yield f"# {variable.name}={variable.shown.strip()}" if variable.shown else f"{variable.name}="


def _table(section: Section) -> Iterator[str]:
    yield "| variable | provider | meaning | if it is not set |"
    yield "|---|---|---|---|"
    for variable in section.variables:
        cells = (f"`{variable.name}`", variable.provider or "all", variable.meaning, variable.default)
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path.cwd()))
