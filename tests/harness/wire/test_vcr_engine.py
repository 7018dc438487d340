"""The recordings are good VCR files: vcrpy and pytest-recording play them, and so does our own engine."""

from __future__ import annotations

import asyncio
import socket
import threading
from pathlib import Path

import aiohttp
import httpx
import pytest
import requests
import vcr
from vcr.errors import CannotOverwriteExistingCassetteException
from vcr.request import Request as VcrRequest

from llm_contracts.run.engines import UnplayableError
from llm_contracts.run.engines.vcr import _request, play_in_process
from llm_contracts.wire.cassette import load, save
from llm_contracts.wire.interaction import End, Interaction, Piece, Response
from llm_contracts.wire.proxy.server import Edge
from tests.harness.wire.exchanges import (
    EVENT_STREAM,
    JSON,
    PUBLIC,
    TARGET,
    ask,
    cassette,
    exchange,
    stream,
    streamed,
)

BODY = stream("你好", "😀")
URL = PUBLIC + TARGET
COMPLETE: list[Interaction] = [
    streamed(BODY, pieces=(Piece(size=5, at_ms=1), Piece(size=len(BODY) - 5, at_ms=2.5))),
    exchange(
        Response(status=200, reason="OK", headers=EVENT_STREAM, body=BODY.replace(b"\n", b"\r\n")),
        body=b'{"n":2}',
    ),
    exchange(
        Response(status=429, reason="Too Many", headers=(*JSON, ("retry-after", "1")), body=b'{"error":{}}'),
        body=b'{"n":3}',
    ),
    exchange(Response(status=500, reason="", headers=(), body=b"\xff\xfe"), body=b'{"n":4}'),
]


