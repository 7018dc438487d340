"""What was recorded comes over a real socket as it was recorded: head, bytes, pieces and end."""

from __future__ import annotations

import gc
import gzip
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from llm_contracts.wire.interaction import End, Interaction, Piece, Response
from llm_contracts.wire.proxy.network import EdgeError
from llm_contracts.wire.proxy.playback_options import PlaybackOptions
from llm_contracts.wire.proxy.server import Edge
from llm_contracts.wire.proxy.session import Session
from tests.harness.meanwhile import meanwhile
from tests.harness.wire.exchanges import (
    JSON,
    PUBLIC,
    TARGET,
    ask,
    asking,
    exchange,
    stream,
    streamed,
    text_event,
)

BODY = stream("a", "b", "c")
_MANY = 50


def test_a_stream_comes_back_byte_for_byte_with_its_head(edge: Edge) -> None:
    headers = (("Content-Type", "text/event-stream"), ("x-kept", "1"), ("x-kept", "2"), ("retry-after", "3"))
    recorded = exchange(Response(status=200, reason="Fine", headers=headers, body=BODY))
    with edge.replay([recorded]) as session, asking(session.origin) as response:
        assert (response.status, response.reason, response.read()) == (200, "Fine", BODY)
        assert response.headers.get_all("x-kept") == ["1", "2"]
        assert response.headers["retry-after"] == "3"
        assert response.headers["transfer-encoding"] == "chunked"
        assert session.events_sent() == 5


def test_connections_are_counted_while_others_are_made(edge: Edge) -> None:
    recorded = exchange(Response(status=200, headers=JSON, body=b"{}"))
    with ExitStack() as stack:
        session = stack.enter_context(edge.replay([recorded]))
        for _ in range(_MANY):
            stack.enter_context(asking(session.origin)).read()

        def ask_once_more(_: int) -> None:
            with asking(session.origin) as response:
                response.read()

        with meanwhile(ask_once_more):
            for _ in range(10_000):
                session.connections_open()


def test_a_document_comes_back_with_its_length(edge: Edge) -> None:
    recorded = exchange(Response(status=429, reason="Too Many Requests", headers=JSON, body=b'{"error":1}'))
    with edge.replay([recorded]) as session, asking(session.origin) as response:
        assert (response.status, response.read(), response.headers["content-length"]) == (
            429,
            b'{"error":1}',
            "11",
        )
        assert response.headers["transfer-encoding"] is None


def test_framing_and_codings_of_the_recording_are_not_repeated(edge: Edge) -> None:
    headers = (
        *JSON,
        ("content-encoding", "gzip"),
        ("content-length", "5"),
        ("connection", "close"),
        ("transfer-encoding", "chunked"),
    )
    recorded = exchange(Response(status=200, headers=headers, body=gzip.compress(b'{"a":1}')))
    with edge.replay([recorded]) as session:
        answer = httpx.post(session.origin + TARGET, content=b"{}")
    assert answer.json() == {"a": 1}
    assert "content-encoding" not in answer.headers
    assert answer.headers["content-length"] == "7"


def test_requests_are_kept_as_they_would_have_reached_the_provider(edge: Edge) -> None:
    big = b"x" * 3_000_000
    with edge.replay([streamed(BODY)]) as session:
        ask(
            session.origin,
            target=TARGET + "?a=%20b",
            body=big,
            headers={"X-Mine": "你".encode().decode("latin-1"), "Connection": "close, x-hop", "X-Hop": "1"},
        )
        (request,) = session.requests()
    assert (request.method, request.uri, request.body) == ("POST", f"{PUBLIC}{TARGET}?a=%20b", big)
    assert ("Host", "api.openai.com") in request.headers
    assert ("X-Mine", "你") in request.headers
    assert {name.lower() for name, _ in request.headers} == {
        "host",
        "accept-encoding",
        "content-length",
        "x-mine",
    }


def test_header_bytes_that_are_no_utf_8_are_read_as_latin_1(edge: Edge) -> None:
    with edge.replay([streamed(BODY)]) as session:
        ask(session.origin, headers={"x-mine": "\xe9"})
        assert ("x-mine", "é") in session.requests()[0].headers


def test_pieces_go_out_one_by_one(edge: Edge) -> None:
    pieces = (Piece(size=10, at_ms=0), Piece(size=0, at_ms=1), Piece(size=len(BODY) - 10, at_ms=9))
    with edge.replay([streamed(BODY, pieces=pieces)]) as session, _raw(session) as received:
        assert b"\r\na\r\n" + BODY[:10] + b"\r\n" in received


@contextmanager
def _raw(session: Session, version: str = "1.1") -> Iterator[bytes]:
    parts = urlsplit(session.origin)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=60) as connection:
        head = f"POST {parts.path}{TARGET} HTTP/{version}\r\nHost: localhost\r\nConnection: close\r\n"
        connection.sendall(f"{head}Content-Length: 0\r\n\r\n".encode())
        yield b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_client_of_http_1_0_gets_the_stream_unframed(edge: Edge) -> None:
    with edge.replay([streamed(BODY)]) as session, _raw(session, "1.0") as received:
        assert received.endswith(b"\r\n\r\n" + BODY)


