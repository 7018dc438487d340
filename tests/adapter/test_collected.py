"""What the garbage collector finds of a call over LiteLLM writes no context variable.

Python 3.11 may collect in the middle of a `ContextVar.set`, and crashes if another one happens then.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import Context, ContextVar
from typing import Any

import pytest

from llm_adapter import LLMError
from llm_adapter.backends import REHEARSED
from llm_adapter.backends.connection import rehearsal
from llm_adapter.backends.litellm import call_arguments, library
from tests.adapter.conftest import MakeAdapter
from tests.adapter.provider import Provider, answer, refusal

pytestmark = pytest.mark.long

MODELS = ("gpt-4o", "gemini-2.5-flash-lite", "ERNIE-4.0-8K", "dify")


@pytest.fixture(scope="module", autouse=True)
def _collector_off() -> Iterator[None]:
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()


def written_while_collecting(call: Callable[[], object]) -> list[str]:
    """The names of the variables that finalizers set after a call, in a context in which none is set."""
    names: list[str] = []

    def watch(_frame: object, event: str, what: Any) -> None:
        variable = getattr(what, "__self__", None)
        if event == "c_call" and isinstance(variable, ContextVar) and what.__name__ in {"set", "reset"}:
            names.append(variable.name)

    gc.collect()  # what earlier calls left
    gc.freeze()  # what is there already need not be looked through again and again
    Context().run(call)
    with profiled(watch):
        Context().run(gc.collect)
    return names


@contextmanager
def profiled(watch: Callable[[Any, str, Any], None]) -> Iterator[None]:
    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(before)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("fails", [False, True])
def test_nothing_that_is_collected_writes_a_context_variable(
    make_adapter: MakeAdapter, provider: Provider, model: str, fails: bool
) -> None:
    adapter = make_adapter("litellm")
    provider.say(refusal(400, "no") if fails else answer("Hel", "lo"))

    def call() -> None:
        with suppress(LLMError):
            list(adapter.invoke_llm(None, "u", None, model, "hi"))

    call()  # imports
    assert written_while_collecting(call) == []
    assert provider.asked


def test_litellm_by_itself_writes() -> None:
    """Or else there is nothing to keep it from, and `_disarm` may go once no supported release does."""
    play = rehearsal()

    def call() -> None:
        client = play.client(REHEARSED.base_url, REHEARSED.api_key)
        library().completion(
            model="openai/m",
            api_base=REHEARSED.base_url,
            api_key="k",
            client=client,
            **call_arguments(REHEARSED),
        ).completion_stream.close()

    call()
    assert set(written_while_collecting(call)) == {"trace_id", "session_id"}
    play.close()
