"""Only what answers a scenario is evidence of it: no page, redirect, empty body or other scenario is."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from llm_contracts.clients.call import Function
from llm_contracts.project.evidence import doubt, misplaced, objection
from llm_contracts.project.scenario import Scenario
from llm_contracts.wire.cassette import Cassette, Provenance, Recording
from llm_contracts.wire.interaction import End, Interaction, Request, Response

ROW = Scenario(id="plain", provider="acme", model="acme-1")
STREAM = (
    b'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)
WHOLE = b'{"choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}]}'
PAGE = b"<!DOCTYPE html><html><body>Sign in</body></html>"
SSE, HTML, JSON = "text/event-stream", "text/html; charset=utf-8", "application/json"


def exchange(
    body: bytes, status: int = 200, media: str = SSE, *, stream: bool = True, end: End = End.COMPLETE
) -> Interaction:
    asked = json.dumps({"model": "acme-1", "stream": stream}).encode()
    return Interaction(
        request=Request(
            method="POST", uri="https://acme.example/v1/chat/completions", headers=(), body=asked
        ),
        response=Response(status=status, headers=(("Content-Type", media),), body=body, end=end),
    )


@pytest.mark.parametrize(
    ("came", "why"),
    [
        (exchange(PAGE, media=HTML), "a page came (200 text/html)"),
        (exchange(PAGE, media=SSE), "a page came (200 text/event-stream)"),
        (exchange(PAGE, 302, HTML), "a page came (302 text/html)"),
        (exchange(b"", 302, ""), "answered with 302"),
        (exchange(b"", 204, ""), "answered with 204"),
        (exchange(b""), "without a finish reason and without [DONE]"),
        (exchange(b"", media=""), "a stream was asked for, and none came"),
        (exchange(WHOLE, media=JSON), "a stream was asked for, and none came"),
        (exchange(b'{"oops": "quota"}', media=JSON), "a stream was asked for, and none came"),
        (
            exchange(b'data: {"oops": "quota"}\n\ndata: [DONE]\n\n'),
            "no text, reasoning, totals or finish reason",
        ),
        (exchange(b'data: {"id": "1", "oops": "quota"}\n\n'), "without a finish reason"),
        (exchange(b'{"oops": "quota"}', media=JSON, stream=False), "no text, reasoning, totals or finish"),
        (exchange(b'{"error": {"message": "quota"}}', 429, JSON), "the provider refused: 429 quota"),
        (exchange(STREAM, end=End.CUT), "ended early (cut)"),
    ],
)
def test_what_is_no_answer_is_no_evidence(came: Interaction, why: str) -> None:
    found = objection(ROW, [came])
    assert found is not None
    assert why in found


@pytest.mark.parametrize("came", [exchange(STREAM), exchange(WHOLE, media=JSON, stream=False)])
def test_an_answer_in_the_form_that_was_asked_for_is_evidence(came: Interaction) -> None:
    assert objection(ROW, [came]) is None


def test_an_answer_after_a_failed_attempt_is_another_scenario() -> None:
    assert "had to be asked again" in str(objection(ROW, [exchange(b"{}", 503, JSON), exchange(STREAM)]))


def test_no_exchange_is_no_evidence() -> None:
    assert objection(ROW, []) == "there is no exchange in it"


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (400, None),
        (401, "refused the key"),
        (403, "refused the key"),
        (429, "failed by itself"),
        (503, "failed"),
    ],
)
def test_a_wanted_refusal_is_one_of_the_question_not_of_the_key_or_the_moment(
    status: int, why: str | None
) -> None:
    came = exchange(b'{"error": {"message": "no"}}', status, JSON)
    found = objection(replace(ROW, expects="failure"), [came])
    assert (found is None) if why is None else (why in str(found))


def test_a_refused_key_is_evidence_where_a_wrong_key_is_sent() -> None:
    came = exchange(b'{"error": {"message": "no"}}', 401, JSON)
    assert objection(replace(ROW, expects="failure", key="wrong"), [came]) is None


def test_a_success_is_no_evidence_of_a_failure() -> None:
    assert "a refusal or an error was wanted" in str(
        objection(replace(ROW, expects="failure"), [exchange(STREAM)])
    )


@pytest.mark.parametrize(("body", "good"), [(b'{"data": []}', True), (PAGE, False), (b"", False)])
def test_a_listing_is_a_document(body: bytes, *, good: bool) -> None:
    found = objection(replace(ROW, function=Function.LIST_MODELS), [exchange(body, media=JSON)])
    assert (found is None) is good


def recording(**more: object) -> Recording:
    made = Recording(
        provenance=Provenance.LIVE,
        recorded_at=datetime(2026, 11, 1, tzinfo=UTC),
        provider="acme",
        scenario="plain",
        client="old",
        digest="sha256:0",
    )
    return replace(made, **more)  # type: ignore[arg-type]


def test_a_recording_counts_for_its_own_scenario_alone() -> None:
    assert misplaced(ROW, recording()) is None
    assert misplaced(ROW, recording(scenario="other")) == "it was recorded for acme/other, not for acme/plain"
    assert misplaced(ROW, recording(provider="zen")) == "it was recorded for zen/plain, not for acme/plain"


@pytest.mark.parametrize("made", [None, recording(provenance=Provenance.IMPORTED)])
def test_what_others_recorded_is_no_evidence_of_another_scenario_nor_of_a_failure(
    made: Recording | None,
) -> None:
    answer = Cassette(interactions=(exchange(STREAM),), recording=made)
    assert doubt(ROW, answer) is None
    assert "an error was wanted" in str(doubt(replace(ROW, expects="failure"), answer))
    assert made is None or "recorded for acme/plain" in str(doubt(replace(ROW, id="other"), answer))


def test_a_live_recording_without_a_digest_may_have_been_edited() -> None:
    assert "no digest" in str(misplaced(ROW, recording(digest="")))
    assert misplaced(ROW, recording(digest="", provenance=Provenance.SIMULATED)) is None
