"""A provider to ask, and adapters to ask it with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from typing import Any

import pytest

from llm_adapter import Adapter, adapter_from
from llm_adapter.providers import PROVIDERS
from tests.adapter.provider import KEY, Provider, answer, running

MakeAdapter = Callable[..., Adapter]

AS_ASKED = {"LLM_THINKING": "caller", "LLM_DEFAULT_OUTPUT_LIMIT": "none"}
"""Nothing is sent that the caller has not asked for: what the legacy path always does."""


def pytest_configure(config: pytest.Config) -> None:
    """Let LiteLLM be.

    It asks at import for this warning of its own making to be ignored, which pytest forgets after a test.
    """
    config.addinivalue_line("filterwarnings", "ignore:Item .* is using the `ReadOnly` qualifier:UserWarning")


def environ_for(provider: Provider, **more: str) -> dict[str, str]:
    """An environment in which every provider of the table is this one."""
    urls = {row.base_url_variable: provider.url for row in PROVIDERS}
    keys = {
        name: KEY for row in PROVIDERS for name in (row.key_variables[0], row.second_key_variable) if name
    }
    return {**urls, **keys, **more}


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider that says "Hello" unless it is told otherwise."""
    with running() as provider:
        provider.say(answer("Hel", "lo"))
        yield provider


@pytest.fixture
def make_adapter(provider: Provider) -> Iterator[MakeAdapter]:
    """Makes adapters; what they opened is closed at the end."""
    with ExitStack() as stack:

        def make(backend: str = "litellm", **environ: Any) -> Adapter:
            adapter = adapter_from(environ_for(provider, LLM_BACKEND=backend, **environ))
            return stack.enter_context(closing(adapter))

        yield make


@pytest.fixture(params=["legacy", "litellm"])
def adapter(request: pytest.FixtureRequest, make_adapter: MakeAdapter) -> Adapter:
    """One adapter, each test with both backends."""
    return make_adapter(request.param)


@pytest.fixture
def ask(adapter: Adapter) -> Callable[..., list[str]]:
    """Asks a question and gives the pieces of the answer."""
    return partial(_ask, adapter)


def _ask(adapter: Adapter, model: str = "gpt-4o", **params: Any) -> list[str]:
    return [piece.result for piece in adapter.invoke_llm(None, "user-1", None, model, "hi", **params)]
