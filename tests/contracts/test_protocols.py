"""ERNIE's first API and Dify, read from their bytes under the names that the others have."""

from __future__ import annotations

import json
from typing import Any

from llm_contracts import Response
from llm_contracts.wire.facts import WireFacts, read_facts
from llm_contracts.wire.scrub import Scrubber
from tests.contracts.clients import PROTOCOLS
from tests.harness.wire.exchanges import EVENT_STREAM, JSON, event

TOTALS = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}


def streamed(*parts: bytes) -> WireFacts:
    return read_facts(Response(status=200, headers=EVENT_STREAM, body=b"".join(parts)), PROTOCOLS)


def answered(body: Any) -> WireFacts:
    return read_facts(Response(status=200, headers=JSON, body=json.dumps(body).encode()), PROTOCOLS)


def line(result: str, *, end: bool = False, **more: Any) -> bytes:
    return event({"id": "as-1", "is_end": end, "result": result, "finish_reason": "normal", **more})


def dify_event(kind: str, **more: Any) -> bytes:
    return event({"event": kind, "task_id": "t-1", **more})


def test_ernies_lines_hold_text_finish_and_totals_and_the_last_says_so() -> None:
    facts = streamed(line("你"), line("好", usage={"total_tokens": 7}), line("", end=True, usage=TOTALS))
    assert (facts.text, tuple(marks[0] for marks in facts.progress), facts.ids) == (
        "你好",
        (1, 2, 2),
        ("as-1",),
    )
    assert (facts.usage, len(facts.usages), facts.finish_reasons) == (TOTALS, 2, ("normal",) * 3)
    assert facts.done
    assert not streamed(line("你")).done


def test_ernies_errors_are_documents_or_lines() -> None:
    error = {"error_code": 18, "error_msg": "slow", "id": "as-1"}
    assert answered(error).error == {"code": 18, "message": "slow"}
    assert streamed(line("你"), event(error)).error == {"code": 18, "message": "slow"}


def test_a_token_is_no_answer_and_a_refused_one_an_error() -> None:
    assert answered({"access_token": "24.x", "expires_in": 9}).error is None
    refused = answered({"error": "invalid_client", "error_description": "unknown client id"})
    assert refused.error == {"code": "invalid_client", "message": "unknown client id"}


def test_what_a_token_answer_hides_is_masked_at_its_length() -> None:
    names = ("access_token", "refresh_token", "session_key", "session_secret")
    body = json.dumps({**dict.fromkeys(names, "24.not-to-be-kept"), "scope": "public"}).encode()
    scrubber = Scrubber({})
    once = scrubber.response(Response(status=200, headers=JSON, body=body))
    assert {json.loads(once.body)[name] for name in names} == {"*" * len("24.not-to-be-kept")}
    assert json.loads(once.body)["scope"] == "public"
    assert scrubber.response(once) == once


def test_difys_messages_hold_text_and_their_end_the_totals() -> None:
    end = dify_event("message_end", metadata={"usage": {**TOTALS, "total_price": "0.1"}})
    facts = streamed(
        dify_event("message", answer="你"),
        dify_event("tts_message", audio="x"),
        dify_event("message", answer="好"),
        end,
    )
    assert (facts.text, facts.ids, facts.malformed) == ("你好", ("t-1",), 0)
    assert facts.usage is not None
    assert (facts.usage["total_tokens"], facts.done, facts.finish_reasons) == (8, True, ())


def test_the_end_of_a_workflow_does_not_take_back_the_messages_end() -> None:
    finished = dify_event("workflow_finished", data={"status": "succeeded", "total_tokens": 50})
    facts = streamed(dify_event("message", answer="x"), dify_event("message_end"), finished)
    assert (facts.done, facts.error) == (True, None)


def test_what_an_agent_repeats_is_no_more_text() -> None:
    pieces = (dify_event("agent_message", answer="Hel"), dify_event("agent_message", answer="lo"))
    assert (
        streamed(*pieces, dify_event("message", answer="Hello!"), dify_event("message", answer="Hel")).text
        == "Hello!Hel"
    )
    assert streamed(dify_event("message", answer="a"), dify_event("message", answer="ab")).text == "aab"


def test_difys_reasoning_is_told_apart() -> None:
    facts = streamed(
        dify_event("reasoning_chunk", data={"reasoning": "hm"}), dify_event("message", answer="x")
    )
    assert (facts.reasoning, facts.text) == ("hm", "x")


def test_difys_errors_are_events_or_the_failed_end_of_a_workflow() -> None:
    error = {"event": "error", "code": "invalid_param", "message": "no", "status": 400}
    found = streamed(dify_event("message", answer="x"), event(error)).error
    assert found is not None
    assert (found["code"], found["message"]) == ("invalid_param", "no")
    failed = streamed(dify_event("workflow_finished", data={"status": "failed", "error": "boom"}))
    assert failed.error == {"code": "workflow_failed", "message": "boom"}
    silent = streamed(dify_event("workflow_finished", data={"status": "failed", "error": None}))
    assert silent.error == {"code": "workflow_failed", "message": "the workflow failed"}


def test_an_answer_that_is_no_text_is_none() -> None:
    assert (
        streamed(dify_event("message", answer=None), dify_event("message_replace", answer="other")).text == ""
    )
