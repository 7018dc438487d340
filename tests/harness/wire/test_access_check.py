"""The edge lets in programs that were given its address, takes so much and no more, and leads nobody away."""

from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from llm_contracts.clients.builtin import BUILTIN
from llm_contracts.clients.call import Call
from llm_contracts.clients.observe import observe
from llm_contracts.wire.interaction import Response
from llm_contracts.wire.proxy.exchange import Limits
from llm_contracts.wire.proxy.record import RecordSession
from llm_contracts.wire.proxy.server import Edge
from llm_contracts.wire.scrub import Scrubber
from tests.harness.wire.exchanges import DONE, JSON, PUBLIC, TARGET, ask, asking, exchange, stream, streamed
from tests.harness.wire.upstream import Peer, Script, Upstream

_LIMIT = 1000
KEY = "sk-very-secret-0123"


@pytest.fixture(scope="module")
def narrow_edge() -> Iterator[Edge]:
    """An edge whose limits are within easy reach."""
    with Edge(limits=Limits(request=_LIMIT, answer=_LIMIT, pieces=10)) as opened:
        yield opened


def _raw(edge: Edge, *lines: str, body: bytes = b"") -> tuple[int, dict[str, Any]]:
    """Status and document for a request that no HTTP library would send."""
    with socket.create_connection(("127.0.0.1", edge.port), timeout=60) as connection:
        connection.sendall("\r\n".join((*lines, "", "")).encode() + body)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, document = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(document)


def test_whoever_sends_a_header_twice_that_may_stand_once_is_told_which(edge: Edge) -> None:
    with edge.replay([streamed(DONE)]) as session:
        head = (f"POST {urlsplit(session.origin).path}{TARGET} HTTP/1.1", "Host: 127.0.0.1")
        status, message = _message(_raw(edge, *head, "User-Agent: one", "User-Agent: other"))
    assert status == 400
    assert "has the header User-Agent twice" in message


def _until(connection: socket.socket, end: bytes) -> bytes:
    """What comes until it ends so."""
    received = b""
    while not received.endswith(end):
        data = connection.recv(65536)
        assert data, received
        received += data
    return received


def _answer_to_trickle(connection: socket.socket, pieces: Iterable[bytes], pause: float) -> bytes:
    """What comes when pieces are sent with so many seconds between them. A busy machine may take so long for
    it that the edge has answered and hung up before the last: then the connection is reset.
    """
    received = b""
    with suppress(ConnectionError):
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)
    with suppress(ConnectionError):
        while data := connection.recv(65536):
            received += data
    return received


