"""Lists of models: asked all at once, seldom, and not waited for longer than is bearable."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

import pytest

from llm_adapter import adapter_from
from llm_adapter.catalog import current_models
from llm_adapter.listing import ModelLists
from llm_adapter.settings import Account, Settings

KEYS = {"OPENAI_API_KEY": "k-1", "GLM_API_KEY": "k-2", "SILICON_API_KEY": "k-3"}
LOG = logging.getLogger("test")


class Time:
    """Seconds, set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Providers:
    """Answer with what is said of them, and remember who was asked."""

    def __init__(self, **models: list[str]) -> None:
        self.models = models
        self.asked: list[str] = []

    def __call__(self, account: Account) -> Iterable[str]:
        self.asked.append(account.provider)
        found = self.models.get(account.provider)
        if found is None:
            raise ConnectionError("nobody there")
        return found


def offered(lists: ModelLists, lister: Providers, **more: str) -> list[str]:
    return current_models(Settings.from_environ({**KEYS, **more}), lists, lister, LOG)


def test_each_provider_is_asked_once_and_again_when_its_list_is_old() -> None:
    clock, providers = Time(), Providers(openai=["gpt-4o"], glm=["glm-5"], silicon=["a/b"])
    lists = ModelLists(clock=clock)
    for moment in (0, 299, 300):
        clock.now = moment
        assert offered(lists, providers) == ["gpt-4o", "glm/glm-5", "silicon/a/b"]
    assert sorted(providers.asked) == sorted(["openai", "glm", "silicon"] * 2)


def test_how_long_a_list_is_good_is_a_setting() -> None:
    clock, providers = Time(), Providers(openai=[], glm=[], silicon=[])
    lists = ModelLists(clock=clock)
    for moment in (0, 9, 10):
        clock.now = moment
        offered(lists, providers, LLM_MODEL_LIST_SECONDS="10")
    assert len(providers.asked) == 6


def test_a_provider_that_fails_keeps_its_last_list_and_is_asked_again_after_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, providers = Time(), Providers(openai=["gpt-4o"], glm=["glm-5"], silicon=["a/b"])
    lists = ModelLists(clock=clock)
    offered(lists, providers)
    del providers.models["glm"]
    clock.now = 300
    assert "glm/glm-5" in offered(lists, providers)
    providers.models["glm"] = ["glm-6"]
    clock.now = 359
    assert "glm/glm-5" in offered(lists, providers)
    clock.now = 360
    assert "glm/glm-6" in offered(lists, providers)


def test_the_log_says_it_once(caplog: pytest.LogCaptureFixture) -> None:
    clock, lists = Time(), ModelLists()
    lists.clock = clock
    for moment in (0, 1, 500, 1000):
        clock.now = moment
        offered(lists, Providers(), LLM_ALLOWED_MODELS="claude")
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == len(set(messages))
    assert "the models of glm cannot be listed (ConnectionError)" in messages
    assert "deepseek is skipped: DEEPSEEK_API_KEY is not set" in messages


def test_all_are_asked_at_the_same_time() -> None:
    together = threading.Barrier(3)

    def lister(account: Account) -> Iterable[str]:
        together.wait(60)
        return ["gpt-x"]

    models = current_models(Settings.from_environ(KEYS), ModelLists(patience=60), lister, LOG)
    assert models == ["gpt-x", "glm/gpt-x", "silicon/gpt-x"]


def test_a_silent_provider_costs_the_patience_alone_and_is_heard_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    speaks, heard = threading.Event(), threading.Event()

    def lister(account: Account) -> Iterable[str]:
        if account.provider == "glm":
            assert speaks.wait(60)
        return ["gpt-x"]

    lists, settings = ModelLists(patience=0.01), Settings.from_environ(KEYS)

    def offered() -> list[str]:
        return current_models(settings, lists, lister, LOG)

    while offered() != ["gpt-x", "silicon/gpt-x"]:  # how quick the others are is not for this test to say
        heard.wait(0.005)
    assert "the models of glm cannot be listed (no answer in time)" in caplog.text
    speaks.set()
    while "glm/gpt-x" not in offered():
        heard.wait(0.005)


def test_a_provider_that_was_in_trouble_is_not_waited_for_as_long_again() -> None:
    """Once a minute it is some request that asks for it, and the others' lists are there already."""
    clock, speaks = Time(), threading.Event()

    def lister(account: Account) -> Iterable[str]:
        if not clock.now:
            raise ConnectionError
        assert speaks.wait(60)
        return ["gpt-x"]

    settings = Settings.from_environ({"OPENAI_API_KEY": "k-1"})
    lists = ModelLists(patience=300, patience_after_trouble=0.01, clock=clock)
    assert current_models(settings, lists, lister, LOG) == []
    clock.now = 60
    assert current_models(settings, lists, lister, LOG) == []
    speaks.set()


def test_who_asks_meanwhile_gets_the_last_list() -> None:
    clock, asked, speaks = Time(), threading.Event(), threading.Event()

    def lister(account: Account) -> Iterable[str]:
        if clock.now:
            asked.set()
            assert speaks.wait(60)
            return ["gpt-new"]
        return ["gpt-old"]

    settings, lists = Settings.from_environ({"OPENAI_API_KEY": "k-1"}), ModelLists(patience=60, clock=clock)
    current_models(settings, lists, lister, LOG)
    clock.now = 300
    first = threading.Thread(target=current_models, args=(settings, lists, lister, LOG))
    first.start()
    assert asked.wait(60)
    assert current_models(settings, lists, lister, LOG) == ["gpt-old"]
    speaks.set()
    first.join(60)
    assert current_models(settings, lists, lister, LOG) == ["gpt-new"]


def test_options_have_the_allow_list_s_order_and_names() -> None:
    adapter = adapter_from(
        {
            "ERNIE_API_KEY": "k",
            "LLM_ALLOWED_MODELS": "ernie/ernie-lite-8k, claude, ernie/ernie-4.0-8k",
            "LLM_ALLOWED_MODEL_DISPLAY_NAMES": "Lite,Claude,Four",
            "DEFAULT_LLM_MODEL": "ernie/ernie-4.0-8k",
        }
    )
    assert adapter.get_model_options(None) == [
        {"model": "ernie/ernie-lite-8k", "display_name": "Lite", "is_default": False},
        {"model": "ernie/ernie-4.0-8k", "display_name": "Four", "is_default": True},
    ]
    assert adapter.get_allowed_models() == ["ernie/ernie-lite-8k", "claude", "ernie/ernie-4.0-8k"]