def _read(origin: str) -> bytes:
    with asking(origin) as response:
        return response.read()


@pytest.mark.parametrize("lockstep", [False, True])
def test_a_cut_is_a_body_without_its_end(edge: Edge, *, lockstep: bool) -> None:
    recorded = streamed(text_event("a") + b"data: {", end=End.CUT)
    with edge.replay([recorded], PlaybackOptions(lockstep=lockstep, patience=0.01)) as session:
        with pytest.raises(http.client.IncompleteRead) as caught:
            _read(session.origin)
        assert caught.value.partial == recorded.response.body
        assert session.events_sent() == 2


def test_a_cut_document_is_no_complete_document(edge: Edge) -> None:
    recorded = exchange(Response(status=200, headers=JSON, body=b'{"a":', end=End.CUT))
    with edge.replay([recorded]) as session, pytest.raises(http.client.IncompleteRead):
        _read(session.origin)


def test_a_reset_is_a_reset(edge: Edge) -> None:
    with (
        edge.replay([streamed(text_event("a"), end=End.RESET)]) as session,
        asking(session.origin) as response,
    ):
        assert response.read1() == text_event("a")
        with pytest.raises(ConnectionResetError):
            response.read1()


@pytest.mark.parametrize("end", [End.REFUSED, End.RESET])
def test_a_refused_connection_gives_no_answer(edge: Edge, end: End) -> None:
    recorded = exchange(Response(status=0, end=end))
    with edge.replay([recorded]) as session, pytest.raises(ConnectionResetError):
        _read(session.origin)


def test_a_provider_that_hangs_up_before_answering_does_so_again(edge: Edge) -> None:
    recorded = exchange(Response(status=0, end=End.CUT))
    with edge.replay([recorded]) as session, pytest.raises(http.client.RemoteDisconnected):
        _read(session.origin)


@pytest.mark.parametrize("end", [End.TIMEOUT, End.CLIENT_LEFT])
def test_silence_is_silence_until_the_client_gives_up(edge: Edge, end: End) -> None:
    with edge.replay([streamed(text_event("a"), end=end)]) as session:
        parts = urlsplit(session.origin)
        connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        connection.request("POST", parts.path + TARGET, b"{}")
        response = connection.getresponse()
        assert response.read1() == text_event("a")
        connection.sock.settimeout(0.1)
        with pytest.raises(TimeoutError):
            response.read1()
        response.close()
        connection.close()


def test_silence_ends_after_its_time(edge: Edge) -> None:
    with edge.replay([streamed(b"", end=End.TIMEOUT)], PlaybackOptions(silence=0.05)) as session:
        begun = time.monotonic()
        with pytest.raises(ConnectionResetError):  # and no TimeoutError of the client
            _read(session.origin)
        assert time.monotonic() - begun > 0.04


def test_abort_drops_what_is_open(edge: Edge) -> None:
    with (
        edge.replay([streamed(text_event("a"), end=End.TIMEOUT)]) as session,
        asking(session.origin) as response,
    ):
        assert response.read1() == text_event("a")
        session.abort()
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            response.read()


def test_a_client_that_leaves_early_disturbs_nobody(edge: Edge) -> None:
    """pytest turns what a server thread would only log into a failure."""
    body = stream(*("x" * 50_000 for _ in range(100)))
    with edge.replay([streamed(body)]) as session:
        with asking(session.origin) as response:
            response.read(10)
        assert ask(session.origin) == body
    gc.collect()


def test_an_unknown_address_is_told_so(edge: Edge) -> None:
    with edge.replay([streamed(BODY)]) as session:
        pass
    for origin in (session.origin, session.origin.rpartition("/")[0] + "/nobody"):
        with asking(origin) as response:
            assert (response.status, "address" in json.load(response)["error"]["message"]) == (404, True)


def test_a_place_that_was_not_recorded_is_answered_with_599(edge: Edge) -> None:
    with edge.replay([streamed(BODY)]) as session, asking(session.origin, target="/nowhere") as response:
        assert (response.status, json.load(response)["differs"]) == (599, ["path"])
    with edge.replay([]) as session, asking(session.origin) as response:
        assert response.status == 599


def test_sessions_at_the_same_time_never_mix(edge: Edge) -> None:
    def run(number: int) -> tuple[bytes, int]:
        recorded = [streamed(stream(f"{number}.{n}"), end=End.COMPLETE) for n in range(5)]
        with edge.replay(recorded, PlaybackOptions(lockstep=number % 2 == 0, patience=0.01)) as session:
            return b"".join(ask(session.origin) for _ in recorded), len(session.requests())

    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(run, range(20)))
    assert results == [(b"".join(stream(f"{number}.{n}") for n in range(5)), 5) for number in range(20)]


