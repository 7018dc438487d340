"""The environment as it is read."""

from __future__ import annotations

import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from llm_adapter import CallRecord, LLMNotConfiguredError, Outcome, adapter_from
from llm_adapter.errors import SettingsError
from llm_adapter.providers import PROVIDERS, Provider
from llm_adapter.settings import BackendName, Settings, environment
from tests.adapter.fresh_process import LEGACY, Deleted


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


@pytest.mark.parametrize("path", ["", "/", "/v1beta", "/v1beta/openai/", "/v1"])
def test_google_s_own_host_is_asked_for_its_own_protocol_whatever_the_path(path: str) -> None:
    """The application calls LiteLLM's own address for any that names this host."""
    own = "https://generativelanguage.googleapis.com/v1beta"
    settings = Settings.from_environ({"GEMINI_API_URL": f"https://generativelanguage.googleapis.com{path}"})
    assert settings.accounts["gemini"].base_url == own
    assert (
        Settings.from_environ({"GEMINI_API_URL": "https://proxy/g"}).accounts["gemini"].base_url
        == "https://proxy/g"
    )


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
    mistake = Settings.from_environ({"LLM_BACKEND_GEMINI": "legacy"}).accounts["gemini"].mistake
    assert "no legacy client for gemini: remove LLM_BACKEND_GEMINI" in str(mistake)


@pytest.mark.parametrize(
    ("name", "value", "stopped"),
    [
        ("LLM_BACKEND", "openai", {row.key for row in PROVIDERS if row.has_legacy}),
        ("LLM_BACKEND_GLM", "lite", {"glm"}),
        ("QWEN_API_URL", "dashscope.aliyuncs.com", {"qwen"}),
        ("ARK_BASE_URL", "ark", {"ark"}),
    ],
)
def test_a_mistake_stops_its_own_provider_alone_and_is_a_warning(
    name: str, value: str, stopped: set[str]
) -> None:
    settings = Settings.from_environ({name: value})
    assert {key for key, account in settings.accounts.items() if account.mistake} == stopped
    mistake = next(account.mistake for account in settings.accounts.values() if account.mistake)
    assert (type(mistake), mistake.variable) == (SettingsError, name)
    assert str(mistake) in settings.warnings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LLM_THINKING", "on"),
        ("LLM_DEFAULT_OUTPUT_LIMIT", "4096"),
        ("LLM_MODEL_LIST_SECONDS", "soon"),
        ("LLM_MODEL_LIST_SECONDS", "-1"),
        ("DEFAULT_LLM_TEMPERATURE", "warm"),
        ("DEFAULT_LLM_TEMPERATURE", "nan"),
        ("DEFAULT_LLM_TEMPERATURE", "-0.1"),
        ("DEFAULT_LLM_TEMPERATURE", "2.1"),
        ("LLM_MODEL_MAX_OUTPUT_TOKENS", "{"),
        ("LLM_MODEL_MAX_OUTPUT_TOKENS", "[]"),
        ("LLM_MODEL_MAX_OUTPUT_TOKENS", '{"m": 0}'),
        ("LLM_MODEL_MAX_OUTPUT_TOKENS", '{"m": true}'),
        ("LLM_MODEL_MAX_OUTPUT_TOKENS", '{"m": "5"}'),
    ],
)
def test_what_else_makes_no_sense_is_left_out_with_a_warning_that_names_the_variable(
    name: str, value: str
) -> None:
    settings = Settings.from_environ({name: value})
    (warning,) = settings.warnings
    assert warning.startswith(f"{name} ")
    assert warning.endswith("; it is ignored")
    assert replace(settings, warnings=()) == Settings.from_environ({})


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


def test_a_model_named_twice_has_its_first_place_and_name() -> None:
    named = {"LLM_ALLOWED_MODELS": "gpt-b,gpt-a,gpt-b", "LLM_ALLOWED_MODEL_DISPLAY_NAMES": "Bee,Ay,Other"}
    settings = Settings.from_environ(named)
    assert settings.allowed_models == ("gpt-b", "gpt-a")
    assert settings.display_names == {"gpt-b": "Bee", "gpt-a": "Ay"}


