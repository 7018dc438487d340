"""Settings and the project's own files: what is right is read, what is wrong is named."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from llm_contracts.clients.call import Call
from llm_contracts.project.config import ConfigError, Project, environment, load_settings, nearest
from llm_contracts.project.load import load_project
from llm_contracts.simulator.dialects import DIALECTS
from llm_contracts.wire.protocols import BUILT_IN

SCENARIOS = """
from llm_contracts.project.scenario import Scenario
SCENARIOS = (
    Scenario(id="plain", provider="openai", model="gpt-4o"),
    Scenario(id="plain", provider="deepseek", model="deepseek-chat"),
    Scenario(id="chat", provider="openai", model="gpt-4o"),
)
"""
CLIENTS = """
from llm_contracts.project.scenario import Provider
PROVIDERS = (
    Provider(name="openai", base_url="https://api.openai.com/v1", key_variable="OPENAI_API_KEY"),
    Provider(name="deepseek", base_url="https://api.deepseek.com", key_variable="DEEPSEEK_API_KEY"),
)
CLIENTS = {"mine": lambda call: iter(())}
"""


def write(
    root: Path, *, toml: str = "[tool.llm_contracts]\n", clients: str = CLIENTS, rows: str = SCENARIOS
) -> Path:
    contracts = root / "tests" / "contracts"
    contracts.mkdir(parents=True)
    (root / "pyproject.toml").write_text(toml)
    (contracts / "clients.py").write_text(clients)
    (contracts / "scenarios.py").write_text(rows)
    return root


def project(root: Path) -> Project:
    return load_project(load_settings(write(root)))


def test_settings_are_found_from_any_folder_below_the_project(tmp_path: Path) -> None:
    write(tmp_path, toml='[tool.llm_contracts]\ncassettes = "recordings"\nstale_after_days = 7\n')
    settings = load_settings(tmp_path / "tests" / "contracts")
    assert settings.root == tmp_path
    assert settings.cassettes == tmp_path / "recordings"
    assert settings.snapshots == tmp_path / "snapshots"
    assert settings.stale_after_days == 7


def test_a_pyproject_without_our_table_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path)
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("[project]\nname = 'inner'\n")
    assert load_settings(inner).root == tmp_path


def test_without_a_project_the_bare_clients_are_compared(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    assert (settings.reference, settings.candidate) == ("openai", "litellm")
    loaded = load_project(settings)
    assert (loaded.clients, loaded.providers, loaded.scenarios) == ({}, (), ())


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("[tool.llm_contracts]\ncasettes = 'x'\n", "casettes: there is no such key. Did you mean cassettes?"),
        ("[tool.llm_contracts]\nstale_after_days = '9'\n", "stale_after_days: must be a number of days"),
        ("[tool.llm_contracts]\nstale_after_days = true\n", "stale_after_days: must be a number of days"),
        ("[tool.llm_contracts]\nreference = ''\n", "reference: must be a non-empty text"),
        ("[tool.llm_contracts]\nclients = 'client.py'\n", "clients: there is no file 'client.py' beside it"),
        ("[tool]\nllm_contracts = 3\n", "tool.llm_contracts must be a table"),
        ("[tool.llm_contracts\n", "cannot be read as TOML"),
    ],
)
def test_a_bad_table_is_an_error_that_names_file_and_place(tmp_path: Path, toml: str, message: str) -> None:
    write(tmp_path, toml=toml)
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path)
    assert message in str(caught.value)
    assert str(tmp_path / "pyproject.toml") in str(caught.value)


def test_rows_and_paths_are_loaded_from_the_files(tmp_path: Path) -> None:
    loaded = project(tmp_path)
    assert list(loaded.clients) == ["mine"]
    assert loaded.provider("deepseek").base_url == "https://api.deepseek.com"
    assert loaded.cassette(loaded.scenarios[0]) == tmp_path / "cassettes" / "openai" / "plain.yaml"


def test_the_files_may_import_their_neighbours_by_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, rows="from tests_of_mine.rows import SCENARIOS\n")
    (tmp_path / "tests_of_mine").mkdir()
    (tmp_path / "tests_of_mine" / "rows.py").write_text(SCENARIOS)
    monkeypatch.chdir("/")
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert len(load_project(load_settings(tmp_path)).scenarios) == 3


def test_the_files_may_import_their_neighbours_when_they_are_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lazy = "def lazy(call):\n    from of_mine.texts import SAID\n    return SAID\nCLIENTS = {'lazy': lazy}\n"
    roots = [write(tmp_path / name, clients=lazy, rows="") for name in ("another", "mine")]
    (roots[1] / "of_mine").mkdir()
    (roots[1] / "of_mine" / "texts.py").write_text("SAID = ['Hi']\n")
    monkeypatch.chdir("/")
    before = list(sys.path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    clients = [load_project(load_settings(root)).clients["lazy"] for root in roots]
    assert clients[1](Call(base_url="", api_key="", provider="", model="")) == ["Hi"]
    assert [entry for entry in sys.path if entry not in before] == [str(roots[1])]


def test_two_projects_in_one_process_do_not_share_their_files(tmp_path: Path) -> None:
    first = write(tmp_path / "first")
    second = write(tmp_path / "second", rows=SCENARIOS.replace("plain", "other"))
    names = [load_project(load_settings(root)).scenarios[0].id for root in (first, second)]
    assert names == ["plain", "other"]


@pytest.mark.parametrize(
    ("clients", "rows", "message"),
    [
        ("import nowhere_to_be_found", SCENARIOS, "clients.py: cannot be imported: ModuleNotFoundError"),
        (CLIENTS, "1 / 0", "scenarios.py: cannot be imported: ZeroDivisionError"),
        (CLIENTS + "\nCLIENTS = {'x': 3}", SCENARIOS, "CLIENTS['x'] must be callable, not int"),
        (CLIENTS + "\nCLIENTS = []", SCENARIOS, "CLIENTS must be a mapping of names and clients, not list"),
        (
            CLIENTS + "\nPROVIDERS += PROVIDERS[:1]",
            SCENARIOS,
            "PROVIDERS: there are two providers called 'openai'",
        ),
        (CLIENTS + "\nPROVIDERS = ('openai',)", SCENARIOS, "PROVIDERS[0] must be a Provider, not str"),
        (CLIENTS, SCENARIOS + "\nSCENARIOS += SCENARIOS[:1]", "openai/plain stands there twice"),
        (CLIENTS, SCENARIOS.replace("deepseek", "deepsek"), "no provider 'deepsek'. Did you mean deepseek?"),
        (CLIENTS.replace('com/v1"', 'com/v1", protocol="x"'), SCENARIOS, "there is no protocol 'x'. Known: "),
    ],
)
def test_a_bad_file_is_an_error_that_names_it(tmp_path: Path, clients: str, rows: str, message: str) -> None:
    settings = load_settings(write(tmp_path, clients=clients, rows=rows))
    with pytest.raises(ConfigError) as caught:
        load_project(settings)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('provider="deepseek"', "provider=None", "None/plain: provider must be a text, not NoneType."),
        ('"gpt-4o"', '"gpt-4o", protocol=3', "openai/plain: protocol must be a text or None, not int."),
        ('"gpt-4o"', '"gpt-4o", messages="x"', "openai/plain: messages must be a list of mappings, not 'x'."),
        (
            '"gpt-4o"',
            '"gpt-4o", messages=["x"]',
            "openai/plain: messages must be a list of mappings, not list.",
        ),
        ('"gpt-4o"', '"gpt-4o", params=[]', "openai/plain: params must be a mapping, not list."),
        ('"gpt-4o"', '"gpt-4o", live="no"', "openai/plain: live must be True or False, not 'no'."),
        (
            '"gpt-4o"',
            '"gpt-4o", expects="x"',
            "openai/plain: expects must be 'answer' or 'failure', not 'x'.",
        ),
        ('"gpt-4o"', '"gpt-4o", function="x"', "openai/plain: function must be 'invoke' or "),
        ('"gpt-4o"', '"gpt-4o", base_url="http://[::1"', "openai/plain: 'http://[::1' is not a base URL: "),
        ('com/v1"', 'com/v1", protocol=3', "openai: protocol must be a text or None, not int."),
        ('com/v1"', 'com:v1"', "openai: 'https://api.openai.com:v1' is not a base URL: "),
        ('"OPENAI_API_KEY"', "3", "openai: key_variable must be a text, not int."),
    ],
)
def test_a_field_of_a_wrong_type_is_an_error_that_names_it(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    clients, rows = (text.replace(old, new, 1) for text in (CLIENTS, SCENARIOS))
    assert (clients, rows) != (CLIENTS, SCENARIOS)
    settings = load_settings(write(tmp_path, clients=clients, rows=rows))
    with pytest.raises(ConfigError, match=r"(clients|scenarios)\.py: " + re.escape(message)):
        load_project(settings)


def test_a_list_of_messages_and_a_function_by_its_name_will_do(tmp_path: Path) -> None:
    rows = SCENARIOS.replace('"gpt-4o"', '"gpt-4o", messages=[{}], function="chat"', 1)
    assert load_project(load_settings(write(tmp_path, rows=rows))).scenarios[0].streamed_chat


@pytest.mark.parametrize(
    ("providers", "scenarios", "expected"),
    [
        ((), (), ["openai/plain", "deepseek/plain", "openai/chat"]),
        (("openai",), (), ["openai/plain", "openai/chat"]),
        ((), ("plain",), ["openai/plain", "deepseek/plain"]),
        ((), ("deepseek/plain",), ["deepseek/plain"]),
        (("openai",), ("plain",), ["openai/plain"]),
    ],
)
def test_scenarios_are_selected_by_provider_and_name(
    tmp_path: Path, providers: tuple[str, ...], scenarios: tuple[str, ...], expected: list[str]
) -> None:
    assert [row.name for row in project(tmp_path).select(providers, scenarios)] == expected


def test_an_unknown_name_comes_with_the_nearest_ones(tmp_path: Path) -> None:
    loaded = project(tmp_path)
    with pytest.raises(ConfigError, match=r"no provider 'opnai'\. Did you mean openai\?"):
        loaded.select(["opnai"])
    with pytest.raises(ConfigError, match=r"no scenario 'plian'\. Did you mean plain"):
        loaded.select(scenarios=["plian"])
    with pytest.raises(ConfigError, match=r"no provider 'xyz'\. Known: deepseek, openai\."):
        loaded.provider("xyz")
    assert nearest("anything", ()) == "None is registered."


def test_the_env_file_gives_way_to_the_process_and_leaves_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("QWEN_API_KEY", raising=False)
    write(tmp_path)
    (tmp_path / ".env").write_text("OPENAI_API_KEY=from-file\nQWEN_API_KEY='quo$ted'\nEMPTY\n")
    found = environment(load_settings(tmp_path), {"OPENAI_API_KEY": "from-process"})
    assert found == {"OPENAI_API_KEY": "from-process", "QWEN_API_KEY": "quo$ted"}
    import os

    assert "QWEN_API_KEY" not in os.environ


PROTOCOL = """
from llm_contracts.wire.protocols import Protocol, Reading
PROTOCOLS = (
    Protocol(name="parrot", speaks=bool, reader=lambda: lambda one: Reading(chunk=one)),
)
"""


def test_a_projects_protocols_come_before_those_built_in(tmp_path: Path) -> None:
    found = load_project(load_settings(write(tmp_path, clients=PROTOCOL + CLIENTS)))
    assert [one.name for one in found.protocols] == ["parrot", *(one.name for one in BUILT_IN)]
    assert found.protocols_of("openai") == found.protocols_of("(a corpus)") == found.protocols


def test_a_provider_that_names_its_protocol_is_read_by_that_alone(tmp_path: Path) -> None:
    named = CLIENTS.replace('"DEEPSEEK_API_KEY"', '"DEEPSEEK_API_KEY", protocol="parrot"')
    found = load_project(load_settings(write(tmp_path, clients=PROTOCOL + named)))
    assert [one.name for one in found.protocols_of("deepseek")] == ["parrot"]
    assert len(found.protocols_of("openai")) == 1 + len(BUILT_IN)


@pytest.mark.parametrize(
    ("clients", "message"),
    [
        (
            CLIENTS.replace('"DEEPSEEK_API_KEY"', '"DEEPSEEK_API_KEY", protocol="gemni"'),
            "deepseek: there is no protocol 'gemni'. Did you mean gemini?",
        ),
        (
            CLIENTS.replace('"DEEPSEEK_API_KEY"', '"DEEPSEEK_API_KEY", dialect="deepsek"'),
            "deepseek: there is no dialect 'deepsek'. Did you mean deepseek?",
        ),
        (PROTOCOL.replace("parrot", "gemini") + CLIENTS, "there are two protocols called 'gemini'"),
        ("PROTOCOLS = ('gemini',)", "PROTOCOLS[0] must be a Protocol, not str"),
    ],
)
def test_a_protocol_that_cannot_be_is_named(tmp_path: Path, clients: str, message: str) -> None:
    settings = load_settings(write(tmp_path, clients=clients))
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_project(settings)


def test_the_dialect_is_the_one_that_a_row_names_or_that_of_its_name(
    tmp_path: Path,
) -> None:
    named = CLIENTS.replace('name="openai"', 'name="mine", dialect="qwen"')
    rows = SCENARIOS.replace('provider="openai"', 'provider="mine"')
    found = load_project(load_settings(write(tmp_path, clients=named, rows=rows)))
    assert found.dialect_of("mine") is DIALECTS["qwen"]
    assert found.dialect_of("deepseek") is DIALECTS["deepseek"]
    assert found.dialect_of("nobody") is None