def _positions(session: Session, chars: list[int], expected: list[int]) -> list[int]:
    """Read as a client does that hands on so many characters at each event: where is the edge then?

    It gets the time to come as far as is expected, and a moment to go too far.
    """
    positions = []
    with asking(session.origin) as response:
        for total, position in zip(chars, expected, strict=True):
            while not response.readline().startswith(b"data"):
                pass
            deadline = time.monotonic() + 60
            while session.events_sent() < position and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(0.005)
            positions.append(session.events_sent())
            session.delivered(total)
        response.read()
    return positions


def test_in_lockstep_the_edge_is_never_ahead_of_the_consumer(edge: Edge) -> None:
    with edge.replay(
        [streamed(stream("a", "bc", "", "d"))], PlaybackOptions(lockstep=True, patience=60)
    ) as session:
        assert _positions(session, [1, 3, 3, 4], [1, 2, 4, 4]) == [1, 2, 4, 4]


def test_without_lockstep_the_edge_runs_ahead(edge: Edge) -> None:
    with edge.replay([streamed(BODY)]) as session, asking(session.origin) as response:
        assert response.readline().startswith(b"data")
        deadline = time.monotonic() + 60
        while session.events_sent() < 5 and time.monotonic() < deadline:
            time.sleep(0.001)
        assert session.events_sent() == 5


def test_a_second_exchange_starts_from_what_was_delivered_before(edge: Edge) -> None:
    recorded = [streamed(stream("a", "b")), streamed(stream("c", "d"))]
    with edge.replay(recorded, PlaybackOptions(lockstep=True, patience=60)) as session:
        assert _positions(session, [1, 2], [1, 2]) == [1, 2]
        assert _positions(session, [3, 4], [1, 2]) == [1, 2]


def test_a_client_that_looks_ahead_by_one_event_is_waited_for_in_vain_only_once(edge: Edge) -> None:
    """From then on it is known to lag by one, and its positions are as reproducible as anybody's."""
    expected = [2, 2, 3, 4, 5, 6]  # the first is waited for in vain: only then the second is sent
    with edge.replay([streamed(stream(*"abcdef"))], PlaybackOptions(lockstep=True, patience=1)) as session:
        assert _positions(session, [0, 1, 2, 3, 4, 5], expected) == expected


def test_a_client_that_buffers_is_given_up_after_two_waits(edge: Edge) -> None:
    body = stream(*"a" * 1000)
    begun = time.monotonic()
    with edge.replay([streamed(body)], PlaybackOptions(lockstep=True, patience=0.1)) as session:
        assert ask(session.origin) == body
        assert session.events_sent() == 1002
    assert 0.2 <= time.monotonic() - begun < 60  # and not 100 seconds: a wait after each event


def test_a_document_needs_no_lockstep(edge: Edge) -> None:
    with edge.replay(
        [exchange(Response(status=200, headers=JSON, body=b"{}"))], PlaybackOptions(lockstep=True)
    ) as session:
        assert ask(session.origin) == b"{}"


def test_what_is_delivered_or_aborted_after_the_edge_has_closed_changes_nothing() -> None:
    with Edge() as opened:
        session = opened.replay([streamed(BODY)], PlaybackOptions(lockstep=True, patience=0.01))
        assert ask(session.origin) == BODY
    seen = session.requests(), session.events_sent(), session.exchanges_open()
    session.delivered(10_000)
    session.abort()
    assert (session.requests(), session.events_sent(), session.exchanges_open()) == seen


def test_open_sessions_end_with_the_edge() -> None:
    interactions: list[Interaction] = [streamed(text_event("a"), end=End.TIMEOUT)]
    failures: list[BaseException] = []

    def read(origin: str) -> None:
        try:
            _read(origin)
        except OSError as error:
            failures.append(error)
        except http.client.HTTPException as error:
            failures.append(error)

    with Edge() as opened:
        session = opened.replay(interactions)
        reader = threading.Thread(target=read, args=(session.origin,))
        reader.start()
        while not session.requests():
            time.sleep(0.001)
    reader.join(60)
    assert len(failures) == 1


def test_a_port_in_use_is_named_with_the_way_out() -> None:
    with (
        Edge() as first,
        pytest.raises(EdgeError, match=rf"port {first.port} on 127\.0\.0\.1 .*Choose another one, or 0"),
        Edge(first.port),
    ):
        pass


def test_a_port_that_cannot_exist_is_named_too() -> None:
    with pytest.raises(EdgeError, match=r"port 99999 on 127\.0\.0\.1 cannot be opened"), Edge(99999):
        pass


def test_only_the_loopback_is_listened_on(edge: Edge) -> None:
    with edge.replay([streamed(BODY)]) as session:
        assert urlsplit(session.origin).hostname == "127.0.0.1"


def test_bytes_after_the_last_event_are_sent_too(edge: Edge) -> None:
    body = stream("a") + b": bye\n"
    with edge.replay([streamed(body)], PlaybackOptions(lockstep=True, patience=0.01)) as session:
        assert ask(session.origin) == body
        assert session.events_sent() == 3
