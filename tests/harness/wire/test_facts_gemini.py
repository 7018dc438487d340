"""What Gemini's own protocol says, read from its bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llm_contracts.wire.facts import WireFacts, read_facts
from llm_contracts.wire.facts.errors import retry_delay
from llm_contracts.wire.interaction import Response
from llm_contracts.wire.protocols import GEMINI, StreamReader

STREAM = (("content-type", "text/event-stream"),)
TOTALS = {
    "promptTokenCount": 15,
    "candidatesTokenCount": 2,
    "totalTokenCount": 65,
    "thoughtsTokenCount": 48,
    "cachedContentTokenCount": 4,
}


def candidate(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": list(parts), "role": "model"}, "index": 0, **more}]}


def read(*chunks: Any) -> WireFacts:
    body = b"".join(b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n" for chunk in chunks)
    return read_facts(Response(status=200, headers=STREAM, body=body))


def test_an_array_of_chunks_is_a_stream() -> None:
    """As Gemini answers where `alt=sse` is not asked for."""
    body = json.dumps([candidate({"text": "The"}), candidate({"text": " end"}, finishReason="STOP")]).encode()
    facts = read_facts(Response(status=200, headers=(("content-type", "application/json"),), body=body))
    assert (facts.streamed, facts.events, facts.text, facts.finish_reasons) == (True, 2, "The end", ("STOP",))


def test_text_thoughts_finish_reason_and_names_are_read() -> None:
    facts = read(
        {
            **candidate({"text": "hm", "thought": True}, {"text": "The"}),
            "responseId": "r",
            "modelVersion": "m",
        },
        candidate({"text": " end"}, {"functionCall": {}}, finishReason="MAX_TOKENS"),
    )
    assert (facts.text, facts.reasoning, facts.finish_reasons) == ("The end", "hm", ("MAX_TOKENS",))
    assert (facts.ids, facts.models, tuple(marks[0] for marks in facts.progress)) == (("r",), ("m",), (3, 7))


def test_totals_keep_googles_numbers_the_last_ones_stand_and_nothing_is_added_up() -> None:
    facts = read(
        {"usageMetadata": {"promptTokenCount": 15}}, {**candidate({"text": "x"}), "usageMetadata": TOTALS}
    )
    assert facts.usage == {
        "prompt_tokens": 15,
        "completion_tokens": 2,
        "total_tokens": 65,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 48},
    }
    assert facts.usages[0] == {"prompt_tokens": 15}


def test_a_blocked_question_is_an_error_and_one_that_was_answered_is_none() -> None:
    feedback = {"promptFeedback": {"blockReason": "SAFETY"}}
    blocked = read(feedback)
    assert blocked.error == {"code": "SAFETY", "message": "the prompt was blocked: SAFETY"}
    assert read({**feedback, **candidate({"text": "x"})}).error is None
    assert read({"promptFeedback": {}}).error is None


@pytest.mark.parametrize("wrap", [lambda error: error, lambda error: [error]])
def test_errors_are_read_with_and_without_an_array_around_them(wrap: Any) -> None:
    error = {"error": {"code": 404, "message": "not found", "status": "NOT_FOUND"}}
    facts = read_facts(Response(status=404, body=json.dumps(wrap(error)).encode()))
    assert facts.error is not None
    assert (facts.error["message"], facts.error["status"]) == ("not found", "NOT_FOUND")


@pytest.mark.parametrize(
    "error",
    [{}, {"details": "x"}, {"details": ["x", {}]}, {"details": [{"retryDelay": "soon"}]}],
)
def test_a_wait_that_is_not_told_is_none(error: Any) -> None:
    assert retry_delay(error) is None


def test_a_wait_is_told_in_seconds() -> None:
    assert retry_delay({"details": [{"reason": "x"}, {"retryDelay": "34.4s"}]}) == 34.4


@pytest.mark.parametrize(
    ("number", "reason"), [(0, ()), (1, ("STOP",)), (2, ("MAX_TOKENS",)), (3, ("SAFETY",)), (9, ("9",))]
)
def test_a_finish_reason_may_be_the_number_of_its_word(number: int, reason: tuple[str, ...]) -> None:
    body = json.dumps({"candidates": [{"finishReason": number}]}).encode()
    assert read_facts(Response(status=200, body=body)).finish_reasons == reason


@pytest.mark.parametrize("candidates", [None, "x", ["x"], [{"content": {"parts": ["x", {"text": 5}]}}]])
def test_nonsense_is_no_text(candidates: Any) -> None:
    facts = read({"candidates": candidates})
    assert facts.text == ""


def test_a_chunk_of_others_stays_as_it_is() -> None:
    chunk: dict[str, Any] = {"choices": []}
    assert not GEMINI.speaks(chunk)
    assert StreamReader((GEMINI,))(chunk) is chunk
