"""What a caller hands over: taken as callers have always written it, and left as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest

from llm_adapter import LLMError
from tests.contracts.callers.calling import Played
from tests.contracts.callers.conftest import Calling, Play

EVERYTHING: dict[str, Any] = {
    "temperature": "0.3",
    "stream": False,
    "metadata": {"lesson": {"id": 7}},
    "extra_body": {"top_k": 3, "nested": {"list": [1, {"a": None}]}},
    "extra_headers": {"X-Team": "blue"},
    "stop": list("abcdef"),
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    "stream_options": {"include_usage": False},
}


def body(line: Played) -> dict[str, Any]:
    (request,) = line.session.requests()
    sent: dict[str, Any] = json.loads(request.body)
    return sent


@pytest.mark.parametrize("stream", [False, None, "false"])
def test_stream_false_is_streamed_all_the_same(play: Play, calling: Calling, stream: Any) -> None:
    """Callers pass it and still iterate."""
    line = play("openai/plain-stream")
    pieces = list(calling(line).chat_llm(None, "user-1", None, **line.question, stream=stream))
    assert line.gave(pieces)
    assert len(pieces) > 1
    assert body(line)["stream"] is True


@pytest.mark.parametrize(("given", "sent"), [("0.3", 0.3), ("1", 1.0), (" 0.5 ", 0.5), (0, 0.0)])
def test_a_temperature_may_be_text(play: Play, calling: Calling, given: Any, sent: float) -> None:
    line = play("openai/plain-stream")
    assert line.gave(calling(line).chat_llm(None, "user-1", None, **line.question, temperature=given))
    assert (body(line)["temperature"], type(body(line)["temperature"])) == (sent, float)


@pytest.mark.parametrize("name", ["openai/plain-stream", "openai/wrong-key", "qwen/mid-stream-error"])
def test_nothing_that_a_caller_handed_over_has_changed_after_the_call(
    play: Play, calling: Calling, name: str
) -> None:
    """Nor while it runs, nor when it fails: LiteLLM writes into messages and metadata."""
    line = play(name)
    picture = {"type": "image_url", "image_url": "https://example.com/a.png"}
    messages: list[Any] = [
        {"role": "user", "content": [{"type": "text", "text": "hi"}, picture]},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"content": "no role"},
    ]
    params = deepcopy(EVERYTHING)
    before = deepcopy((messages, params))
    stream = calling(line).chat_llm(None, "user-1", None, line.scenario.model, messages, **params)
    pieces = _quietly(stream)
    next(pieces, None)
    assert (messages, params) == before
    list(pieces)
    assert (messages, params) == before


def _quietly(stream: Iterator[Any]) -> Iterator[Any]:
    """The pieces until the stream ends or fails."""
    with suppress(LLMError):
        yield from stream
