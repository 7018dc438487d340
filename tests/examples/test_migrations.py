"""Each migration in examples/ ends as its README says, on recordings made anew."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from llm_contracts.cli import run
from llm_contracts.parity.result import Result
from llm_contracts.project.config import load_settings
from llm_contracts.project.load import load_project
from llm_contracts.simulator.dialects import DIALECTS
from llm_contracts.simulator.server import Simulator
from tests.examples.migrations import checked, copied, differences, migrated

pytestmark = pytest.mark.long

_WHAT_IS_SAID = {"text", "reasoning", "tool_calls", "finish_reason", "error", "unfaithful"}


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_node_s_fetch_hands_on_what_the_sdk_does(tmp_path: Path) -> None:
    result = migrated("node-fetch", tmp_path)
    assert differences(result) == {}
    assert next(item.candidate.text for item in result.items if item.candidate).startswith("你好")


_OBJECTS = ("fields at", "surface at", "side_effect at")
"""What only objects of another library have or lack: it is longer with each release."""


def of_the_answer(result: Result) -> dict[str, list[str]]:
    """The differences in what is asked, answered, and counted."""
    found = differences(result)
    return {name: [one for one in all_ if not one.startswith(_OBJECTS)] for name, all_ in found.items()}


_NAMED = ["model_name at model", "usage_details at usage.cost"]


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # LiteLLM, of embeddings in base64
@pytest.mark.parametrize(
    ("example", "expected"),
    [
        ("openai-to-litellm", {"parallel-tool-calls": _NAMED, "schema": _NAMED, "image": _NAMED}),
        ("async-to-async", {"ten-at-once": []}),
        (
            "whole-answers",
            {name: ["request_body at body.stream"] for name in ("plain", "tool-calls", "rate-limit")},
        ),
        (
            "httpx-to-openai",
            {"plain-stream": ["error at error (bare-data)"], "mid-stream-error": ["error at error"]},
        ),
        (
            "responses-to-litellm",
            {
                "reasoning": ["response_id at id", "usage_details at usage.cost"],
                "parallel-tool-calls": ["response_id at id", "usage_details at usage.cost"],
                "whole": ["response_id at id"],
            },
        ),
        (
            "embeddings",
            {
                "as-it-comes": ["request_body at body.encoding_format"],
                "as-floats": [],
                "wrong-key": ["request_body at body.encoding_format"],
            },
        ),
    ],
)
def test_a_migration_shows_what_it_changes(
    example: str, expected: dict[str, list[str]], tmp_path: Path
) -> None:
    assert of_the_answer(migrated(example, tmp_path)) == expected


def test_claude_over_litellm_says_the_same_in_openai_s_words(tmp_path: Path) -> None:
    pytest.importorskip("anthropic", reason="needs Anthropic's SDK")
    result = migrated("anthropic-to-litellm", tmp_path)
    for differing in of_the_answer(result).values():
        assert [one for one in differing if not one.startswith("request_headers")] == [
            "response_id at id",
            "model_name at model",
        ]
    assert all(item.normalised["protocol-words"] for item in result.items)


def test_the_proxy_of_litellm_in_front_of_the_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reaches the edge though the environment names another proxy, one that nobody runs."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    pytest.importorskip("litellm_proxy_extras", reason="needs litellm[proxy]")
    assert of_the_answer(migrated("litellm-proxy", tmp_path)) == {
        "plain-stream": _NAMED,
        "mid-stream-error": ["model_name at model", "request_body at body.stream_options"],
    }


@pytest.mark.filterwarnings("default")
@pytest.mark.skipif(
    None in (find_spec("langchain_openai"), find_spec("langchain_litellm")),
    reason="needs langchain-openai and langchain-litellm",
)
def test_langchain_says_the_same_over_litellm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What else differs, such as the model's name and invented totals, depends on their releases."""
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    result = migrated("langchain", tmp_path)
    found = {one.partition(" ")[0] for places in differences(result).values() for one in places}
    assert "model_name" in found
    assert found & _WHAT_IS_SAID == set()
    assert [item.noise for item in result.items] == [(), ()]


def test_the_recordings_of_an_existing_suite_are_all_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first run records, as each suite of pytest-recording once did; here a scripted provider answers."""
    suite = copied("pytest-recording-suite", tmp_path)
    with Simulator(DIALECTS["openai"]) as provider:
        provider.play("plain-stream")
        reached = {"OPENAI_BASE_URL": provider.base_url, "OPENAI_API_KEY": provider.key}
        _pytest(suite, "--record-mode=once", **reached)
        _pytest(suite, "--block-network", **reached)
    monkeypatch.chdir(suite)
    assert run(["init", "--reference", "openai", "--candidate", "litellm", "--from", "tests/cassettes"]) == 0
    found = of_the_answer(checked(load_project(load_settings(suite))))
    assert found == {"imported-test-app-test-an-answer": ["model_name at model", "usage_invented at usage"]}


def _pytest(folder: Path, *words: str, **variables: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", *words]
    done = subprocess.run(command, cwd=folder, env=os.environ | variables, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