@pytest.mark.parametrize("row", [{"key_variables": ()}, {"base_url": "host/v1"}, {"base_url": ""}])
def test_a_row_that_leads_nowhere_is_refused(row: dict[str, Any]) -> None:
    given: dict[str, Any] = {"key": "own", "base_url": "https://own/v1", "key_variables": ("K",), **row}
    with pytest.raises(ValueError, match="own: "):
        Provider(**given)


def test_display_names_of_another_number_are_ignored() -> None:
    settings = Settings.from_environ(
        {"LLM_ALLOWED_MODELS": "gpt-4o", "LLM_ALLOWED_MODEL_DISPLAY_NAMES": "Four, Five"}
    )
    assert settings.display_names == {}


def test_references_to_other_variables_are_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_PROCESS", "example.org")
    environ = {
        "HOST": "${OF_THE_PROCESS}:8443",
        "OPENAI_BASE_URL": "https://${HOST}/v1",
        "QWEN_API_KEY": "k-${NOBODY_S}-1",
        "GLM_API_KEY": "${ROUND}",
        "ROUND": "${GLM_API_KEY}",
    }
    accounts = Settings.from_environ(environ).accounts
    assert accounts["openai"].base_url == "https://example.org:8443/v1"
    assert accounts["qwen"].api_key == "k-${NOBODY_S}-1"
    assert accounts["glm"].api_key.startswith("${")


def test_the_variables_can_be_asked_for_by_name_and_be_other_than_text() -> None:
    known = {
        "OPENAI_API_KEY": "key-1",
        "LLM_ALLOWED_MODELS": ["gpt-4o", "gpt-5"],
        "LLM_MODEL_MAX_OUTPUT_TOKENS": {"gpt-4o": 9},
        "DEFAULT_LLM_TEMPERATURE": 0.5,
    }
    settings = Settings.from_environ(known.get)
    assert settings.accounts["openai"].api_key == "key-1"
    assert settings.allowed_models == ("gpt-4o", "gpt-5")
    assert (settings.max_output_tokens, settings.default_temperature) == ({"gpt-4o": 9}, 0.5)


def test_a_source_that_raises_for_what_it_does_not_know_has_not_got_it() -> None:
    settings = Settings.from_environ({"OPENAI_API_KEY": "k-1"}.__getitem__)
    assert (settings.accounts["openai"].api_key, settings.accounts["glm"].api_key) == ("k-1", "")


class Unreadable:
    """A source whose decryption fails for some names."""

    def __init__(self, known: dict[str, Any], *names: str) -> None:
        self.known, self.names = known, names

    def __call__(self, name: str) -> Any:
        if name in self.names or not self.names:
            raise RuntimeError(f"cannot decrypt {name}")
        return self.known.get(name)


def test_a_variable_that_cannot_be_read_stops_its_own_provider_alone() -> None:
    known = {"OPENAI_API_KEY": "key-1", "GLM_API_KEY": "key-2", "LLM_ALLOWED_MODELS": "gpt-4o"}
    settings = Settings.from_environ(Unreadable(known, "BIGMODEL_API_KEY", "LLM_ALLOWED_MODELS"))
    assert (settings.accounts["openai"].mistake, settings.allowed_models) == (None, ())
    mistake = settings.accounts["glm"].mistake
    assert str(mistake) == "BIGMODEL_API_KEY cannot be read (RuntimeError)"
    assert (mistake and mistake.variable, settings.accounts["glm"].api_key) == ("BIGMODEL_API_KEY", "key-2")
    assert "LLM_ALLOWED_MODELS cannot be read (RuntimeError); it is ignored" in settings.warnings


def test_a_source_that_is_down_fails_calls_as_any_setting_does_and_lists_nothing() -> None:
    records: list[CallRecord] = []
    with closing(adapter_from(Unreadable({}), on_usage=records.append)) as adapter:
        with pytest.raises(LLMNotConfiguredError, match="cannot be read") as caught:
            list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi"))
        assert isinstance(caught.value.__cause__, SettingsError)
        assert str(caught.value.__cause__.__cause__).startswith("cannot decrypt")
        assert adapter.get_current_models(None) == []
    assert [record.outcome for record in records] == [Outcome.FAILED]


