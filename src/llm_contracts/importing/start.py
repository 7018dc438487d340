"""What a project begins with: its table in pyproject.toml, its clients and its scenarios."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from llm_contracts.clients.builtin import BUILTIN
from llm_contracts.corpus import CorpusStream, read_corpus
from llm_contracts.project.config import ConfigError, find_root, nearest
from llm_contracts.project.recorded_call import base_of
from llm_contracts.project.scenario import Provider
from llm_contracts.project.well_known import WELL_KNOWN, provider_at, unlisted
from llm_contracts.simulator.dialects import DIALECTS
from llm_contracts.util.files import replace_file

_FOLDER = "tests/contracts"
_CASSETTES = "cassettes"
_OWN_CASSETTES = f"{_FOLDER}/cassettes"
"""Where recordings go if an existing suite has the usual folder already."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_MODELS: Mapping[str, str] = {
    "openai": "gpt-4o-mini",
    "deepseek": "deepseek-chat",
    "qwen": "qwen-plus",
    "anthropic": "claude-haiku-4-5",
    "gemini": "gemini-2.5-flash",
}
_PROVIDER_OF: Mapping[str, str] = {"anthropic": "anthropic", "google-genai": "gemini"}
"""Built-in client → the provider whose API is all that it calls."""

_ASKED: Mapping[str, str] = {
    "anthropic": """messages=QUESTION,
        params={"max_tokens": 64, "stream": True},
        function=Function.MESSAGES,""",
    "gemini": """input=[{"role": "user", "parts": [{"text": "Name a tea."}]}],
        params={"stream": True},
        function=Function.GENERATE_CONTENT,""",
}
"""Provider → how it is asked, where that is not a chat."""

_CLIENTS = '''"""The clients that are compared, and the providers that they call."""

from llm_contracts import Provider

PROVIDERS = [
{providers}]

# Clients of your own, by a name each: functions that take a call and yield what your library yields.
# The built-in ones need no entry; `module:attribute` names any other.
CLIENTS = {{}}
'''
_SCENARIOS = '''"""What is asked, a row for each situation."""

{imports}
QUESTION = ({{"role": "user", "content": "Name a tea."}},)
SCENARIOS = [
{rows}]
'''
_ROW = """    Scenario(
        id={id},
        provider={name},
        model={model},
        {asked}
    ),
"""
_REFUSED = """
        live=False,  # no provider answers like this on demand
        expects="failure","""
_IMPORTED = '''"""What is asked: the recordings of the suite that this project began with."""

from pathlib import Path

from llm_contracts import imported_scenarios

SCENARIOS = [*imported_scenarios(Path(__file__).parent / "{cassettes}")]
'''


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """What to begin with.

    Attributes:
        root: the project's folder.
        reference, candidate: names of clients.
        providers: names of those to call; none stands for those of the recordings, or else for the one
            that the reference is made for, such as openai.
        source: recordings of an existing suite.
    """

    root: Path
    reference: str
    candidate: str
    providers: tuple[str, ...] = ()
    source: Path | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Started:
    """The files that were written, those that were there and stay, and the command to go on with."""

    written: tuple[Path, ...]
    left: tuple[Path, ...]
    next: str


def start(begin: Start) -> Started:
    """Write the files of a new project. What is there already is never changed, but for a table that is
    added at the end of pyproject.toml.

    Raises:
        ConfigError: the folder has a project already, or a name leads nowhere.
        OSError: a file could not be written.
    """
    if find_root(begin.root) == begin.root:
        raise ConfigError(
            f"{begin.root / 'pyproject.toml'} has a [tool.llm_contracts] table: there is a project already."
        )
    _check_clients(begin)
    providers = _providers(begin)
    own = begin.source is not None and (begin.root / _CASSETTES).exists()
    texts = {
        f"{_FOLDER}/clients.py": _CLIENTS.format(providers="".join(map(_provider, providers))),
        f"{_FOLDER}/scenarios.py": _scenarios(begin, providers, own=own),
    }
    left = [begin.root / name for name in texts if (begin.root / name).exists()]
    written = []
    for name, text in texts.items():
        if (file := begin.root / name) not in left:
            replace_file(file, text)
            written.append(file)
    table = begin.root / "pyproject.toml"
    replace_file(table, _pyproject(table, begin, own=own))
    step = "check" if begin.source else "record"
    scripted = begin.source is None and all(row.name in DIALECTS for row in providers)
    keys = ", ".join(row.key_variable for row in providers)
    further = " --source simulator" if scripted else "" if begin.source else f" (with {keys} set)"
    return Started(written=(*written, table), left=tuple(left), next=f"llm-contracts {step}{further}")


