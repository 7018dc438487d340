"""A provider is cut over and rolled back in a running process, one at a time, without touching what runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from llm_adapter import LLMStreamResponse, functions, invoke_llm
from tests.contracts.callers.calling import Played, said
from tests.contracts.callers.conftest import Play

_OPENAI, _DEEPSEEK = "openai/plain-stream", "deepseek/plain-stream"


@pytest.fixture
def providers(play: Play, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Played]]:
    """Two providers that the process is configured for; all on the legacy clients to begin with."""
    lines = {"openai": play(_OPENAI), "deepseek": play(_DEEPSEEK)}
    monkeypatch.setenv("LLM_BACKEND", "legacy")
    for line in lines.values():
        for name, value in line.environ.items():
            monkeypatch.setenv(name, value)
    yield lines
    functions.default_adapter().close()


def _ask(line: Played) -> Iterator[LLMStreamResponse]:
    return invoke_llm(None, "u", None, line.scenario.model, "hi")


def _ways(line: Played) -> list[str]:
    """Which client sent each request; LiteLLM asks the SDK for raw responses and so leaves its mark."""
    names = ({name.lower() for name, _ in request.headers} for request in line.asked)
    return ["litellm" if "x-stainless-raw-response" in sent else "legacy" for sent in names]


def test_there_and_back_again_in_one_process(
    providers: dict[str, Played], monkeypatch: pytest.MonkeyPatch
) -> None:
    openai, deepseek = providers["openai"], providers["deepseek"]
    for way in ("legacy", "litellm", "legacy", "litellm"):
        monkeypatch.setenv("LLM_BACKEND_OPENAI", way)
        assert openai.gave(_ask(openai))
        assert deepseek.gave(_ask(deepseek))
    assert _ways(openai) == ["legacy", "litellm", "legacy", "litellm"]
    assert _ways(deepseek) == ["legacy"] * 4  # nobody switched that one


@pytest.mark.parametrize(("before", "after"), [("legacy", "litellm"), ("litellm", "legacy")])
def test_a_stream_that_is_under_way_ends_as_it_began(
    before: str, after: str, providers: dict[str, Played], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = providers["openai"]
    monkeypatch.setenv("LLM_BACKEND_OPENAI", before)
    stream = _ask(line)
    first = next(stream)
    monkeypatch.setenv("LLM_BACKEND_OPENAI", after)
    assert line.gave(_ask(line))
    assert first.result + said(stream) == line.facts.text
    assert _ways(line) == [before, after]
