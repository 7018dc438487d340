"""Warming up does everything that a first call would do, but for talking to anybody."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
import gc, json, socket, sys, threading, weakref

def unreachable(*_):
    raise AssertionError("the network was asked for")

def loaded():
    return sorted({"openai", "litellm", "langfuse"} & sys.modules.keys())

class Circle:
    def __init__(self):
        self.me = self

socket.socket.connect = socket.getaddrinfo = unreachable
from llm_adapter import adapter_from
adapter = adapter_from({"OPENAI_API_KEY": "sk-nobody-s-0123", "LLM_BACKEND": sys.argv[1]})
adapter.preload()
preloaded = [threading.active_count(), loaded()]
dead = weakref.ref(Circle())
adapter.warm_up()
collected = dead() is None, gc.isenabled(), gc.get_freeze_count() > 50_000, len(gc.get_objects()) < 1_000
print(json.dumps({"preloaded": preloaded, "loaded": loaded(), "collected": collected}))
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fresh:
    """What a process saw that has preloaded and then warmed up, without a network."""

    backend: str
    said: dict[str, Any]

    @property
    def needed(self) -> list[str]:
        return {"legacy": ["openai"], "litellm": ["litellm", "openai"]}[self.backend]


@pytest.fixture(scope="module", params=["legacy", "litellm"])
def fresh(request: pytest.FixtureRequest) -> Fresh:
    environ = {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    program = [sys.executable, "-c", _FRESH, request.param]
    ran = subprocess.run(program, env=environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return Fresh(backend=request.param, said=json.loads(ran.stdout))


def test_preloading_starts_no_thread_and_opens_no_connection(fresh: Fresh) -> None:
    """What a fork would break; the workers share the rest."""
    assert fresh.said["preloaded"] == [1, fresh.needed]


def test_nothing_is_sent_and_what_follows_is_as_ever(adapter: Adapter, provider: Provider) -> None:
    adapter.warm_up()
    adapter.warm_up()
    assert provider.asked == []
    assert "".join(piece.result for piece in adapter.invoke_llm(None, "u", None, "gpt-4o", "hi")) == "Hello"


def test_only_the_chosen_backend_is_loaded_and_nothing_is_looked_up(fresh: Fresh) -> None:
    assert fresh.said["loaded"] == fresh.needed


def test_what_is_there_afterwards_is_out_of_the_collector_s_sight(fresh: Fresh) -> None:
    """What could be collected is gone before, and what comes later is collected as ever."""
    assert fresh.said["collected"] == [True] * 4


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
