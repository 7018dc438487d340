"""Gemini's dialect, which is nobody else's: requests in Google's words, CRLF, totals that count up."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest

from llm_contracts.simulator.dialects import DIALECTS
from llm_contracts.simulator.engine import KEY, Reply, Responder
from llm_contracts.simulator.scripts import SCRIPTS
from llm_contracts.simulator.server import Simulator
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import Response

GEMINI = DIALECTS["gemini"]
SAYS: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "json"}]}]}


def play(
    script: str, *, model: str = "gemini-2.5-flash", key: str = KEY, body: Any = None, **config: Any
) -> Reply:
    """The reply to one request in Google's words."""
    path = f"/v1beta/models/{model}:streamGenerateContent"
    asked = {**SAYS, "generationConfig": config} if body is None else body
    ask = GEMINI.read(path, {"x-goog-api-key": key}, json.dumps(asked).encode())
    return Responder(dialect=GEMINI).respond(ask, SCRIPTS[script][0])


def events(reply: Reply) -> list[dict[str, Any]]:
    return [json.loads(piece.decode().removeprefix("data: ")) for piece in reply.pieces]


def test_events_end_with_crlf_have_spaces_after_colons_and_no_done_follows() -> None:
    pieces = play("plain-stream").pieces
    assert all(piece.startswith(b'data: {"candidates": [{"content": {"parts": [') for piece in pieces)
    assert all(piece.endswith(b"}\r\n\r\n") and piece.count(b"\n") == 2 for piece in pieces)


def test_only_the_last_chunk_has_a_finish_reason_and_every_one_has_totals_that_grow() -> None:
    *earlier, last = events(play("plain-stream"))
    assert last["candidates"][0]["finishReason"] == "STOP"
    assert not any("finishReason" in event["candidates"][0] for event in earlier)
    counts = [event["usageMetadata"]["candidatesTokenCount"] for event in (*earlier, last)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


@pytest.mark.parametrize("name", ["maxOutputTokens", "max_output_tokens"])
def test_a_limit_in_either_spelling_cuts_the_answer(name: str) -> None:
    config: dict[str, Any] = {name: 3}
    last = events(play("finish-length", **config))[-1]
    assert last["candidates"][0]["finishReason"] == "MAX_TOKENS"


def test_thoughts_are_shown_to_who_asks_for_them_and_counted_beside_the_answer() -> None:
    hidden = events(play("reasoning"))
    shown = events(play("reasoning", thinkingConfig={"includeThoughts": True}))
    thoughts = [event for event in shown if event["candidates"][0]["content"]["parts"][0].get("thought")]
    assert thoughts
    assert not [event for event in hidden if event["candidates"][0]["content"]["parts"][0].get("thought")]
    counted = shown[-1]["usageMetadata"]
    assert counted["thoughtsTokenCount"] > 0
    parts = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount")
    assert counted["totalTokenCount"] == sum(counted[part] for part in parts)


def test_json_mode_is_a_mime_type() -> None:
    reply = play("json-mode", response_mime_type="application/json")
    text = "".join(event["candidates"][0]["content"]["parts"][0]["text"] for event in events(reply))
    assert isinstance(json.loads(text), dict)


@pytest.mark.parametrize(
    ("how", "status", "kind"),
    [
        ({"key": "AIza-wrong"}, 400, "INVALID_ARGUMENT"),
        ({"key": ""}, 400, "INVALID_ARGUMENT"),
        ({"model": "gemini-0"}, 404, "NOT_FOUND"),
        ({"body": []}, 400, "INVALID_ARGUMENT"),
        ({"topP": 7}, 400, "INVALID_ARGUMENT"),
    ],
)
def test_faulty_requests_are_refused_by_googles_statuses(how: dict[str, Any], status: int, kind: str) -> None:
    reply = play("plain-stream", **how)
    assert (reply.status, json.loads(reply.pieces[0])["error"]["status"]) == (status, kind)


def test_nobody_without_a_key_and_no_nonsense_is_served() -> None:
    path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent"
    for headers, body, status in (({}, b"", 403), ({"x-goog-api-key": KEY}, b"{", 400)):
        ask = GEMINI.read(path, headers, body)
        assert Responder(dialect=GEMINI).respond(ask, SCRIPTS["plain-stream"][0]).status == status


def test_a_blocked_question_is_an_answer_without_candidates() -> None:
    reply = play("prompt-filter")
    (event,) = events(reply)
    assert reply.status == 200
    assert event["promptFeedback"] == {"blockReason": "SAFETY"}
    assert "candidates" not in event


def test_a_429_says_in_its_body_how_long_to_wait_and_which_quota_is_used_up() -> None:
    for script, quota in (("rate-limit", "PerMinute"), ("unpaid", "PerDay")):
        details = json.loads(play(script).pieces[0])["error"]["details"]
        assert quota in details[0]["violations"][0]["quotaId"]
    facts = read_facts(Response(status=429, body=play("rate-limit").pieces[0]))
    assert facts.retry_after == 1.0


def test_a_tool_is_called_by_a_part_of_its_own() -> None:
    parts = [event["candidates"][0]["content"]["parts"][0] for event in events(play("tool-calls"))]
    assert parts[0] == {"functionCall": {"name": "weather", "args": {}}}


def test_the_server_answers_where_google_does() -> None:
    with Simulator("gemini") as simulator:
        simulator.play("list-models")
        headers = {"x-goog-api-key": KEY}
        with urlopen(Request(f"{simulator.base_url}/models", headers=headers), timeout=60) as response:
            names = [model["name"] for model in json.load(response)["models"]]
        simulator.play("plain-stream")
        url = f"{simulator.base_url}/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
        body = json.dumps(SAYS).encode()
        with urlopen(Request(url, headers=headers, data=body), timeout=60) as response:
            assert response.headers["content-type"] == "text/event-stream"
            assert response.read().endswith(b"}\r\n\r\n")
    assert "models/gemini-2.5-flash" in names
