"""Objects of two APIs: what both can say is compared in common words, and what one cannot is counted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from llm_contracts.clients.chunks import ItemReader
from llm_contracts.clients.observation import Observation
from llm_contracts.parity.compare import Comparison, Rules, compare
from llm_contracts.wire.facts import WireFacts, read_facts
from llm_contracts.wire.interaction import Response
from tests.harness.wire.exchanges import EVENT_STREAM, event
from tests.harness.wire.test_api_protocols import MESSAGES, RESPONSES

Documents = Sequence[Any]

GEMINI: Documents = (
    {"candidates": [{"content": {"parts": [{"text": "hm", "thought": True}]}}], "responseId": "r"},
    {"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "safetyRatings": []}]},
    {
        "candidates": [
            {
                "content": {"parts": [{"functionCall": {"name": "f", "args": {}, "id": "c1"}}]},
                "finishReason": "STOP",
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 3,
            "candidatesTokenCount": 1,
            "thoughtsTokenCount": 1,
            "totalTokenCount": 5,
        },
        "modelVersion": "m",
    },
)


def chat(identity: str, *texts: str, finish: str = "tool_calls", **usage: Any) -> list[dict[str, Any]]:
    """The same answer as chunks of a chat completion."""
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "reasoning_content": "hm"},
        *({"content": text} for text in texts or ("Hi",)),
        {"tool_calls": [call]},
    ]
    made = [{"id": identity, "model": "m", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    counts = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, **usage}
    last = {"id": identity, "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}
    return [*made, {**last, "usage": counts}]


def observed(documents: Documents) -> Observation:
    read = ItemReader()
    chunks = tuple(chunk for document in json.loads(json.dumps(documents)) for chunk in read(document))
    return Observation(client="sample", protocol=read.protocol, chunks=chunks)


def sent(documents: Documents) -> WireFacts:
    return read_facts(Response(status=200, headers=EVENT_STREAM, body=b"".join(map(event, documents))))


def compared(reference: Documents, candidate: Documents, **rules: Any) -> Comparison:
    """The reference hands on what was sent."""
    facts = (sent(reference),)
    return compare(observed(reference), observed(candidate), facts, scope="s", rules=Rules(**rules))


def found(comparison: Comparison) -> list[str]:
    return [f"{one.kind} {one.where}" for one in comparison.divergences]


EACH = {
    "responses": (RESPONSES, chat("resp_1", "H", "i")),
    "messages": (MESSAGES, chat("msg_1")),
    "gemini": (GEMINI, chat("r", completion_tokens_details={"reasoning_tokens": 1})),
}
each = pytest.mark.parametrize(("documents", "same"), EACH.values(), ids=list(EACH))


@each
def test_the_same_answer_differs_in_nothing_either_way(documents: Documents, same: Documents) -> None:
    for pair in ((documents, same), (same, documents)):
        comparison = compared(*pair)
        assert found(comparison) == []
        assert comparison.normalised["protocol-words"] > 0
        assert comparison.normalised["other-protocol"] > 0


@each
def test_what_both_can_say_is_a_difference(documents: Documents, same: list[dict[str, Any]]) -> None:
    thought, *texts, call, last = same
    changed: dict[str, Any] = {**last, "usage": {**last["usage"], "prompt_tokens": 7}}
    cases: dict[str, Documents] = {
        "text text[2]": [thought, *texts, {"choices": [{"delta": {"content": "!"}}]}, call, last],
        "reasoning reasoning[0]": [*texts, call, last],
        "tool_calls tool_calls[0]": [thought, *texts, last],
        "usage usage.prompt_tokens": [*same[:-1], changed],
        "finish_reason finish_reason.changed": [*same[:-1], {**last, "choices": [{"finish_reason": "stop"}]}],
        "finish_reason finish_reason.lost": [*same[:-1], {**last, "choices": []}],
        "model_name model": [{**one, "model": "other"} for one in same],
        "response_id id": [{**one, "id": "chatcmpl-made-up"} for one in same],
    }
    for place, candidate in cases.items():
        assert found(compared(documents, candidate)) == [place]


def test_tokens_that_were_cached_are_part_of_the_prompt_in_chat_completions_alone() -> None:
    usage = {"input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 2}
    cached = [*MESSAGES[:-2], {**MESSAGES[-2], "usage": usage}, MESSAGES[-1]]
    same: dict[str, Any] = {"prompt_tokens": 7, "total_tokens": 9}
    same |= {"prompt_tokens_details": {"cached_tokens": 4}}
    assert found(compared(cached, chat("msg_1", **same))) == []
    assert found(compared(cached, chat("msg_1", prompt_tokens_details={"cached_tokens": 4}))) == [
        "usage usage.prompt_tokens",
        "usage usage.total_tokens",
    ]
    assert found(compared(cached, chat("msg_1", prompt_tokens=7, total_tokens=9))) == [
        "usage_details usage.prompt_tokens_details.cached_tokens"
    ]


def test_a_word_that_chat_completions_do_not_have_is_not_a_stop() -> None:
    paused = [*MESSAGES[:-2], {**MESSAGES[-2], "delta": {"stop_reason": "pause_turn"}}, MESSAGES[-1]]
    assert found(compared(paused, chat("msg_1", finish="stop"))) == ["finish_reason finish_reason.changed"]


def test_calls_are_counted_and_not_the_blocks_between_which_they_stand() -> None:
    *before, last = chat("msg_1")
    before[2]["choices"][0]["delta"]["tool_calls"][0]["index"] = 2
    assert found(compared(MESSAGES, [*before, last])) == []


def test_who_switches_it_off_sees_what_only_one_has_a_place_for() -> None:
    comparison = compared(MESSAGES, chat("msg_1"), strict=frozenset({"other-protocol"}))
    (one,) = comparison.divergences
    assert (str(one.kind), one.where) == ("fields", "protocol")
    assert "anthropic-messages.content_block" in one.reference
    assert "other-protocol" not in comparison.normalised


def test_objects_of_one_api_are_compared_whole() -> None:
    lacking = [{**one, "index": 5} if one["type"] == "content_block_stop" else one for one in MESSAGES]
    assert compared(MESSAGES, lacking).normalised.keys().isdisjoint({"protocol-words", "other-protocol"})
    assert "fields" in found(compared(MESSAGES, [{**MESSAGES[0], "extra": 1}, *MESSAGES[1:]]))[0]