def test_plain_vcrpy_plays_our_cassettes(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    save(path, cassette(*COMPLETE))
    with vcr.use_cassette(str(path), record_mode="none", match_on=["method", "uri", "body"]) as played:
        for interaction in COMPLETE:
            answer = httpx.post(
                URL, content=interaction.request.body, headers=dict(interaction.request.headers)
            )
            assert (answer.status_code, answer.content) == (
                interaction.response.status,
                interaction.response.body,
            )
        with pytest.raises(CannotOverwriteExistingCassetteException):
            httpx.post(PUBLIC + "/elsewhere")
        assert played.all_played
    assert load(path) == cassette(*COMPLETE)


_PLUGIN_TEST = """
import httpx
import pytest

@pytest.mark.vcr("{path}")
@pytest.mark.block_network
def test_plays():
    answer = httpx.post("{url}", content=b"{{}}")
    assert answer.text == {body!r}
"""


def test_pytest_recording_plays_our_cassettes(pytester: pytest.Pytester) -> None:
    path = pytester.path / "c.yaml"
    save(path, cassette(*COMPLETE))
    pytester.makepyfile(_PLUGIN_TEST.format(path=path, url=URL, body=BODY.decode()))
    pytester.runpytest_inprocess("-p", "no:llm_contracts", "--record-mode=none").assert_outcomes(passed=1)


def test_what_plain_vcrpy_wrote_is_read(tmp_path: Path) -> None:
    path = tmp_path / "plain.yaml"
    with vcr.use_cassette(str(path)) as written:
        request = VcrRequest("POST", URL, b'{"a":1}', {"Accept": "*/*"})
        written.append(
            request,
            {"status": {"code": 200, "message": "OK"}, "headers": {"a": ["b"]}, "body": {"string": BODY}},
        )
    (interaction,) = load(path).interactions
    assert interaction.response == Response(status=200, reason="OK", headers=(("a", "b"),), body=BODY)
    assert interaction.request.body == b'{"a":1}'


async def _aiohttp(body: bytes) -> tuple[int, bytes]:
    async with aiohttp.ClientSession() as client, client.post(URL, data=body) as answer:
        return answer.status, await answer.read()


def _httpx(body: bytes) -> tuple[int, bytes]:
    with httpx.stream("POST", URL, content=body) as answer:
        return answer.status_code, b"".join(answer.iter_raw())


def _requests(body: bytes) -> tuple[int, bytes]:
    answer = requests.post(URL, data=body, timeout=60)
    return answer.status_code, answer.content


@pytest.mark.parametrize(
    "client",
    [_httpx, _requests, lambda body: asyncio.run(_aiohttp(body))],
    ids=["httpx", "requests", "aiohttp"],
)
def test_both_engines_give_every_client_the_same_bytes(client: object, edge: Edge) -> None:
    with play_in_process(COMPLETE) as playing:
        replay = playing.session
        inside = [client(interaction.request.body) for interaction in COMPLETE]  # type: ignore[operator]
        assert [request.body for request in replay.requests()] == [i.request.body for i in COMPLETE]
        assert {request.uri for request in replay.requests()} == {URL}
        assert replay.events_sent() is None
    with edge.replay(COMPLETE) as session:
        outside = [ask(session.origin, body=interaction.request.body) for interaction in COMPLETE]
    assert [body for _, body in inside] == outside == [i.response.body for i in COMPLETE]
    assert [status for status, _ in inside] == [i.response.status for i in COMPLETE]


def test_both_engines_write_down_the_same_request(edge: Edge) -> None:
    with play_in_process(COMPLETE) as playing:
        replay = playing.session
        httpx.post(URL, json={"a": 1}, headers={"x": "1"})
        (inside,) = replay.requests()
    with edge.replay(COMPLETE) as session:
        httpx.post(session.origin + TARGET, json={"a": 1}, headers={"x": "1"})
        (outside,) = session.requests()
    assert (inside.method, inside.uri, inside.body) == (outside.method, outside.uri, outside.body)
    assert sorted((name.lower(), value) for name, value in inside.headers) == sorted(
        (name.lower(), value) for name, value in outside.headers
    )


def test_nothing_leaves_the_process() -> None:
    with play_in_process(COMPLETE) as playing:
        replay = playing.session
        assert httpx.get("https://elsewhere.example/x").status_code == 599
        assert httpx.post("https://elsewhere.example" + TARGET).status_code == 599
        with socket.socket() as outside, pytest.raises(RuntimeError, match="Network is disabled"):
            outside.connect(("192.0.2.1", 80))
        with socket.create_server(("127.0.0.1", 0)) as local, socket.create_connection(local.getsockname()):
            pass
        replay.delivered(5)
        replay.abort()
        assert len(replay.requests()) == 2


def test_guards_that_others_set_up_are_there_again_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    def guard(connection: socket.socket, address: object) -> None: ...

    monkeypatch.setattr(socket.socket, "connect", guard)
    with play_in_process(COMPLETE):
        assert socket.socket.connect is not guard
    assert socket.socket.connect is guard


def test_a_second_replay_waits_for_the_first() -> None:
    """vcrpy patches clients for the whole process, so two at a time would mix."""
    order: list[str] = []

    def second() -> None:
        with play_in_process(COMPLETE):
            order.append("second")

    with play_in_process(COMPLETE):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.05)
        order.append("first")
    thread.join(60)
    assert order == ["first", "second"]


@pytest.mark.parametrize("end", [end for end in End if end is not End.COMPLETE])
def test_an_exchange_that_did_not_end_well_is_for_the_other_engine(end: End) -> None:
    interactions = [*COMPLETE, streamed(BODY, end=end)]
    with (
        pytest.raises(UnplayableError, match=f"POST {URL} ended as {end}: .* Use the wire engine"),
        play_in_process(interactions),
    ):
        pass


@pytest.mark.parametrize(
    ("body", "expected"),
    [("text", b"text"), (None, b""), (bytearray(b"x"), b"x"), (iter([b"a", "b"]), b"ab")],
)
def test_bodies_are_taken_in_every_form_that_clients_give_them(body: object, expected: bytes) -> None:
    request = _request(VcrRequest("POST", URL, body, {"a": b"b"}))
    assert (request.body, request.headers) == (expected, (("a", "b"),))
