"""The environment as it is read."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest

from llm_adapter.errors import SettingsError
from llm_adapter.providers import PROVIDERS
from llm_adapter.settings import BackendName, Settings, environment, example


def test_nothing_set_means_no_keys_and_the_table_s_addresses() -> None:
    settings = Settings.from_environ({})
    assert {key: account.base_url for key, account in settings.accounts.items()} == {
        row.key: row.base_url for row in PROVIDERS
    }
    assert settings.secrets == ()
    assert (settings.default_model, settings.default_temperature) == ("", None)


def test_every_provider_can_be_moved_elsewhere_and_has_its_own_key() -> None:
    environ = {row.base_url_variable: f"http://{row.key}" for row in PROVIDERS}
    environ |= {row.key_variables[0]: f"key-{row.key}" for row in PROVIDERS}
    accounts = Settings.from_environ(environ).accounts
    assert {key: (a.base_url, a.api_key) for key, a in accounts.items()} == {
        row.key: (f"http://{row.key}", f"key-{row.key}") for row in PROVIDERS
    }


def test_the_second_name_of_a_key_counts_where_the_first_is_empty() -> None:
    accounts = Settings.from_environ({"BIGMODEL_API_KEY": " ", "GLM_API_KEY": "key-2"}).accounts
    assert accounts["glm"].api_key == "key-2"


def test_litellm_unless_told_otherwise_and_a_provider_s_own_word_wins() -> None:
    def backends(**environ: str) -> set[tuple[str, BackendName]]:
        return {(key, account.backend) for key, account in Settings.from_environ(environ).accounts.items()}

    legacy = {True: BackendName.LEGACY, False: BackendName.LITELLM}
    assert backends() == {(row.key, BackendName.LITELLM) for row in PROVIDERS}
    assert backends(LLM_BACKEND="Legacy") == {(row.key, legacy[row.has_legacy]) for row in PROVIDERS}
    mixed = backends(LLM_BACKEND="legacy", LLM_BACKEND_QWEN="litellm")
    assert {key for key, backend in mixed if backend is BackendName.LITELLM} == {"qwen", "gemini"}


def test_nobody_is_switched_back_to_a_legacy_client_that_never_was() -> None:
    with pytest.raises(SettingsError, match="no legacy client for gemini: remove LLM_BACKEND_GEMINI"):
        Settings.from_environ({"LLM_BACKEND_GEMINI": "legacy"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LLM_BACKEND", "openai"),
        ("LLM_BACKEND_GLM", "lite"),
        ("DEFAULT_LLM_TEMPERATURE", "warm"),
        ("LLM_MODEL_MAX_OUTPUT_TOKENS", "{"),
        ("LLM_MODEL_MAX_OUTPUT_TOKENS", "[]"),
        ("LLM_MODEL_MAX_OUTPUT_TOKENS", '{"m": 0}'),
        ("LLM_MODEL_MAX_OUTPUT_TOKENS", '{"m": true}'),
        ("LLM_MODEL_MAX_OUTPUT_TOKENS", '{"m": "5"}'),
    ],
)
def test_what_makes_no_sense_is_an_error_that_names_the_variable(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{name} "):
        Settings.from_environ({name: value})


def test_the_rest_is_read_as_written() -> None:
    settings = Settings.from_environ(
        {
            "DEFAULT_LLM_MODEL": "qwen/qwen-plus",
            "DEFAULT_LLM_TEMPERATURE": "0.3",
            "LLM_ALLOWED_MODELS": "gpt-4o, qwen/qwen-plus,",
            "LLM_ALLOWED_MODEL_DISPLAY_NAMES": "Four, Plus",
            "LLM_MODEL_MAX_OUTPUT_TOKENS": '{"gpt-4o": 9}',
        }
    )
    assert settings.default_model == "qwen/qwen-plus"
    assert settings.default_temperature == 0.3
    assert settings.allowed_models == ("gpt-4o", "qwen/qwen-plus")
    assert settings.display_names == {"gpt-4o": "Four", "qwen/qwen-plus": "Plus"}
    assert settings.max_output_tokens == {"gpt-4o": 9}


def test_display_names_of_another_number_are_ignored() -> None:
    settings = Settings.from_environ(
        {"LLM_ALLOWED_MODELS": "gpt-4o", "LLM_ALLOWED_MODEL_DISPLAY_NAMES": "Four, Five"}
    )
    assert settings.display_names == {}


def test_no_key_is_in_a_repr() -> None:
    assert "sk-hidden-1" not in repr(Settings.from_environ({"OPENAI_API_KEY": "sk-hidden-1"}))


def test_variables_set_for_a_moment_are_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITELLM_MODE", "DEV")
    before = dict(os.environ)
    with environment(LITELLM_MODE="PRODUCTION", LLM_BACKEND="legacy"):
        assert (os.environ["LITELLM_MODE"], os.environ["LLM_BACKEND"]) == ("PRODUCTION", "legacy")
    assert dict(os.environ) == before


class _Asked(dict[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return default


def test_the_example_names_every_variable_that_is_read_and_can_be_read_itself() -> None:
    asked = _Asked()
    Settings.from_environ(asked)
    lines = [line.removeprefix("# ") for line in example().splitlines()]
    shown = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))
    assert asked.names - shown.keys() == {"GLM_API_KEY"}  # the second name of a key
    assert Settings.from_environ(shown).accounts["qwen"].backend is BackendName.LEGACY
