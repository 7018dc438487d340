"""Whatever is sent to the edge's port, it answers or hangs up, says nothing in the logs, and serves on."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_contracts.wire.proxy.server import Edge
from tests.harness.wire.exchanges import ask, stream, streamed

OPEN = 0.3  # seconds for which a connection that asks for nothing may be kept waiting here
BODY = stream("Hello")


@pytest.fixture(scope="module")
def edge() -> Iterator[Edge]:
    with Edge() as opened:
        yield opened


def say(edge: Edge, *pieces: bytes, leave: bool = False) -> bytes:
    """What the edge answers to these pieces, until it hangs up or has nothing more to say."""
    answer = b""
    with socket.create_connection(("127.0.0.1", edge.port), timeout=60) as connection, suppress(OSError):
        for piece in pieces:
            connection.sendall(piece)
        if leave:
            return answer
        connection.settimeout(OPEN)
        while data := connection.recv(65536):
            answer += data
    return answer


def assert_serving(edge: Edge) -> None:
    """A client that behaves is served, and nothing of the others is left."""
    with edge.replay((streamed(BODY),)) as session:
        assert ask(session.origin) == BODY
    deadline = time.monotonic() + 60
    while edge.census() != (0, 1) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert edge.census() == (0, 1)


def request(edge: Edge, target: str, *more: bytes, body: bytes = b"") -> bytes:
    head = [f"POST {target} HTTP/1.1".encode(), f"Host: 127.0.0.1:{edge.port}".encode(), *more]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


HOSTILE: dict[str, tuple[bytes, bytes]] = {
    "nothing": (b"", b""),
    "zeros": (bytes(4096), b"400"),
    "a TLS hello": (bytes.fromhex("160301006c0100006803030000") + bytes(90), b"400"),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"4"),
    "HTTP/0.9": (b"GET /\r\n\r\n", b"404"),
    "HTTP/3": (b"GET / HTTP/3.0\r\nHost: localhost\r\n\r\n", b"4"),
    "an endless line": (b"GET /" + b"a" * 300_000, b"4"),
    "an endless header": (b"GET / HTTP/1.1\r\nX: " + b"a" * 300_000, b"4"),
    "ten thousand headers": (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10_000 + b"\r\n", b"431"),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", b"400"),
    "a foreign host": (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"421"),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", b"4"),
    "a broken host": (b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", b"4"),
    "a forward request": (b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"4"),
    "a tunnel": (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n", b"4"),
    "an asterisk": (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
    "two lengths": (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        b"400",
    ),
    "a negative length": (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", b"400"),
    "a length beyond all bounds": (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n",
        b"4",
    ),
    "a length and chunks": (
        b"GET / HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"400",
    ),
    "a folded header": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n", b"4"),
    "a name with a blank": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX : a\r\n\r\n", b"400"),
    "a websocket": (
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        b"404",
    ),
}
"""What is sent → how the status begins; empty for no answer at all."""


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_requests_are_refused_and_nothing_of_them_is_logged(
    edge: Edge, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    sent, status = HOSTILE[name]
    with caplog.at_level(logging.DEBUG, logger="aiohttp"), caplog.at_level(logging.DEBUG, "llm_contracts"):
        answer = say(edge, sent)
    assert answer.split(b" ")[1].startswith(status) if status else answer == b""
    assert b"evil.example" not in answer
    assert caplog.text == ""
    assert_serving(edge)


@pytest.mark.parametrize(
    "body",
    [
        b"x\r\nabc\r\n0\r\n\r\n",
        b"-1\r\nabc\r\n0\r\n\r\n",
        b"ffffffffffffffffffff\r\nabc",
        b"3\r\nabcdef\r\n0\r\n\r\n",
        b"3;" + b"x" * 200_000 + b"\r\nabc\r\n0\r\n\r\n",
        b"3\r\nab",
        b"0\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    ],
    ids=["no-number", "negative", "huge", "too-long", "long-extension", "cut", "trailers"],
)
def test_bad_chunks_of_a_request_end_that_request_alone(edge: Edge, body: bytes) -> None:
    with edge.replay((streamed(BODY),)) as session:
        target = urlsplit(session.origin).path + "/v1/chat/completions"
        answer = say(edge, request(edge, target, b"Transfer-Encoding: chunked", body=body))
        assert answer == b"" or answer.split(b" ")[1].startswith((b"4", b"2"))
    assert_serving(edge)


def test_requests_that_come_in_one_piece_are_answered_in_order(edge: Edge) -> None:
    first, second = streamed(stream("first")), streamed(stream("second"))
    with edge.replay((first, second)) as session:
        target = urlsplit(session.origin).path + "/v1/chat/completions"
        answer = say(edge, request(edge, target, b"Content-Length: 2", body=b"{}") * 2)
    assert 0 < answer.index(b"first") < answer.index(b"second")
    assert_serving(edge)


def test_those_who_dawdle_keep_nobody_else_waiting(edge: Edge) -> None:
    """Fifty connections that each send a byte now and then."""
    slow = [socket.create_connection(("127.0.0.1", edge.port)) for _ in range(50)]
    try:
        for byte in b"POST / HT":
            for connection in slow:
                connection.sendall(bytes((byte,)))
        with edge.replay((streamed(BODY),)) as session:
            assert ask(session.origin) == BODY
    finally:
        for connection in slow:
            connection.close()
    assert_serving(edge)


PARTS = st.sampled_from(
    [
        b"POST ",
        b"GET ",
        b"/",
        b" HTTP/1.1",
        b" HTTP/1.0",
        b"\r\n",
        b"\n",
        b"\r",
        b"\r\n\r\n",
        b"\x00",
        b"Host: localhost",
        b"Content-Length: 5",
        b"Transfer-Encoding: chunked",
        b"Expect: 100-continue",
        b"Connection: close",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b": ",
        b"\xff\xfe",
    ]
)


@given(pieces=st.lists(PARTS | st.binary(max_size=40), max_size=20))
def test_any_bytes_at_all_leave_the_edge_serving(edge: Edge, pieces: list[bytes]) -> None:
    say(edge, *pieces, leave=True)
    assert_serving(edge)