def _check_clients(begin: Start) -> None:
    for name in (begin.reference, begin.candidate):
        if name not in BUILTIN and ":" not in name:
            raise ConfigError(
                f"There is no built-in client {name!r}. {nearest(name, BUILTIN)} "
                "One of your own is named as module:attribute."
            )
    if begin.reference == begin.candidate:
        raise ConfigError(f"The candidate {begin.candidate!r} is the reference itself. Name another client.")


def _providers(begin: Start) -> tuple[Provider, ...]:
    named = tuple(map(_provider_from, dict.fromkeys(begin.providers)))
    if begin.source is None:
        return named or (_provider_from(_PROVIDER_OF.get(begin.reference.removesuffix("-async"), "openai")),)
    streams = [entry for entry in read_corpus(begin.source) if isinstance(entry, CorpusStream)]
    rows = [provider_at(base_of(entry.interaction.request.uri)) for entry in streams]
    found = {row.name: row for row in reversed(rows)}  # the first of each name
    if not found and not named:
        raise ConfigError(f"{begin.source} holds no recording that can be compared. Check the folder's name.")
    return tuple({**{row.name: row for row in named}, **dict(reversed(found.items()))}.values())


def _provider_from(text: str) -> Provider:
    """A well-known provider by its name, or any as `name=base URL`."""
    name, at, base_url = text.partition("=")
    if at and _NAME.fullmatch(name) and urlsplit(base_url).hostname:
        return unlisted(name, base_url)
    if text not in WELL_KNOWN:
        raise ConfigError(
            f"There is no well-known provider {text!r}. {nearest(text, WELL_KNOWN)} "
            "Any other one is named with its base URL: acme=https://llm.acme.example/v1"
        )
    return WELL_KNOWN[text]


def _provider(row: Provider) -> str:
    given = {name: getattr(row, name) for name in ("name", "base_url", "key_variable", "base_url_variable")}
    lines = (f"        {name}={_quoted(value)},\n" for name, value in given.items() if value)
    return f"    Provider(\n{''.join(lines)}    ),\n"


def _scenarios(begin: Start, providers: Sequence[Provider], *, own: bool) -> str:
    if begin.source is not None:
        return _IMPORTED.format(cassettes="cassettes" if own else f"../../{_CASSETTES}")
    rows = ""
    for row in providers:
        given = {"name": _quoted(row.name), "model": _quoted(_MODELS.get(row.name, "default"))}
        asked = _ASKED.get(_api(row, begin.reference), "messages=QUESTION,")
        rows += _ROW.format(id=_quoted("plain-stream"), asked=asked, **given)
        if row.name in DIALECTS:  # what only the simulator can be made to say
            rows += _ROW.format(id=_quoted("rate-limit"), asked=asked + _REFUSED, **given)
    names = "Function, Scenario" if "Function." in rows else "Scenario"
    return _SCENARIOS.format(imports=f"from llm_contracts import {names}\n", rows=rows)


def _api(row: Provider, reference: str) -> str:
    """The provider whose API is spoken: its own; at a server of one's own that of the client's."""
    return row.name if row.name in WELL_KNOWN else _PROVIDER_OF.get(reference.removesuffix("-async"), "")


def _pyproject(file: Path, begin: Start, *, own: bool) -> str:
    before = file.read_text(encoding="utf-8").rstrip("\n") + "\n\n" if file.is_file() else ""
    table = {"reference": begin.reference, "candidate": begin.candidate}
    table |= {"cassettes": _OWN_CASSETTES} if own else {}
    lines = "".join(f"{key} = {_quoted(value)}\n" for key, value in table.items())
    return f"{before}[tool.llm_contracts]\n{lines}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
