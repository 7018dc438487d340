"""The replay server as an application meets it: the recorded answer, or 599 and what differs; runs apart."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from llm_contracts.serve.index import Fit
from llm_contracts.serve.session import ClientRuns
from llm_contracts.wire.interaction import End, Piece, Response
from tests.harness.serve.conftest import (
    KEY,
    OTHER,
    PLAIN,
    QUESTION,
    RETRIED,
    Server,
    Serving,
    answer,
    index,
    recording,
)
from tests.harness.wire.exchanges import JSON, PUBLIC, exchange, stream, streamed

CHAT = "/openai/v1/chat/completions"


def said(body: bytes) -> str:
    document = json.loads(body)
    message: str = document["error"]["message"]
    return message


def test_the_very_request_gets_the_recorded_bytes(server: Server) -> None:
    assert server.ask(CHAT) == (200, PLAIN.interactions[0].response.body)


def test_keys_in_another_order_and_numbers_written_otherwise_are_the_same_request(server: Server) -> None:
    """JavaScript writes 1 where Python writes 1.0."""
    body = b'{"temperature": 5e-1, "model": "m", "messages": [{"content": "hello", "role": "user"}]}'
    assert server.ask(CHAT, body)[0] == 200


@pytest.mark.parametrize(
    ("path", "body", "differs"),
    [
        (CHAT, QUESTION.replace(b"0.5", b"0.7"), [("body.temperature", "0.7", "0.5")]),
        (
            CHAT,
            QUESTION.replace(b"hello", "héllo".encode()),
            [("body.messages[0].content", '"héllo"', '"hello"')],
        ),
        (CHAT, QUESTION.replace(b',"temperature":0.5', b""), [("body.temperature", "(absent)", "0.5")]),
        (CHAT, QUESTION.replace(b"0.5", b"true"), [("body.temperature", "true", "0.5")]),
        (CHAT + "?v=2", QUESTION, [("query.v", '["2"]', "(absent)")]),
        ("/openai/chat/completions", QUESTION, [("path", '"/chat/completions"', '"/v1/chat/completions"')]),
    ],
)
def test_any_other_request_is_told_the_nearest_one_and_what_differs(
    server: Server, path: str, body: bytes, differs: list[tuple[str, str, str]]
) -> None:
    status, answered = server.ask(path, body)
    document = json.loads(answered)
    assert status == 599
    assert document["nearest"] == {
        "scenario": "openai/plain",
        "request": f"POST {PUBLIC}/v1/chat/completions",
    }
    assert [(d["where"], d["sent"], d["recorded"]) for d in document["differs"]] == differs
    assert differs[0][0] in document["error"]["message"]
    assert server.entries[-1].differs == tuple(where for where, _, _ in differs)


def test_another_method_is_another_request(server: Server) -> None:
    status, answered = server.ask(CHAT, QUESTION, method="PUT")
    assert (status, json.loads(answered)["differs"][0]["where"]) == (599, "method")


def test_nobody_is_asked_to_try_again(server: Server) -> None:
    parts = urlsplit(server.session.origin)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=60) as connection:
        connection.sendall(b"GET /openai/nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        head = b"".join(iter(lambda: connection.recv(65536), b"")).lower()
    assert head.startswith(b"http/1.1 599 nothing recorded")
    assert b"x-should-retry: false" in head


def test_a_plain_question_gets_the_usual_answer_and_the_others_by_name(server: Server) -> None:
    assert b"hel" in server.ask(CHAT)[1]
    assert server.ask("/scenario/retried" + CHAT)[0] == 429
    assert server.ask("/scenario/retried" + CHAT)[0] == 200


def test_several_usual_answers_are_a_question_of_names(running: Serving) -> None:
    with running(index(PLAIN, replace(RETRIED, usual=True))) as server:
        status, answered = server.ask(CHAT)
        assert (status, json.loads(answered)["error"]["code"]) == (599, "several_recorded")
        assert "/scenario/NAME" in said(answered)
        assert json.loads(answered)["scenarios"] == ["plain", "retried"]
        assert server.ask("/scenario/plain" + CHAT)[0] == 200


def test_recordings_that_answer_alike_are_no_choice(running: Serving) -> None:
    with running(index(PLAIN, replace(PLAIN, name="again"))) as server:
        assert server.ask(CHAT)[0] == 200


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("/scenario/plane" + CHAT, "unknown_scenario", "Did you mean plain?"),
        ("/opnai/v1/chat/completions", "unknown_provider", "Did you mean openai?"),
        ("/favicon.ico", "unknown_provider", "There are openai."),
        ("/run/a%20b" + CHAT, "unusable_run_key", "letters"),
        ("/run/" + "a" * 101 + CHAT, "unusable_run_key", "100"),
    ],
)
def test_a_wrong_address_is_told_the_right_one(server: Server, path: str, code: str, words: str) -> None:
    status, answered = server.ask(path)
    assert (status, json.loads(answered)["error"]["code"]) == (599, code)
    assert words in said(answered)


def test_a_scenario_answers_another_body_only_where_that_is_allowed(running: Serving) -> None:
    path, body = "/scenario/retried" + CHAT, b'{"messages":[],"model":"mine"}'
    with running(index(PLAIN, RETRIED)) as server:
        assert server.ask(path, body)[0] == 599
    with running(index(PLAIN, RETRIED), any_body=True) as server:
        assert [server.ask(path, body)[0] for _ in range(3)] == [429, 200, 200]
        assert server.entries[0].differs == ("body.messages[0]", "body.model", "body.temperature")
        assert server.ask(CHAT, body)[0] == 599  # without a name nobody has said which
        assert server.ask("/scenario/retried/openai/v1/models", body)[0] == 599


def test_runs_do_not_use_up_each_other_s_recordings(server: Server) -> None:
    def statuses(key: str) -> list[int]:
        return [server.ask(f"/run/{key}/scenario/retried{CHAT}")[0] for _ in range(3)]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(statuses, "abcdefgh")) == [[429, 200, 200]] * 8
    assert [server.ask("/scenario/retried" + CHAT)[0] for _ in range(2)] == [429, 200]


def test_a_run_can_be_looked_at_and_begun_anew(server: Server) -> None:
    path = "/run/mine/scenario/retried" + CHAT
    assert [server.ask(path)[0] for _ in range(2)] == [429, 200]
    server.ask("/run/mine/openai/nothing")
    state = server.json("/run/mine")
    assert (state["requests"], state["unmatched"], state["answered"]) == (3, 1, {"openai/retried": 2})
    assert server.json("/run/mine", method="DELETE")["requests"] == 0
    assert server.ask(path)[0] == 429
    assert server.json("/run/never")["requests"] == 0


def test_the_run_without_a_key_can_be_begun_anew_too(server: Server) -> None:
    assert server.ask("/scenario/retried" + CHAT)[0] == 429
    server.json("/run/default", method="DELETE")
    assert server.ask("/scenario/retried" + CHAT)[0] == 429


def test_a_new_run_is_told_its_base_urls(server: Server) -> None:
    first, second = (server.json("/run", b"", method="POST") for _ in range(2))
    assert first["run"] != second["run"]
    base = first["base_urls"]["openai"]
    assert base == f"{server.session.origin}/run/{first['run']}/openai/v1"
    assert server.ask(base.removeprefix(server.session.origin) + "/chat/completions")[0] == 200


def test_the_runs_that_were_used_longest_ago_make_room() -> None:
    runs, fit = ClientRuns(most=2), Fit(recording=RETRIED, places=(0, 1))
    assert [runs.used("a").next("openai", fit)[0] for _ in range(2)] == [0, 1]
    runs.used("b")
    runs.used("a")
    runs.used("c")
    assert len(runs) == 2
    assert runs.used("a").next("openai", fit)[0] == 1
    assert runs.used("b").next("openai", fit)[0] == 0


def test_health_and_overview(server: Server) -> None:
    server.ask(CHAT)
    server.ask("/openai/nothing")
    assert server.json("/health") == {
        "status": "ok",
        "recordings": 3,
        "requests": 2,
        "unmatched": 1,
        "runs": 1,
    }
    overview = server.json("/")
    assert overview["base_urls"] == {"openai": f"{server.session.origin}/openai/v1"}
    assert overview["scenarios"] == {"openai": ["plain", "retried", "other"]}


def test_each_request_is_one_line_without_headers_bodies_or_keys(server: Server) -> None:
    server.ask(CHAT + f"?key={KEY}", Authorization=f"Bearer {KEY}")
    server.ask(f"/run/r1/openai/{KEY}/x", QUESTION.replace(b"hello", KEY.encode()))
    server.ask(CHAT)
    lines = [entry.line() for entry in server.entries]
    assert len(lines) == 3
    assert KEY not in "".join(lines)
    assert "hello" not in "".join(lines)
    document = json.loads(lines[2])
    assert document.pop("ms") >= 0
    assert document.pop("time").endswith("+00:00")
    assert document == {
        "run": "default",
        "provider": "openai",
        "method": "POST",
        "path": "/v1/chat/completions",
        "scenario": "plain",
        "file": "cassettes/openai/plain.yaml",
        "exchange": 0,
        "status": 200,
        "events": 4,
        "end": "complete",
    }


def test_an_answer_tells_no_key_back(server: Server) -> None:
    body = QUESTION.replace(b"hello", KEY.encode())
    for path in (CHAT, f"/openai/{KEY}", f"/scenario/{KEY}{CHAT}", f"/{KEY}/v1", f"/run/{KEY}/openai/v1"):
        status, answered = server.ask(path, body)
        assert status == 599
        assert KEY.encode() not in answered


@pytest.mark.parametrize("end", [End.CUT, End.RESET])
def test_a_recording_that_did_not_end_well_does_not_here_either(running: Serving, end: End) -> None:
    made = streamed(b"data: {}\n\n", end=end)
    with (
        running(index(recording("cut", exchange(made.response, body=QUESTION)))) as server,
        pytest.raises((http.client.IncompleteRead, ConnectionResetError)),
    ):
        server.ask(CHAT)
    assert [str(entry.end) for entry in server.entries] == [end]


def test_a_client_that_leaves_is_logged_as_that(running: Serving) -> None:
    """The second piece is due in an hour; the client does not wait for it."""
    body = stream("a", "b")
    pieces = (Piece(size=10, at_ms=0), Piece(size=len(body) - 10, at_ms=3_600_000))
    made = streamed(body, pieces=pieces)
    with running(index(recording("slow", exchange(made.response, body=QUESTION))), speed=1) as server:
        parts = urlsplit(server.session.origin)
        with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=60) as client:
            head = f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(QUESTION)}\r\n\r\n"
            client.sendall(head.encode() + QUESTION)
            assert client.recv(65536).startswith(b"HTTP/1.1 200")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        deadline = time.monotonic() + 60
        while not server.entries and time.monotonic() < deadline:
            time.sleep(0.005)
    assert [entry.end for entry in server.entries] == [End.CLIENT_LEFT]


def test_redirects_lead_back_to_the_server(running: Serving) -> None:
    """Within the same run and scenario, so that a client that follows one stays with its recordings."""
    moved = Response(status=307, headers=(*JSON, ("Location", f"{PUBLIC}/v1/there")), body=b"{}")
    there = exchange(
        Response(status=200, headers=JSON, body=b"[]"), target="/v1/there", method="GET", body=b""
    )
    first = exchange(moved, method="GET", body=b"", target="/v1/here")
    with running(index(recording("moved", first, there))) as server:
        assert server.ask("/run/r/scenario/moved/openai/v1/here", None) == (200, b"[]")
    assert [entry.run for entry in server.entries] == ["r", "r"]


def test_a_foreign_host_is_not_let_in(server: Server) -> None:
    assert server.ask(CHAT, Host="attacker.example")[0] == 421
    assert server.entries == []


def test_questions_are_answered_side_by_side(server: Server) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: server.ask(CHAT), range(100)))
    assert answers == [(200, PLAIN.interactions[0].response.body)] * 100
    assert server.session.counts == (100, 0)


def test_a_body_that_is_no_json_must_be_equal(running: Serving) -> None:
    form = exchange(Response(status=200, headers=JSON, body=b"{}"), body=b"a=1&b=2")
    with running(
        index(recording("form", form), OTHER, recording("deep", answer("x", body=b"[" * 200_000)))
    ) as server:
        assert server.ask(CHAT, b"a=1&b=2")[0] == 200
        assert server.ask(CHAT, b"a=1&b=3")[0] == 599
        assert server.ask(CHAT, b"[" * 200_000)[0] == 200
