"""The simulator over a real socket."""

from __future__ import annotations

import gzip
import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from llm_contracts.simulator.engine import KEY
from llm_contracts.simulator.scripts import SCRIPTS
from llm_contracts.simulator.server import Simulator

BODY = {"model": "qwen-plus", "messages": [{"role": "user", "content": "?"}], "stream": True}


@pytest.fixture(scope="module")
def qwen() -> Iterator[Simulator]:
    with Simulator("qwen", pause=0) as simulator:
        yield simulator


def send(
    simulator: Simulator,
    body: bytes,
    *,
    path: str = "/chat/completions",
    method: str = "POST",
    key: str = KEY,
    coding: str = "identity",
) -> tuple[http.client.HTTPResponse, bytes]:
    url = urlsplit(simulator.base_url)
    connection = http.client.HTTPConnection(url.netloc, timeout=60)
    headers = {"Authorization": f"Bearer {key}", "Content-Encoding": coding}
    connection.request(method, url.path + path, body, headers)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response, content


def post(simulator: Simulator, body: Any) -> tuple[int, bytes]:
    response, content = send(simulator, json.dumps(body).encode())
    return response.status, content


def test_a_stream_arrives_chunked_with_the_dialects_headers_and_ends_with_done(qwen: Simulator) -> None:
    qwen.play("plain-stream")
    response, content = send(qwen, json.dumps(BODY).encode())
    assert response.headers["Content-Type"] == "text/event-stream;charset=UTF-8"
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert response.headers["Date"] == "Thu, 01 Jan 2026 00:00:00 GMT"
    assert content.endswith(b"data: [DONE]\n\n")


def test_playing_a_script_again_starts_from_its_first_turn(qwen: Simulator) -> None:
    qwen.play("rate-limit-retry-after")
    assert [post(qwen, BODY)[0] for _ in range(3)] == [429, 200, 200]
    qwen.play("rate-limit-retry-after")
    assert post(qwen, BODY)[0] == 429


def test_two_plays_of_a_script_send_the_same_bytes(qwen: Simulator) -> None:
    answers = []
    for _ in range(2):
        qwen.play("long-stream")
        answers.append(post(qwen, BODY))
    assert answers[0] == answers[1]


def test_a_listing_is_a_get(qwen: Simulator) -> None:
    qwen.play("list-models")
    response, content = send(qwen, b"", path="/models", method="GET")
    assert response.status == 200
    assert [row["id"] for row in json.loads(content)["data"]] == ["qwen-plus", "qwen3-max", "qwq-plus"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"], ids=["cut", "a list", "no text"])
def test_a_body_that_is_no_json_object_is_a_400_of_the_provider(qwen: Simulator, body: bytes) -> None:
    qwen.play("plain-stream")
    response, content = send(qwen, body)
    assert response.status == 400
    assert "request_id" in json.loads(content)


def test_a_packed_body_is_read_and_what_is_not_packed_as_it_says_is_a_400(qwen: Simulator) -> None:
    qwen.play("plain-stream")
    plain = json.dumps(BODY).encode()
    given = [gzip.compress(plain), b"\x1f\x8b\x08not at all"]
    assert [send(qwen, body, coding="gzip")[0].status for body in given] == [200, 400]


def test_a_listing_can_be_asked_for_its_headers_alone(qwen: Simulator) -> None:
    response, content = send(qwen, b"", path="/models", method="HEAD")
    assert (response.status, content) == (200, b"")


def test_a_request_that_asks_for_no_stream_is_told_that_only_streams_are_played(qwen: Simulator) -> None:
    qwen.play("plain-stream")
    status, content = post(qwen, {**BODY, "stream": False})
    assert status == 501
    assert b"stream" in content


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/completions"),
        ("POST", "/x/chat/completions"),
        ("POST", "/models"),
        ("GET", "/chat/completions"),
    ],
)
def test_a_path_the_provider_does_not_have_is_not_found(qwen: Simulator, method: str, path: str) -> None:
    assert send(qwen, b"{}", path=path, method=method)[0].status == 404


def test_an_unknown_dialect_names_those_there_are() -> None:
    with pytest.raises(ValueError, match="openai, deepseek, qwen"):
        Simulator("klingon")


def test_an_unknown_script_names_the_nearest(qwen: Simulator) -> None:
    with pytest.raises(ValueError, match="plain-stream"):
        qwen.play("plain-steam")
    with pytest.raises(ValueError, match=", ".join(list(SCRIPTS)[:3])):
        qwen.play("#")


def test_two_simulators_run_side_by_side() -> None:
    with Simulator("openai") as one, Simulator("openai", key="sk-other") as two:
        assert one.origin != two.origin
        body = json.dumps({**BODY, "model": "gpt-4o-mini"}).encode()
        assert [send(simulator, body)[0].status for simulator in (one, two)] == [200, 401]