def test_bytes_are_text_and_false_is_nothing() -> None:
    settings = Settings.from_environ({"OPENAI_API_KEY": b"key-1", "GLM_API_KEY": False, 7: "x"})  # type: ignore[dict-item]
    assert [settings.accounts[key].api_key for key in ("openai", "glm")] == ["key-1", ""]


def test_further_providers_are_rows_before_the_table_or_in_the_place_of_theirs() -> None:
    own = Provider(key="own", base_url="https://own/v1", key_variables=("OWN_KEY",), prefix="own/")
    moved = Provider(key="qwen", base_url="https://moved/v1", key_variables=("MOVED_KEY",), prefix="q/")
    settings = Settings.from_environ({"OWN_KEY": "k1", "MOVED_KEY": "k2"}, [own, moved])
    assert [row.key for row in settings.providers[:3]] == ["own", "qwen", "openai"]
    assert len(settings.providers) == len(PROVIDERS) + 1
    assert [settings.accounts[key].api_key for key in ("own", "qwen")] == ["k1", "k2"]


def test_no_key_is_in_a_repr() -> None:
    assert "sk-hidden-1" not in repr(Settings.from_environ({"OPENAI_API_KEY": "sk-hidden-1"}))


def test_variables_set_for_a_moment_are_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITELLM_MODE", "DEV")
    before = dict(os.environ)
    with environment(LITELLM_MODE="PRODUCTION", LLM_BACKEND="legacy"):
        assert (os.environ["LITELLM_MODE"], os.environ["LLM_BACKEND"]) == ("PRODUCTION", "legacy")
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        (
            {"LLM_ALLOWED_MODELS": "gpt-4o", "LLM_ALLOWED_MODEL_DISPLAY_NAMES": "Four, Five"},
            "LLM_ALLOWED_MODEL_DISPLAY_NAMES has 2 names and LLM_ALLOWED_MODELS 1",
        ),
        ({"ARK_ACCESS_KEY_ID": "k"}, "ARK_ACCESS_KEY_ID is set without ARK_SECRET_ACCESS_KEY"),
        ({"ARK_SECRET_ACCESS_KEY": "hidden"}, "ARK_SECRET_ACCESS_KEY is set without ARK_ACCESS_KEY_ID"),
        ({"LLM_BACKEND_QWN": "legacy"}, "LLM_BACKEND_QWN switches nothing.*known: LLM_BACKEND_QWEN$"),
        ({"LLM_BACKEND_0": "legacy"}, "LLM_BACKEND_0 switches nothing.*LLM_BACKEND_ARK, "),
        ({"LLM_ALLOWED_MODELS": "gpt-4o,claude"}, "LLM_ALLOWED_MODELS names 'claude', which belongs to no"),
        ({"DEFAULT_LLM_MODEL": "qwen-plus"}, "DEFAULT_LLM_MODEL names 'qwen-plus'"),
        ({"LLM_MODEL_MAX_OUTPUT_TOKENS": '{"x": 1}'}, "LLM_MODEL_MAX_OUTPUT_TOKENS names 'x'"),
    ],
)
def test_what_cannot_have_its_effect_is_a_warning_that_names_the_variables(
    environ: dict[str, str], words: str
) -> None:
    (warning,) = Settings.from_environ(environ).warnings
    assert re.search(words, warning)
    assert "hidden" not in warning


def test_settings_that_make_sense_have_no_warnings() -> None:
    environ = {
        "ARK_ACCESS_KEY_ID": "k",
        "ARK_SECRET_ACCESS_KEY": "s",
        "LLM_BACKEND_QWEN": "legacy",
        "LLM_ALLOWED_MODELS": "gpt-4o",
        "DEFAULT_LLM_MODEL": "qwen/qwen-plus",
    }
    assert Settings.from_environ(environ).warnings == ()


@pytest.mark.parametrize("name", ["QWEN_API_URL", "ARK_LISTING_URL"])
def test_an_address_that_is_none_is_not_repeated(name: str) -> None:
    """Who mixes up two variables may have put a key there."""
    environ = {"ARK_ACCESS_KEY_ID": "k", "ARK_SECRET_ACCESS_KEY": "s", name: "sk-mixed-up"}
    (warning,) = Settings.from_environ(environ).warnings
    assert re.search(f"^{name} must begin with https://", warning)
    assert "sk-mixed-up" not in warning