def _message(answer: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    status, document = answer
    return status, document["error"]["message"]


def test_the_edge_listens_on_the_loopback_alone(edge: Edge) -> None:
    sockets = psutil.Process().net_connections(kind="tcp")
    listening = [one.laddr.ip for one in sockets if one.status == "LISTEN" and one.laddr.port == edge.port]
    assert listening == ["127.0.0.1"]


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:80", "127.0.0.1.evil.example", "127.0.0.1.nip.io", "localtest.me"),
        *("[::1", "", "a, b", "localhost.", "127.1", "0x7f000001", "0.0.0.0", "[::ffff:127.0.0.1]"),
        *("evil.example@localhost", "localhost/evil.example", "localhost#.evil.example", "localhost:80:80"),
    ],
)
def test_a_foreign_host_is_refused_though_its_name_led_here(edge: Edge, host: str) -> None:
    with edge.replay([streamed(DONE)]) as session:
        path = urlsplit(session.origin).path + TARGET
        status, message = _message(_raw(edge, f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close"))
        assert status == 421
        assert "loopback" in message
        assert session.requests() == ()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:{port}", "LOCALHOST", "[::1]:{port}"])
def test_names_of_this_machine_are_let_in(edge: Edge, host: str) -> None:
    with edge.replay([exchange(Response(status=200, headers=JSON, body=b"{}"), method="GET")]) as session:
        path = urlsplit(session.origin).path + TARGET
        host = host.format(port=edge.port)
        assert _raw(edge, f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close") == (200, {})


@pytest.mark.parametrize(
    "sign",
    [
        *("Origin: https://evil.example", "Origin: null", "Origin: http://127.0.0.1.evil.example", "Origin:"),
        *("Origin: http://[::1", "Origin: http://evil@localhost", "Origin: chrome-extension://localhost"),
        *("Origin: http://localhost, https://evil.example", "Sec-Fetch-Site: cross-site"),
    ],
)
def test_a_web_page_of_another_site_is_refused(edge: Edge, sign: str) -> None:
    """A browser sends it on behalf of whatever page is open; a simple POST needs no leave beforehand."""
    with edge.replay([streamed(DONE)]) as session:
        line = f"POST {urlsplit(session.origin).path}{TARGET} HTTP/1.1"
        headers = ("Host: 127.0.0.1", sign, "Content-Length: 2", "Connection: close")
        status, message = _message(_raw(edge, line, *headers, body=b"{}"))
        assert status == 403
        assert "web page of another site" in message
        assert session.requests() == ()


@pytest.mark.parametrize(
    "sign",
    [
        *("Origin: http://localhost:3000", "Origin: http://127.0.0.1", "Origin: http://[::1]:80"),
        *("Origin: https://app.example\r\nSec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"),
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate",
    ],
)
def test_pages_of_this_machine_and_named_ones_are_let_in(sign: str) -> None:
    answer = exchange(Response(status=200, headers=JSON, body=b"{}"), method="GET")
    with Edge(origins={"https://app.example"}) as edge, edge.replay([answer]) as session:
        line = f"GET {urlsplit(session.origin).path}{TARGET} HTTP/1.1"
        assert _raw(edge, line, "Host: 127.0.0.1", sign, "Connection: close") == (200, {})


@pytest.mark.parametrize("after_a_request", [False, True])
def test_headers_that_trickle_in_are_not_waited_for_for_ever(after_a_request: bool) -> None:
    answer = exchange(Response(status=200, headers=JSON, body=b"{}"), method="GET")
    with Edge(limits=Limits(head_within=0.4)) as edge, edge.replay([answer]) as session:
        whole = f"GET {urlsplit(session.origin).path}{TARGET} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        with socket.create_connection(("127.0.0.1", edge.port), timeout=60) as connection:
            if after_a_request:
                connection.sendall(whole.encode())
                assert _until(connection, b"{}").startswith(b"HTTP/1.1 200 ")
            rest = _answer_to_trickle(connection, (b"GET / HTTP/1.1\r\n", b"x-slow: a", b"b"), 0.1)
    assert rest.startswith(b"HTTP/1.1 408 ")


def test_a_slow_body_and_an_idle_connection_are_left_alone() -> None:
    """The limit is for heads: a body has one of its own, and a client may keep a connection for later."""
    answer = exchange(Response(status=200, headers=JSON, body=b"{}"), body=b"{}")
    with Edge(limits=Limits(head_within=0.2)) as edge, edge.replay([answer]) as session:
        line = f"POST {urlsplit(session.origin).path}{TARGET} HTTP/1.1"
        head = f"{line}\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n"
        with socket.create_connection(("127.0.0.1", edge.port), timeout=60) as connection:
            for _ in range(2):
                connection.sendall(head.encode() + b"{")
                time.sleep(0.4)
                connection.sendall(b"}")
                assert b" 408 " not in _until(connection, b"}")
                time.sleep(0.4)


def test_a_body_that_trickles_in_is_not_waited_for_for_ever() -> None:
    """However many bytes are announced and however steadily they come; a large one gets longer."""
    answer = exchange(Response(status=200, headers=JSON, body=b"{}"), body=b"{}")
    with Edge(limits=Limits(body_within=0.3)) as edge, edge.replay([answer]) as session:
        line = f"POST {urlsplit(session.origin).path}{TARGET} HTTP/1.1"
        for framing, piece in (("Content-Length: 9999", b" "), ("Transfer-Encoding: chunked", b"1\r\n \r\n")):
            with socket.create_connection(("127.0.0.1", edge.port), timeout=60) as connection:
                connection.sendall(f"{line}\r\nHost: 127.0.0.1\r\n{framing}\r\n\r\n".encode())
                answer_bytes = _answer_to_trickle(connection, [piece] * 5, 0.05)
                assert answer_bytes.startswith(b"HTTP/1.1 408 ")
        assert session.requests() == ()


@pytest.mark.parametrize(
    "line", ["GET http://evil.example/ HTTP/1.1", "GET {origin}/v1/models HTTP/1.1", "OPTIONS * HTTP/1.1"]
)
def test_who_takes_the_edge_for_a_forward_proxy_is_told(edge: Edge, line: str) -> None:
    with edge.replay([streamed(DONE)]) as session:
        line = line.format(origin=session.origin)
        status, message = _message(_raw(edge, line, "Host: 127.0.0.1", "Connection: close"))
    assert status == 400
    assert "base URL" in message


def test_a_tunnel_is_not_dug(edge: Edge) -> None:
    status, _ = _raw(edge, "CONNECT evil.example:443 HTTP/1.1", "Host: 127.0.0.1", "Connection: close")
    assert status == 400


@pytest.mark.parametrize(
    "lines",
    [
        [f"GET /{'x' * 70_000} HTTP/1.1", "Host: 127.0.0.1"],
        ["GET / HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {KEY}{'x' * 70_000}"],
        ["GET / HTTP/1.1", "Host: 127.0.0.1", *(f"x-{index}: {KEY}" for index in range(200))],
    ],
)
def test_heads_are_limited(edge: Edge, lines: list[str], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        status, message = _message(_raw(edge, *lines, "Connection: close"))
    assert status == 431
    assert "65536 bytes" in message
    assert KEY not in caplog.text


def test_nonsense_is_answered_and_reaches_no_log(edge: Edge, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        status, message = _message(_raw(edge, "GET / HTTP/1.1", f"bad header {KEY}", "Connection: close"))
    assert status == 400
    assert KEY not in message + caplog.text


_CHUNKED = "Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        (f"Content-Length: 4\r\n{_CHUNKED}", "0\r\n\r\n"),
        *((f"Content-Length: {size}", "{}") for size in ("2, 40", "+2", "-2", "2 0", "0x2", "0_2")),
        ("Content-Length: 2\r\nContent-Length: 40", "{}"),
        ("Content-Length : 2", "{}"),
        *((f"{name}chunked", "0\r\n\r\n") for name in ("Transfer-Encoding:\x0b", "Transfer-Encoding : ")),
        *(
            (f"Transfer-Encoding: {name}", "0\r\n\r\n")
            for name in ("xchunked", "chunked, identity", "chun\0ked")
        ),
        (f"{_CHUNKED}\r\nTransfer-Encoding: identity", "0\r\n\r\n"),
        *((f"X: a{between}{_CHUNKED}", "0\r\n\r\n") for between in ("\r\n ", "\n", "\r")),
        *((_CHUNKED, f"{size}\r\n\r\n") for size in ("-1", "+0", "0x0", "0_0", "f" * 40)),
        *((_CHUNKED, body) for body in ("2\n{}\n0\n\n", "2;a=\n\r\n{}\r\n0\r\n\r\n", "2\r\n{}xx0\r\n\r\n")),
        ("Host: evil.example\r\nContent-Length: 0", ""),
    ],
)
def test_no_request_is_smuggled_within_another(edge: Edge, framing: str, body: str) -> None:
    """Where two readers could disagree about its end, neither it nor what follows is let in."""
    with edge.replay([streamed(DONE)]) as session:
        path = urlsplit(session.origin).path
        head = (f"POST {path}{TARGET} HTTP/1.1", "Host: 127.0.0.1", framing)
        hidden = f"{body}GET {path}/smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        status, message = _message(_raw(edge, *head, body=hidden.encode()))
        assert (status, session.requests()) == (400, ())
    assert "not an HTTP request" in message


def test_two_requests_in_one_packet_are_two(edge: Edge) -> None:
    answers = [exchange(Response(status=200, headers=JSON, body=b"{}"), body=b"{}")] * 2
    with edge.replay(answers) as session:
        head = (f"POST {urlsplit(session.origin).path}{TARGET} HTTP/1.1", "Host: 127.0.0.1")
        last = "\r\n".join((*head, _CHUNKED, "Connection: close", "", "2\r\n{}\r\n0\r\n\r\n"))
        with socket.create_connection(("127.0.0.1", edge.port), timeout=60) as connection:
            connection.sendall("\r\n".join((*head, "Content-Length: 2", "", f"{{}}{last}")).encode())
            assert b"".join(iter(lambda: connection.recv(65536), b"")).count(b" 200 OK") == 2
        assert [request.body for request in session.requests()] == [b"{}", b"{}"]


def _session(edge: Edge, upstream: Upstream) -> RecordSession:
    return edge.record(upstream=upstream.origin, public=PUBLIC, scrubber=Scrubber({}))


def _never(_peer: Peer) -> None:
    raise AssertionError("nobody may be called")


@pytest.mark.parametrize("announced", [True, False])
def test_a_request_beyond_the_limit_is_refused_and_not_passed_on(
    narrow_edge: Edge, *, announced: bool
) -> None:
    with Upstream(_never) as upstream, _session(narrow_edge, upstream) as session:
        length, body = f"Content-Length: {_LIMIT + 1}", b"x" * (_LIMIT + 1)
        if not announced:
            length, body = "Transfer-Encoding: chunked", b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        path = urlsplit(session.origin).path + TARGET
        status, message = _message(
            _raw(narrow_edge, f"POST {path} HTTP/1.1", "Host: localhost", length, body=body)
        )
        assert (status, session.interactions()) == (413, ())
    assert "more than 1000 bytes" in message


def test_a_request_of_just_the_limit_is_passed_on(narrow_edge: Edge) -> None:
    def script(peer: Peer) -> None:
        peer.head(headers=(("content-length", "0"),), chunked=False)

    with Upstream(script) as upstream, _session(narrow_edge, upstream) as session:
        ask(session.origin, body=b"x" * _LIMIT)
        assert len(session.interactions()[0].request.body) == _LIMIT


def _redirect(location: str) -> Response:
    return Response(
        status=307, reason="Temporary Redirect", headers=(("location", location), ("content-length", "0"))
    )


def _script_of(answers: list[Response]) -> Script:
    """A provider that gives these answers, one a connection."""

    def script(peer: Peer) -> None:
        response = answers.pop(0)
        headers = (*response.headers, ("connection", "close"))
        peer.head(status=f"{response.status} {response.reason}", headers=headers, chunked=False)
        peer.send(response.body)

    return script


_ANSWER = Response(
    status=200, reason="OK", headers=(("content-type", "text/event-stream"),), body=stream("there")
)


def _call(client: str, session: Any, base_url: str) -> tuple[str, str | None]:
    """The text and the failure that a bare client sees."""
    call = Call(
        base_url=base_url + "/v1",
        api_key=KEY,
        provider="openai",
        model="gpt-4o-mini",
        messages=({"role": "user", "content": "hello"},),
    )
    seen = observe(BUILTIN[client], call, name=client, session=session, timeout=30, skip_pauses=True)
    return "".join(chunk.text for chunk in seen.chunks), seen.failure.message if seen.failure else None


@pytest.mark.parametrize("client", ["openai", "litellm"])
@pytest.mark.parametrize("location", ["/v2/chat", "{upstream}/v2/chat", PUBLIC + "/v2/chat"])
def test_a_redirect_to_the_provider_itself_is_followed_through_the_edge(
    edge: Edge, client: str, location: str
) -> None:
    """While recording, and from the recording: nobody is met but the edge."""
    answers: list[Response] = []  # filled below, where the provider's address is known
    with Upstream(_script_of(answers)) as upstream:
        answers += [_redirect(location.format(upstream=upstream.origin)), _ANSWER]
        with _session(edge, upstream) as session:
            assert _call(client, session, session.origin) == ("there", None)
            interactions = session.interactions()
    assert [urlsplit(one.request.uri).path for one in interactions] == ["/v1/chat/completions", "/v2/chat"]
    assert interactions[0].response.header("location") == location.format(upstream=PUBLIC)
    with edge.replay(interactions) as replay:
        assert _call(client, replay, replay.origin) == ("there", None)
        assert [request.uri for request in replay.requests()] == [one.request.uri for one in interactions]


@pytest.mark.parametrize("client", ["openai", "litellm"])
def test_a_redirect_to_somebody_else_ends_at_the_edge(edge: Edge, client: str) -> None:
    """The key stays here, the recording says what the provider said, and the requests show who followed."""

    def elsewhere(peer: Peer) -> None:
        raise AssertionError("the client was led away")

    with (
        Upstream(elsewhere) as other,
        Upstream(_script_of([_redirect(other.origin + "/take?it=1")])) as upstream,
    ):
        with _session(edge, upstream) as session:
            recorded = _call(client, session, session.origin)
            (interaction,) = session.interactions()
            requests = session.requests()
        with edge.replay([interaction]) as replay:
            replayed = _call(client, replay, replay.origin)
        assert other.heads == []
    assert interaction.response.header("location") == other.origin + "/take?it=1"
    assert [request.uri for request in requests] == [PUBLIC + TARGET, other.origin + "/take?it=1"]
    assert replayed == recorded
    assert f"redirected to {other.origin}/take?it=1" in str(recorded[1])


def test_a_redirect_that_is_no_address_leads_nowhere(edge: Edge) -> None:
    recorded = exchange(_redirect("http://[bad/"))
    with edge.replay([recorded]) as session, asking(session.origin) as response:
        assert response.headers["location"].startswith(session.origin + "/.elsewhere/")


def test_a_request_that_only_looks_redirected_is_no_exchange(edge: Edge) -> None:
    with edge.replay([streamed(DONE)]) as session:
        with asking(session.origin, target="/.elsewhere/https%3A%2F%2Fevil.example%2F") as response:
            assert response.status == 421
        (request,) = session.requests()
    assert request.uri == "https://evil.example/"
