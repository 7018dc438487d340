"""Warming up does everything that a first call would do, but for talking to anybody."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from llm_adapter import Adapter, adapter_from
from llm_adapter.backends import Opened
from llm_adapter.clients import Clients
from llm_adapter.requests import Outgoing
from llm_adapter.settings import BackendName, Settings
from tests.adapter.conftest import MakeAdapter
from tests.adapter.provider import Provider

pytestmark = pytest.mark.long

_FRESH = """
import socket, sys

def unreachable(*_):
    raise AssertionError("the network was asked for")

socket.socket.connect = socket.getaddrinfo = unreachable
from llm_adapter import adapter_from
adapter_from({"OPENAI_API_KEY": "sk-nobody-s-0123", "LLM_BACKEND": sys.argv[1]}).warm_up()
print(*sorted({"openai", "litellm", "langfuse"} & sys.modules.keys()))
"""


_COLLECTED = """
import gc, sys, weakref
from llm_adapter import adapter_from

class Circle:
    def __init__(self):
        self.me = self

dead = weakref.ref(Circle())
adapter_from({"OPENAI_API_KEY": "sk-nobody-s-0123", "LLM_BACKEND": sys.argv[1]}).warm_up()
print(dead() is None, gc.isenabled(), gc.get_freeze_count() > 50_000, len(gc.get_objects()) < 1_000)
"""


_PRELOADED = """
import socket, sys, threading

def unreachable(*_):
    raise AssertionError("a connection was opened")

socket.socket.connect = socket.getaddrinfo = unreachable
from llm_adapter import adapter_from
adapter = adapter_from({"OPENAI_API_KEY": "sk-nobody-s-0123", "LLM_BACKEND": sys.argv[1]})
adapter.preload()
loaded = sorted({"openai", "litellm"} & sys.modules.keys())
print(threading.active_count(), *loaded)
"""


@pytest.mark.parametrize(("backend", "loaded"), [("legacy", "openai"), ("litellm", "litellm openai")])
def test_preloading_starts_no_thread_and_opens_no_connection(backend: str, loaded: str) -> None:
    """What a fork would break; the workers share the rest."""
    assert _said(_PRELOADED, backend) == f"1 {loaded}"


def test_nothing_is_sent_and_what_follows_is_as_ever(adapter: Adapter, provider: Provider) -> None:
    adapter.warm_up()
    adapter.warm_up()
    assert provider.asked == []
    assert "".join(piece.result for piece in adapter.invoke_llm(None, "u", None, "gpt-4o", "hi")) == "Hello"


@pytest.mark.parametrize(("backend", "loaded"), [("legacy", "openai"), ("litellm", "litellm openai")])
def test_only_the_chosen_backend_is_loaded_and_nothing_is_looked_up(backend: str, loaded: str) -> None:
    assert _said(_FRESH, backend) == loaded


@pytest.mark.parametrize("backend", ["legacy", "litellm"])
def test_what_is_there_afterwards_is_out_of_the_collector_s_sight(backend: str) -> None:
    """What could be collected is gone before, and what comes later is collected as ever."""
    assert _said(_COLLECTED, backend) == "True True True True"


def _said(program: str, backend: str) -> str:
    environ = {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    ran = subprocess.run(
        [sys.executable, "-c", program, backend], env=environ, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_the_pools_that_calls_use_are_made(make_adapter: MakeAdapter) -> None:
    adapter = make_adapter("litellm")
    adapter.warm_up()
    account = adapter.current_settings.accounts["openai"]
    connections = adapter.clients.backend(BackendName.LITELLM).connections  # type: ignore[attr-defined]
    made = dict(connections._clients._made)
    assert any(key == (account.base_url, account.api_key, ()) for _, key in made)
    list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi"))
    assert connections._clients._made == made


def test_without_a_key_there_is_nothing_to_warm_up() -> None:
    def unused() -> None:
        raise AssertionError

    clients = Clients(backends=dict.fromkeys(BackendName, unused))
    Adapter(settings=Settings.from_environ({}), clients=clients).warm_up()


def test_a_backend_that_is_only_a_callable_is_left_as_it_is() -> None:
    def backend(_: Outgoing) -> Opened:
        raise AssertionError

    clients = Clients(backends=dict.fromkeys(BackendName, lambda: backend))
    Adapter(settings=adapter_from({"OPENAI_API_KEY": "sk-nobody-s-0123"}).settings, clients=clients).warm_up()
