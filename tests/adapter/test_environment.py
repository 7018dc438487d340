"""A call is what the settings say, whatever the environment holds for the client libraries.

The names are read from the installed libraries, so that a release that learns a new one is found out.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import certifi
import pytest
import trustme

from llm_adapter import Category, LLMError, adapter_from
from llm_adapter.settings import PROXIES, REFUSED_SWITCHES, Settings
from tests.adapter.conftest import MakeAdapter, environ_for
from tests.adapter.provider import Asked, Provider, answer, document, running

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("gpt-4o", "deepseek-chat", "gemini-2.5-pro", "dify", "ERNIE-4.0-8K")
THE_WAY = (*PROXIES, "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC")

_READ = re.compile(r"""(?:environ|getenv|get_secret)\w*(?:\.get)?\s*[\[(]\s*["']([A-Z][A-Z0-9_]{2,})["']""")
_NUMBER = re.compile(r"""(?:int|float)\(\s*os\.(?:getenv|environ\.get)\(\s*["'](\w+)""")


def _sources(library: str) -> str:
    folder = Path(str(find_spec(library).origin)).parent  # type: ignore[union-attr]
    files = (file for file in folder.rglob("*.py") if file.relative_to(folder).parts[0] != "proxy")
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


# Two of these are read by way of another name.
_READ_BY_ANOTHER_NAME = {
    "GCS_MOCK_LATENCY_MS",
    "LITELLM_MAX_STREAMING_DURATION_SECONDS",
    "REALTIME_WEBSOCKET_MAX_MESSAGE_SIZE_BYTES",
}
_MEANT = {
    "SSLKEYLOGFILE",  # Python's own, for every program: it changes no call
    "SSL_ECDH_CURVE",  # what no curve is called ends every call over TLS
    "SSL_SECURITY_LEVEL",
}
_OF_ALL_CALLS = ("LITELLM_", "USE_", "EXPERIMENTAL_", "OPENAI_", "AIOHTTP_")
"""The rest are other providers' keys and addresses, and integrations."""


@cache
def names_read() -> tuple[frozenset[str], tuple[str, ...]]:
    """What the client libraries and the HTTP libraries below them read, by their installed source.

    Returns:
        The names of numbers; every name, sorted.
    """
    clients = "".join(map(_sources, ("litellm", "openai")))
    http = "".join(map(_sources, ("httpx", "httpcore", "requests", "urllib3", "aiohttp")))
    numbers = frozenset(_NUMBER.findall(clients)) | _READ_BY_ANOTHER_NAME
    names = {*_READ.findall(clients + http), *numbers} - {*REFUSED_SWITCHES} - _MEANT
    every = sorted(name for name in names if not name.startswith("DEFAULT_REASONING_EFFORT_"))
    return numbers, tuple(every)


def wire(provider: Provider) -> list[Any]:
    """What arrives, for each backend and model, wherever the provider is and whoever passes it on."""
    seen: list[Any] = []
    for backend in ("litellm", "legacy"):
        with closing(adapter_from(environ_for(provider, LLM_BACKEND=backend))) as adapter:
            for model in MODELS:
                provider.asked.clear()
                try:
                    list(adapter.invoke_llm(None, "u", None, model, "hi"))
                except LLMError as error:  # the one answer is not everybody's
                    seen.append(str(error.category))
                seen += map(_as_sent, provider.asked)
    return seen


def _as_sent(asked: Asked) -> list[Any]:
    target = urlsplit(asked.target)
    headers = {
        name: value for name, value in asked.headers.items() if name not in {"host", "proxy-connection"}
    }
    return [target.path, target.query, headers, asked.body]


def surroundings(provider: Provider, folder: Path) -> dict[str, str]:
    """Each variable, with a value that has a meaning to who reads it."""
    trustme.CA().issue_cert("client").private_key_and_cert_chain_pem.write_to_path(folder / "client.pem")
    (folder / "netrc").write_text("default login somebody " + "password else\n")
    given = {
        "OPENAI_CUSTOM_HEADERS": "Authorization: Bearer of-somebody-else\nX-Injected: yes",
        "OPENAI_API_TYPE": "azure",
        "LITELLM_LOG": "ERROR",
        "LITELLM_SSL_CIPHERS": "DEFAULT",
        "SSL_CERT_FILE": certifi.where(),
        "SSL_CERT_DIR": str(folder),
        "REQUESTS_CA_BUNDLE": certifi.where(),
        "CURL_CA_BUNDLE": certifi.where(),
        "NETRC": str(folder / "netrc"),
        "SSL_CERTIFICATE": str(folder / "client.pem"),
        **dict.fromkeys(PROXIES, provider.url.removesuffix("/v1")),
    }
    return {name: given.get(name) or _meaning(name, folder) for name in (*names_read()[1], *THE_WAY)}


def _meaning(name: str, folder: Path) -> str:
    if name in names_read()[0]:
        return "7"
    if name.endswith(("_URL", "_BASE", "_HOST", "_ENDPOINT", "_ADDR")):
        return "http://127.0.0.1:9/elsewhere"
    return str(folder) if name.endswith(("_DIR", "_FILE", "_PATH")) else "true"


@pytest.fixture(scope="module")
def anybody() -> Iterator[Provider]:
    with running() as provider:
        provider.say(answer("Hello"))
        yield provider


@pytest.fixture(scope="module")
def base_line(anybody: Provider) -> list[Any]:
    return wire(anybody)


def test_the_base_line_has_every_call(base_line: list[Any]) -> None:
    assert [each[0] for each in base_line if isinstance(each, list)] == [
        "/v1/chat/completions",
        "/v1/chat/completions",
        "/v1/models/gemini-2.5-pro:streamGenerateContent",
        "/v1/chat-messages",
        "/v1/oauth/2.0/token",
        "/v1/chat/completions",
        "/v1/chat/completions",
        "/v1/models/gemini-2.5-pro:streamGenerateContent",
        "/v1/chat-messages",
        "/v1/oauth/2.0/token",
    ]


def test_no_variable_of_a_library_changes_a_call(
    anybody: Provider, base_line: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What LiteLLM reads at import alone is left to the next test, which has a process of its own."""
    numbers, every = names_read()
    alone = [name for name in every if name.startswith(_OF_ALL_CALLS) and not name.startswith("LITELLM_")]
    given = surroundings(anybody, tmp_path)
    changed = {}
    for name in (*alone, *THE_WAY):
        if name not in numbers:
            with monkeypatch.context() as patch:
                patch.setenv(name, given[name])
                if (seen := wire(anybody)) != base_line:
                    changed[name] = seen
    assert len(alone) > 20
    assert changed == {}


_TOGETHER = """
import json, os, sys
from pathlib import Path
from tests.adapter.provider import answer, running
from tests.adapter.test_environment import surroundings, wire
with running() as provider:
    provider.say(answer("Hello"))
    os.environ.update(surroundings(provider, Path(sys.argv[1])))
    sys.stdout.write("\\n" + json.dumps(wire(provider)))
"""


def test_nor_do_all_of_them_together_from_the_start(base_line: list[Any], tmp_path: Path) -> None:
    command = (sys.executable, "-c", _TOGETHER, str(tmp_path))
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120)
    assert json.loads(done.stdout.splitlines()[-1]) == base_line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "True") for name in REFUSED_SWITCHES),
        ("DEFAULT_REASONING_EFFORT_LOW_THINKING_BUDGET", "7"),
        ("SSL_CERT_FILE", "/nowhere/authorities.pem"),
        ("SSL_CERT_DIR", "/nowhere"),
    ],
)
@pytest.mark.parametrize("given", [True, False])
def test_what_cannot_be_kept_out_is_refused_by_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, *, given: bool
) -> None:
    """Also where the settings are made from other variables: the libraries look into the process's own."""
    if not given:
        monkeypatch.setenv(name, value)
    accounts = Settings.from_environ({name: value} if given else {}).accounts.values()
    assert {getattr(account.mistake, "variable", None) for account in accounts} == {name}


def test_a_file_that_holds_no_certificates_is_named(
    monkeypatch: pytest.MonkeyPatch, provider: Provider, tmp_path: Path
) -> None:
    file = tmp_path / "authorities.pem"
    file.write_text("none")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    for backend in ("litellm", "legacy"):
        adapter = adapter_from(environ_for(provider, LLM_BACKEND=backend))
        with pytest.raises(LLMError, match="SSL_CERT_FILE") as failed:
            list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi"))
        assert failed.value.category is Category.CONFIGURATION


def test_what_litellm_cannot_be_imported_with_is_named() -> None:
    """Each tried in a child of one process that has imported what LiteLLM stands on."""
    names = ("DEFAULT_MAX_RETRIES", "LITELLM_SSL_CIPHERS", "LITELLM_LOG", "GCS_MOCK_LATENCY_MS")
    code = """
import os, sys
import aiohttp, openai, pydantic
from llm_adapter import adapter_from, LLMError
for name in sys.argv[1:]:
    if not os.fork():
        os.environ[name] = "many"
        try: list(adapter_from({"OPENAI_API_KEY": "sk-1"}).invoke_llm(None, "u", None, "gpt-4o", "hi"))
        except LLMError as error: print(error.category, error, flush=True)
        os._exit(0)
    os.wait()
"""
    command = (sys.executable, "-c", code, *names)
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    found = "configuration 'gpt-4o' cannot be asked: LiteLLM cannot be imported with what ([A-Z_ or]+) says"
    for name, line in zip(names, done.stdout.splitlines(), strict=True):
        named = re.fullmatch(found, line)
        assert named is not None, line
        assert name in named[1].split(" or ")


@pytest.mark.parametrize("backend", ["litellm", "legacy"])
def test_openai_s_organisation_and_project_are_sent_to_openai_alone(
    backend: str, provider: Provider, make_adapter: MakeAdapter
) -> None:
    adapter = make_adapter(backend, OPENAI_ORG_ID="org-1", OPENAI_PROJECT_ID="proj-1")
    for model in ("gpt-4o", "deepseek-chat", "qwen/q", "gemini-2.5-pro", "dify"):
        with suppress(LLMError):
            list(adapter.invoke_llm(None, "u", None, model, "hi"))
    sent = [
        [asked.headers.get(f"openai-{what}") for what in ("organization", "project")]
        for asked in provider.asked
    ]
    assert sent == [["org-1", "proj-1"], *[[None, None]] * 4]
    provider.asked.clear()
    provider.say(document({"data": []}))
    adapter.get_current_models(None)
    listed = [asked.headers.get("openai-organization") for asked in provider.asked]
    assert ({*listed}, listed.count("org-1")) == ({"org-1", None}, 1)
