"""A path is found by name, or the error says which names there are."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_contracts.clients import builtin
from llm_contracts.clients.call import Call
from llm_contracts.clients.resolve import ClientError, resolve


def mine(_call: Call) -> Iterator[str]:
    yield "mine"


PROJECT = {"adapter-legacy": mine, "adapter-litellm": mine}


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    source = "class Paths:\n    @staticmethod\n    def slow(call): return []\n\nnumber = 7\n"
    (tmp_path / "resolved_by_name.py").write_text(source)
    (tmp_path / "broken_by_name.py").write_text("import no_such_module_anywhere\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "resolved_by_name"


def test_built_in_and_project_names_are_found() -> None:
    assert resolve("openai", PROJECT) is builtin.openai
    assert resolve("litellm", PROJECT) is builtin.litellm
    assert resolve("adapter-legacy", PROJECT) is mine


def test_anybody_s_own_path_is_found_by_module_and_attribute(module: str) -> None:
    assert resolve(f"{module}:Paths.slow", {})(Call(base_url="", api_key="", provider="", model="")) == []


def test_a_module_that_imports_litellm_makes_it_fetch_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LiteLLM asks GitHub for prices while it is imported, and warns three times where it gets none."""
    monkeypatch.delenv("LITELLM_LOCAL_MODEL_COST_MAP", raising=False)
    source = "import os\nif os.environ['LITELLM_LOCAL_MODEL_COST_MAP'] == 'True':\n    call = print\n"
    (tmp_path / "importing_litellm.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert resolve("importing_litellm:call", {}) is print  # type: ignore[comparison-overlap]


def test_a_file_in_place_of_a_module_is_told_apart() -> None:
    with pytest.raises(ClientError, match=r"clients\.py is a file; name the module, as in shop\.llm:old"):
        resolve("./shop/clients.py:old", {})


def test_an_unknown_name_is_told_with_the_nearest_ones() -> None:
    with pytest.raises(ClientError, match="did you mean adapter-litellm"):
        resolve("adapter-litelm", PROJECT)


def test_a_name_like_no_other_is_told_with_all_of_them() -> None:
    known = "known are adapter-legacy, adapter-litellm, anthropic, anthropic-async, google-genai, .*, openai"
    with pytest.raises(ClientError, match=known):
        resolve("zzz", PROJECT)


@pytest.mark.parametrize(("name", "library"), [("openai-async", "openai"), ("litellm", "litellm")])
def test_a_built_in_client_without_its_library_names_the_extra(
    name: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(
        ClientError, match=rf"needs the library {library}: pip install 'llm-contracts\[{library}\]'"
    ):
        resolve(name, PROJECT)


def test_a_project_may_not_redefine_a_built_in_name() -> None:
    with pytest.raises(ClientError, match="redefine the built-in name 'openai'"):
        resolve("litellm", {"openai": mine})


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (":x", "one of the two is empty"),
        ("resolved_by_name:", "one of the two is empty"),
        ("no_such_module_anywhere:x", "importing no_such_module_anywhere failed: ModuleNotFoundError"),
        ("broken_by_name:x", "importing broken_by_name failed: ModuleNotFoundError"),
        ("resolved_by_name:Path", "has no attribute 'Path'; did you mean Paths"),
        ("resolved_by_name:zzz", "has no attribute 'zzz'$"),
        ("resolved_by_name:number", "is an object of type int, not a callable client"),
    ],
)
@pytest.mark.usefixtures("module")
def test_a_path_that_cannot_be_had_is_an_error_that_says_why(name: str, problem: str) -> None:
    with pytest.raises(ClientError, match=problem):
        resolve(name, {})
