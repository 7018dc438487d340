"""However a call ends, telemetry hears of one end, and of the right kind."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from llm_adapter import LLMError
from tests.contracts.callers.calling import Ear, said
from tests.contracts.callers.conftest import Calling, Play

GOOD = (
    "openai/plain-stream",
    "deepseek/keep-alive",
    "qwen/no-usage",
    "silicon/no-done",
    "glm/empty-answer",
    "ernie_v1/plain-stream",
    "dify/plain-stream",
    "gemini/plain-stream",
)
BAD = {
    # whether some text had come before
    "openai/wrong-key": False,
    "deepseek/error-with-200": False,  # a document in the place of a stream
    "qwen/mid-stream-error": True,
    "openai/broken-event": True,
    "ernie_v1/wrong-key": False,  # no token
    "ernie_v1/mid-stream-error": True,
    "gemini/wrong-key": False,
    "gemini/mid-stream-error": True,
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_call_ends_once(play: Play, calling: Calling, name: str) -> None:
    line, ear = play(name), Ear()
    text = said(calling(line).chat_llm(None, "user-1", ear, **line.question))
    (end,) = ear.ends
    assert (ear.begun, end.get("level"), end["output"]) == (1, None, text)


@pytest.mark.parametrize("name", BAD)
def test_a_failed_call_ends_once_as_an_error_with_what_had_come(
    play: Play, calling: Calling, name: str
) -> None:
    line, ear, heard = play(name), Ear(), list[Any]()
    with pytest.raises(LLMError) as caught:
        heard.extend(calling(line).chat_llm(None, "user-1", ear, **line.question))
    (end,) = ear.ends
    assert (ear.begun, end["level"], end["status_message"]) == (1, "ERROR", str(caught.value))
    assert end["output"] == said(heard)
    assert bool(heard) is BAD[name]


@pytest.mark.parametrize("name", ["dify/wrong-key", "dify/mid-stream-error"])
def test_a_failed_call_ends_once_even_where_the_legacy_client_takes_it_for_an_answer(
    play: Play, calling: Calling, name: str
) -> None:
    line, ear = play(name), Ear()
    with suppress(LLMError):
        list(calling(line).chat_llm(None, "user-1", ear, **line.question))
    assert (ear.begun, len(ear.ends)) == (1, 1)


def test_a_call_that_is_tried_again_ends_once(play: Play, calling: Calling) -> None:
    line, ear = play("openai/rate-limit-retry-after"), Ear()
    assert line.gave(calling(line).chat_llm(None, "user-1", ear, **line.question))
    assert len(line.session.requests()) == 2
    assert (ear.begun, [end.get("level") for end in ear.ends]) == (1, [None])


def test_closing_a_stream_that_has_ended_ends_nothing_more(play: Play, calling: Calling) -> None:
    line, ear = play("openai/plain-stream"), Ear()
    stream = calling(line).chat_llm(None, "user-1", ear, **line.question)
    assert line.gave(stream)
    stream.close()
    assert list(stream) == []
    assert len(ear.ends) == 1