@pytest.mark.parametrize("name", ["LLM_BACKEND", "LLM_BACKEND_QWEN"])
def test_after_the_legacy_clients_are_deleted_asking_for_them_is_an_error(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, LEGACY, raising=False)
    monkeypatch.setattr(sys, "meta_path", [Deleted(), *sys.meta_path])
    mistake = Settings.from_environ({name: "legacy"}).accounts["qwen"].mistake
    assert str(mistake).startswith(f"{name} is legacy, but there are no legacy clients any more")
    assert Settings.from_environ({name: "litellm"}).accounts["qwen"].backend is BackendName.LITELLM


@pytest.mark.parametrize(
    "address",
    [
        "https://host/v1?a=b",
        "https://host/v1?",
        "https://host/v1#part",
        "https://host/a//v1",
        "https://host//v1",
        "https://host/a/../v1",
        "https://host/./v1",
        "https://host/v 1",
        "https://host/v1\r\nX-Inj: 1",
        "https://host/v1\tx",
        "https://host/v1\x7f",
        "https://host\\@other/v1",
        "https://user:word@host/v1",  # pragma: allowlist secret
        "https://token@host/v1",
        "https:///v1",
        "https://:443/v1",
        "https://host:port/v1",
        "https://[::1/v1",
    ],
)
@pytest.mark.parametrize("row", PROVIDERS, ids=lambda row: row.key)
def test_an_address_that_clients_would_read_differently_is_refused_by_name(
    address: str, row: Provider
) -> None:
    """A query would end up in the middle of a path, a line end in Gemini's; a user replaces the key."""
    mistake = str(Settings.from_environ({row.base_url_variable: address}).accounts[row.key].mistake)
    assert mistake.startswith(f"{row.base_url_variable} must be a plain address")
    assert "host" not in mistake.replace("https://host/v1", "").replace("names no host", "")


@pytest.mark.parametrize("address", ["https://host/v1", " https://host/v1/ ", "https://host/v1//\n"])
def test_blanks_around_an_address_and_slashes_at_its_end_do_not_count(address: str) -> None:
    for row in PROVIDERS:
        settings = Settings.from_environ({row.base_url_variable: address})
        assert settings.accounts[row.key].base_url == "https://host/v1"


def test_an_address_without_a_path_may_end_in_a_slash() -> None:
    settings = Settings.from_environ({"DIFY_URL": "https://host:8443/"})
    assert settings.accounts["dify"].base_url == "https://host:8443"


@pytest.mark.parametrize("value", ["half of-it", "a\nb", "schlüssel-1", "a\x00b"])
@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "GLM_API_KEY", "ERNIE_API_SECRET", "ARK_ACCESS_KEY_ID"])
def test_a_key_that_no_header_can_carry_is_refused_by_name_and_not_shown(name: str, value: str) -> None:
    settings = Settings.from_environ({name: value})
    assert any(warning.startswith(f"{name} holds a blank or a character") for warning in settings.warnings)
    assert [warning for warning in settings.warnings if value in warning] == []


@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy", "ALL_PROXY"])
def test_who_uses_a_proxy_is_a_secret(name: str) -> None:
    value = "http://tok%2Fen-1:pass-word-2@proxy:3128"  # pragma: allowlist secret
    secrets = Settings.from_environ({name: value}).secrets
    assert {"tok%2Fen-1", "tok/en-1", "pass-word-2"} <= set(secrets)
    assert "pass-word-2" not in repr(Settings.from_environ({name: value}))


def test_variables_that_several_threads_set_for_a_moment_are_as_they_were() -> None:
    """First calls come at once, and each imports LiteLLM."""

    def set_for_a_moment(_: int) -> None:
        with environment(A_VARIABLE_OF_THIS_TEST="1"):
            time.sleep(0.001)  # another thread's turn

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(set_for_a_moment, range(100)))
    assert os.environ.get("A_VARIABLE_OF_THIS_TEST") is None
