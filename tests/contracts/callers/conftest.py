"""Recordings to call, with either backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial

import pytest

from llm_adapter import Adapter, adapter_from
from llm_contracts.wire.proxy.server import Edge
from tests.contracts.callers.calling import Played, played

Play = Callable[..., Played]
Calling = Callable[..., Adapter]


@pytest.fixture(scope="module")
def edge() -> Iterator[Edge]:
    with Edge() as edge:
        yield edge


@pytest.fixture
def play(edge: Edge) -> Play:
    """Plays a recording by its name; see `played`."""
    return partial(played, edge)


@pytest.fixture(params=["legacy", "litellm"])
def backend(request: pytest.FixtureRequest) -> str:
    """Either way to the provider; every test with both."""
    name: str = request.param
    return name


@pytest.fixture
def calling(backend: str) -> Iterator[Calling]:
    """Makes an adapter that leads to these recordings."""
    with ExitStack() as stack:

        def make(*lines: Played) -> Adapter:
            environ = {name: value for line in lines for name, value in line.environ.items()}
            adapter = adapter_from({**environ, "LLM_BACKEND": backend})
            return stack.enter_context(closing(adapter))

        yield make
