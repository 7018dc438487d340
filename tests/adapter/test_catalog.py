"""Which models are offered, and where names lead."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from types import SimpleNamespace

import pytest

from llm_adapter import Adapter, LLMNotConfiguredError, ModelNotSupportedError
from llm_adapter.catalog import current_models, resolve
from llm_adapter.listing import ModelLists
from llm_adapter.providers import PROVIDERS
from llm_adapter.providers import Provider as Row
from llm_adapter.settings import Account, Settings
from tests.adapter.conftest import MakeAdapter
from tests.adapter.provider import Provider, document, refusal

ALL_KEYS = {row.key_variables[0]: f"key-{row.key}" for row in PROVIDERS}
LOG = logging.getLogger("test")
DEEPSEEK = ["deepseek-v4-flash", "deepseek-v4-pro", "deepseek-chat", "deepseek-reasoner"]


def listing(account: Account) -> Iterable[str]:
    """What the providers of these tests list."""
    return {
        "key-openai": ["gpt-4o", "whisper-1", "gpt-4o"],
        "key-deepseek": ["deepseek-v4"],
        "key-qwen": ["qwen-max", "deepseek-r1"],
    }.get(account.api_key, [])


def offered(environ: dict[str, str], lister: Callable[[Account], Iterable[str]]) -> list[str]:
    return current_models(Settings.from_environ(environ), ModelLists(), lister, LOG)


def test_listings_are_filtered_prefixed_joined_with_the_static_part_and_named_once() -> None:
    models = offered(ALL_KEYS, listing)
    assert models[:5] == ["gpt-4o", "deepseek-v4", "qwen/qwen-max", "qwen/deepseek-r1", "qwen/deepseek-v3"]
    ernie = [model for model in models if model.startswith("ernie/")]
    assert (len(ernie), ernie[0], ernie[-1]) == (21, "ernie/ernie-4.0-8k-latest", "ernie/deepseek-r1")


def test_a_failing_listing_leaves_the_static_part_and_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    def failing(account: Account) -> Iterable[str]:
        raise ConnectionError(f"no way in with {account.api_key}")

    models = offered({**ALL_KEYS, "ERNIE_API_KEY": ""}, failing)
    assert models == [*DEEPSEEK, "qwen/deepseek-r1", "qwen/deepseek-v3"]
    assert "the models of openai cannot be listed (ConnectionError)" in caplog.text
    assert "ernie is skipped: ERNIE_API_KEY is not set" in caplog.text
    assert "key-openai" not in caplog.text


def test_listing_models_says_what_is_wrong_with_the_settings(caplog: pytest.LogCaptureFixture) -> None:
    offered({"ARK_ACCESS_KEY_ID": "k"}, listing)
    assert "ARK_ACCESS_KEY_ID is set without ARK_SECRET_ACCESS_KEY" in caplog.text


def test_only_allowed_models_are_offered_where_that_is_configured_and_in_that_order() -> None:
    allowed = "qwen/qwen-max,gpt-4o,nothing,qwen/qwen-max"
    assert offered({**ALL_KEYS, "LLM_ALLOWED_MODELS": allowed}, listing) == ["qwen/qwen-max", "gpt-4o"]


@pytest.mark.parametrize(
    ("name", "provider", "model"),
    [
        ("gpt-brand-new", "openai", "gpt-brand-new"),
        ("deepseek-chat", "deepseek", "deepseek-chat"),
        ("qwen/new-model", "qwen", "new-model"),
        ("ernie/deepseek-v3", "ernie", "deepseek-v3"),
        ("glm/glm-4.6", "glm", "glm-4.6"),
        ("ark/ep-2024", "ark", "ep-2024"),
        ("silicon/Qwen/Qwen3-8B", "silicon", "Qwen/Qwen3-8B"),
        ("silicon/silicon/x", "silicon", "silicon/x"),
    ],
)
def test_a_name_alone_says_where_it_leads(name: str, provider: str, model: str) -> None:
    """Whether a listing knows it or not: a model that is new at the provider works at once."""
    route = resolve(name, Settings.from_environ(ALL_KEYS))
    assert (route.provider.key, route.model, route.account.api_key) == (provider, model, f"key-{provider}")


@pytest.mark.parametrize(
    "name", ["", "qwen/", "qwen", "claude-4", "GPT-4o", "openai/gpt-4o", "x/gpt-4o", "ERNIE-5", "dify-2"]
)
def test_other_names_lead_nowhere(name: str) -> None:
    with pytest.raises(ModelNotSupportedError, match="no provider answers"):
        resolve(name, Settings.from_environ(ALL_KEYS))


@pytest.mark.parametrize("row", PROVIDERS, ids=[row.key for row in PROVIDERS])
def test_a_provider_without_a_key_says_which_variable_to_set(row: Row) -> None:
    name = row.static_models[0] if row.only_static else f"{row.prefix}{row.bare_models}x"
    with pytest.raises(LLMNotConfiguredError) as caught:
        resolve(name, Settings.from_environ({}))
    assert caught.value.config_var == row.key_variables[0]


def test_models_are_listed_over_the_wire(adapter: Adapter, provider: Provider) -> None:
    provider.say(document({"object": "list", "data": [{"id": "gpt-4o", "object": "model"}, {"id": "o3"}]}))
    models = adapter.get_current_models(SimpleNamespace(logger=LOG))
    assert models[0] == "gpt-4o"
    assert "o3" not in models
    assert "glm/o3" in models
    assert {asked.target for asked in provider.asked} == {"/v1/models", "/v1/models?pageSize=1000"}
    assert len(provider.asked) == len([row for row in PROVIDERS if row.lists_models])


def test_a_refused_listing_is_a_warning(
    adapter: Adapter, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.say(refusal(401))
    assert "deepseek-chat" in adapter.get_current_models(None)
    assert "the models of glm cannot be listed (AuthenticationError)" in caplog.text


def test_entries_of_a_list_that_name_no_model_are_passed_over(adapter: Adapter, provider: Provider) -> None:
    named: list[dict[str, object]] = [{"id": None}, {"object": "model"}, {"id": ""}, {"id": 7}, {"id": "o3"}]
    provider.say(document({"data": named}))
    glm = adapter.current_settings.accounts["glm"]
    assert list(adapter.clients.lister()(glm)) == ["o3"]


def test_models_are_listed_on_an_event_loop(adapter: Adapter, provider: Provider) -> None:
    provider.say(document({"data": [{"id": "gpt-4o"}]}))

    async def ask() -> tuple[list[str], list[dict[str, object]]]:
        return await adapter.aget_current_models(None), await adapter.aget_model_options(None)

    models, options = asyncio.run(ask())
    assert models == adapter.get_current_models(None)
    assert [option["model"] for option in options] == models
    assert "gpt-4o" in models


def test_listing_after_closing_opens_new_connections(make_adapter: MakeAdapter, provider: Provider) -> None:
    provider.say(document({"object": "list", "data": [{"id": "gpt-4o"}]}))
    adapter = make_adapter()
    for _ in range(2):
        assert "gpt-4o" in adapter.get_current_models(None)
        adapter.close()
