"""ERNIE's first API and Dify over a real socket, against what is known of them."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest

from llm_contracts.simulator.dialect import Dialect
from llm_contracts.simulator.engine import KEY, words_for
from llm_contracts.simulator.script import Refusal, Refused
from llm_contracts.simulator.scripts import SCRIPTS
from llm_contracts.simulator.server import Simulator
from tests.contracts.dialects import DIFY, ERNIE_V1
from tests.contracts.dialects.dify_events import SCRIPTS as OF_DIFY

CHAT = "/rpc/2.0/ai_custom/v1/wenxinworkshop/chat/completions_pro"
TOKEN = f"24.{KEY}"
ASKED = {"messages": [{"role": "user", "content": "?"}], "stream": True}
QUESTION = {"query": "?", "user": "u", "response_mode": "streaming", "inputs": {}}


@pytest.fixture(scope="module")
def simulators() -> Iterator[dict[str, Simulator]]:
    with ExitStack() as stack:
        yield {one.name: stack.enter_context(Simulator(one, pause=0)) for one in (ERNIE_V1, DIFY)}


@pytest.fixture
def ernie(simulators: dict[str, Simulator]) -> Simulator:
    return simulators["ernie_v1"]


@pytest.fixture
def dify(simulators: dict[str, Simulator]) -> Simulator:
    return simulators["dify"]


def post(simulator: Simulator, path: str, body: Any, **headers: str) -> tuple[int, str, bytes]:
    url = urlsplit(simulator.base_url)
    connection = http.client.HTTPConnection(url.netloc, timeout=60)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("POST", url.path + path, raw, headers)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, response.headers["Content-Type"], content


def lines(simulator: Simulator, script: str, *, token: str = TOKEN, **more: Any) -> list[dict[str, Any]]:
    simulator.play(script)
    _, kind, body = post(simulator, f"{CHAT}?access_token={token}", {**ASKED, **more})
    assert kind == "text/event-stream"
    events = body.decode().split("\n\n")
    assert events[-1] == ""
    return [json.loads(event.removeprefix("data: ")) for event in events[:-1]]


def refusal(
    simulator: Simulator, script: str, *, token: str = TOKEN, **more: Any
) -> tuple[int, dict[str, Any]]:
    simulator.play(script)
    status, kind, body = post(simulator, f"{CHAT}?access_token={token}", {**ASKED, **more})
    assert kind == "application/json"
    return status, json.loads(body)


def events(simulator: Simulator, script: str) -> list[dict[str, Any]]:
    simulator.play(script)
    status, kind, body = post(simulator, "/chat-messages", QUESTION, Authorization=f"Bearer {KEY}")
    assert (status, kind) == (200, "text/event-stream; charset=utf-8")
    data = [event for event in body.decode().split("\n\n") if event.startswith("data: ")]
    return [json.loads(event.removeprefix("data: ")) for event in data]


# ERNIE


def test_a_token_is_sold_to_the_account_alone_and_is_no_turn_of_the_script(ernie: Simulator) -> None:
    ernie.play("rate-limit-retry-after")
    query = f"/oauth/2.0/token?grant_type=client_credentials&client_id={KEY}&client_secret="
    status, _, body = post(ernie, query + KEY, b"")
    grant = json.loads(body)
    assert (status, grant["access_token"], grant["expires_in"]) == (200, TOKEN, 2592000)
    assert {"refresh_token", "session_key", "session_secret", "scope"} < grant.keys()
    status, _, body = post(ernie, query + "sk-no", b"")
    assert (status, json.loads(body)["error_description"]) == (401, "Client authentication failed")
    status, _, body = post(ernie, query.replace(KEY, "sk-no") + KEY, b"")
    assert json.loads(body) == {"error": "invalid_client", "error_description": "unknown client id"}
    assert json.loads(post(ernie, f"{CHAT}?access_token={TOKEN}", ASKED)[2])["error_code"] == 18


def test_every_line_has_text_end_and_totals_so_far(ernie: Simulator) -> None:
    said = lines(ernie, "plain-stream")
    assert [line["is_end"] for line in said] == [False] * (len(said) - 1) + [True]
    assert said[-1]["result"] == ""
    counts = [line["usage"]["completion_tokens"] for line in said]
    assert counts == sorted(counts)
    assert counts[-1] > counts[0] > 0
    assert [line["sentence_id"] for line in said] == list(range(len(said)))
    assert {line["finish_reason"] for line in said} == {"normal"}
    assert len({line["id"] for line in said}) == 1


def test_the_system_text_is_counted_and_the_limit_is_kept(ernie: Simulator) -> None:
    plain = lines(ernie, "plain-stream")[0]["usage"]["prompt_tokens"]
    assert lines(ernie, "plain-stream", system="be very kind")[0]["usage"]["prompt_tokens"] > plain
    last = lines(ernie, "plain-stream", max_output_tokens=16)[-1]
    assert (last["finish_reason"], last["is_truncated"], last["is_end"]) == ("length", True, True)


def test_json_mode_is_a_word(ernie: Simulator) -> None:
    said = lines(ernie, "plain-stream", response_format="json_object")
    assert json.loads("".join(line["result"] for line in said))


def test_an_unsafe_answer_ends_early_and_wants_the_history_cleared(ernie: Simulator) -> None:
    last = lines(ernie, "content-filter")[-1]
    assert (last["finish_reason"], last["need_clear_history"], last["ban_round"]) == (
        "content_filter",
        True,
        -1,
    )


@pytest.mark.parametrize(
    ("script", "code", "by_model"),
    [
        ("server-error", 336000, True),
        ("rate-limit", 18, False),
        ("unpaid", 17, False),
        ("too-long", 336003, True),
        ("overloaded", 336100, True),
        ("status-503", 2, False),
        ("token-refused", 110, False),
    ],
)
def test_errors_are_documents_with_status_200(
    ernie: Simulator, script: str, code: int, by_model: bool
) -> None:
    """Those of the models have an id."""
    status, body = refusal(ernie, script)
    assert (status, body["error_code"], "id" in body) == (200, code, by_model)


def test_a_token_that_was_never_sold_is_refused(ernie: Simulator) -> None:
    assert refusal(ernie, "plain-stream", token="24.other")[1]["error_code"] == 110
    assert refusal(ernie, "plain-stream", token="")[1]["error_code"] == 100


def test_what_is_wrong_with_a_request_is_told(ernie: Simulator) -> None:
    assert "top_p" in refusal(ernie, "plain-stream", top_p=7)[1]["error_msg"]
    ernie.play("plain-stream")
    for body in (b"[]", b"{"):
        assert json.loads(post(ernie, f"{CHAT}?access_token={TOKEN}", body)[2])["error_code"] == 336002


def test_an_error_among_the_lines_ends_them(ernie: Simulator) -> None:
    *_, before, error = lines(ernie, "mid-stream-error")
    assert not before["is_end"]
    assert error == {"error_code": 336000, "error_msg": "Internal error"}


def test_a_tool_call_is_a_function_call(ernie: Simulator) -> None:
    assert [line["function_call"] for line in lines(ernie, "tool-calls") if "function_call" in line]


# Dify


def test_an_answer_is_messages_and_their_end_with_prices_as_text(dify: Simulator) -> None:
    *said, end = events(dify, "plain-stream")
    assert {event["event"] for event in said} == {"message"}
    assert end["event"] == "message_end"
    usage = end["metadata"]["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert {type(usage[name]) for name in ("prompt_price", "completion_price", "total_price")} == {str}


def test_an_end_may_have_no_totals(dify: Simulator) -> None:
    assert events(dify, "no-usage")[-1]["metadata"] == {"retriever_resources": []}


def test_an_error_event_takes_the_place_of_the_end(dify: Simulator) -> None:
    *_, error = events(dify, "mid-stream-error")
    assert (error["event"], error["code"], error["status"]) == ("error", "completion_request_error", 400)
    assert "task_id" not in error


@pytest.mark.parametrize(
    ("script", "status", "code"),
    [
        ("rate-limit", 429, "too_many_requests"),
        ("unpaid", 400, "provider_quota_exceeded"),
        ("server-error", 500, "internal_server_error"),
        ("status-403", 403, "forbidden"),
        ("status-404", 404, "not_found"),
    ],
)
def test_a_refusal_has_code_message_and_status(dify: Simulator, script: str, status: int, code: str) -> None:
    dify.play(script)
    answered, kind, body = post(dify, "/chat-messages", QUESTION, Authorization=f"Bearer {KEY}")
    assert (answered, kind) == (status, "application/json")
    assert tuple(json.loads(body)) == ("code", "message", "status")
    assert (json.loads(body)["code"], json.loads(body)["status"]) == (code, status)


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Authorization": "Bearer sk-no"}, QUESTION, 401),
        ({}, QUESTION, 401),
        ({"Authorization": f"Bearer {KEY}"}, [], 400),
        ({"Authorization": f"Bearer {KEY}"}, b"{", 400),
        ({"Authorization": f"Bearer {KEY}"}, {"query": "?", "response_mode": "blocking"}, 501),
    ],
)
def test_a_faulty_request_is_refused(
    dify: Simulator, headers: dict[str, str], body: Any, status: int
) -> None:
    dify.play("plain-stream")
    assert post(dify, "/chat-messages", body, **headers)[0] == status


def test_a_ping_is_a_bare_name(dify: Simulator) -> None:
    dify.play("dify-ping")
    _, _, body = post(dify, "/chat-messages", QUESTION, Authorization=f"Bearer {KEY}")
    assert body.startswith(b"event: ping\n\ndata: ")
    assert body.count(b"event: ping\n\n") == 3


def test_an_agent_of_the_new_kind_repeats_itself(dify: Simulator) -> None:
    said = events(dify, "dify-new-agent")
    pieces = "".join(event["answer"] for event in said if event["event"] == "agent_message")
    assert [event["answer"] for event in said if event["event"] == "message"] == [pieces]


def test_a_workflow_tells_its_end_after_the_message_s_and_a_failed_one_before_its_error(
    dify: Simulator,
) -> None:
    assert [event["event"] for event in events(dify, "dify-workflow")][-2:] == [
        "message_end",
        "workflow_finished",
    ]
    assert [event["event"] for event in events(dify, "dify-workflow-failed")][-2:] == [
        "workflow_finished",
        "error",
    ]


@pytest.mark.parametrize("script", OF_DIFY)
def test_all_events_are_of_one_conversation(dify: Simulator, script: str) -> None:
    said = events(dify, script)
    assert len({event["conversation_id"] for event in said}) == 1


def test_an_agent_s_thought_is_its_tool(dify: Simulator) -> None:
    assert events(dify, "tool-calls")[0]["event"] == "agent_thought"


_UNSAID = {
    "ernie_v1": {Refused.PROMPT_FILTER},
    "dify": {Refused.UNKNOWN_MODEL, Refused.PROMPT_FILTER, Refused.TOO_LONG},
}
"""Of these nobody knows the words, or they cannot happen."""


@pytest.mark.parametrize("dialect", [ERNIE_V1, DIFY], ids=lambda dialect: dialect.name)
def test_each_has_words_for_every_refusal_it_can_be_told(dialect: Dialect) -> None:
    told = {turn.why for script in SCRIPTS.values() for turn in script if isinstance(turn, Refusal)}
    by_request = {Refused.NO_KEY, Refused.WRONG_KEY, Refused.UNKNOWN_MODEL, Refused.BAD_REQUEST}
    for why in (told | by_request | {Refused.MID_STREAM}) - _UNSAID[dialect.name]:
        assert words_for(dialect, why).message
