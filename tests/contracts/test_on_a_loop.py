"""The functions for event loops do what the others do, on recordings of every protocol and kind of end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from llm_contracts.run.engines import Engine, EngineName, opened
from llm_contracts.run.scenario import replay_call
from tests.contracts.callers.played import observed, seen
from tests.contracts.recorded import PROJECT, RECORDED, recorded

pytestmark = pytest.mark.long

ENDS = {"plain-stream", "rate-limit", "mid-stream-error", "wrong-key"}
PROTOCOLS = {"openai", "gemini", "ernie_v1", "dify"}
NAMES = [name for name in RECORDED if name.partition("/")[0] in PROTOCOLS and name.partition("/")[2] in ENDS]
ON_BOTH = [name for name in NAMES if name.startswith("openai/")]


@pytest.fixture(scope="module")
def wire() -> Iterator[Engine]:
    """Real sockets."""
    with opened(EngineName.WIRE) as engine:
        yield engine


def done(engine: Engine, name: str, client: str) -> Mapping[str, Any]:
    """What a client did, without the headers by which the SDK tells its two kinds of client apart."""
    row = RECORDED[name]
    observation = observed(engine, recorded(name), replay_call(row, PROJECT.provider(row.provider)), client)
    told = seen(observation)
    return {**told, "requests": [request[:-1] for request in told["requests"]]}


@pytest.mark.parametrize("name", NAMES)
def test_litellm_does_the_same_on_a_loop(name: str, wire: Engine) -> None:
    assert done(wire, name, "adapter-litellm-async") == done(wire, name, "adapter-litellm")


@pytest.mark.parametrize("name", ON_BOTH)
def test_the_legacy_client_does_the_same_on_a_loop(name: str, wire: Engine) -> None:
    assert done(wire, name, "adapter-legacy-async") == done(wire, name, "adapter-legacy")
