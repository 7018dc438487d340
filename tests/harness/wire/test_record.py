"""The recording proxy passes everything on at once, and keeps what came and when, but no secret."""

from __future__ import annotations

import asyncio
import gc
import gzip
import http.client
import json
import socket
import threading
import time
from urllib.parse import urlsplit
from weakref import ref

import aiohttp
import pytest

from llm_contracts.wire.interaction import End, Interaction
from llm_contracts.wire.proxy.arrivals import Arrivals
from llm_contracts.wire.proxy.exchange import UnkeepableError
from llm_contracts.wire.proxy.record import RecordSession
from llm_contracts.wire.proxy.server import Edge
from llm_contracts.wire.scrub import Scrubber, find_secrets
from tests.harness.wire.exchanges import DONE, PUBLIC, TARGET, ask, asking, stream, text_event
from tests.harness.wire.upstream import Peer, Script, Upstream

KEY = "sk-very-secret-0123"
SECRETS = {"OPENAI_API_KEY": KEY}


def _record(edge: Edge, upstream: Upstream | str, timeout: float = 60) -> RecordSession:
    origin = upstream if isinstance(upstream, str) else upstream.origin
    return edge.record(upstream=origin, public=PUBLIC, scrubber=Scrubber(SECRETS), timeout=timeout)


def _only(session: RecordSession) -> Interaction:
    (interaction,) = session.interactions()
    return interaction


def _plain(peer: Peer) -> None:
    peer.head()
    peer.chunk(text_event("a"))
    peer.chunk(text_event("b") + DONE)
    peer.last_chunk()


def test_bytes_pieces_times_and_head_are_kept(edge: Edge) -> None:
    seen = threading.Event()

    def script(peer: Peer) -> None:
        kind = ("content-type", "text/event-stream")
        peer.head(headers=(kind, ("x-a", "1"), ("x-a", "2"), ("set-cookie", "c=1")))
        peer.chunk(text_event("a"))
        assert seen.wait(60)
        time.sleep(0.06)
        peer.chunk(text_event("b") + DONE)
        peer.last_chunk()

    with Upstream(script) as upstream, _record(edge, upstream) as session:
        with asking(session.origin, body=b'{"q":1}') as response:
            assert response.read1() == text_event("a")
            seen.set()
            assert response.read() == text_event("b") + DONE
            assert response.headers.get_all("x-a") == ["1", "2"]
        interaction = _only(session)
        assert session.events_sent() == 3
    assert interaction.request.uri == PUBLIC + TARGET
    assert interaction.request.body == b'{"q":1}'
    recorded = interaction.response
    assert (recorded.status, recorded.reason, recorded.end) == (200, "OK", End.COMPLETE)
    assert ("set-cookie", "scrubbed") in recorded.headers
    assert recorded.header("transfer-encoding") == ""
    assert recorded.body == text_event("a") + text_event("b") + DONE
    assert recorded.pieces is not None
    assert [piece.size for piece in recorded.pieces] == [len(text_event("a")), len(text_event("b") + DONE)]
    assert recorded.pieces[1].at_ms - recorded.pieces[0].at_ms > 50


def test_a_piece_reaches_the_client_before_the_next_one_is_sent(edge: Edge) -> None:
    """The provider waits for the client's word: a proxy that buffers would wait for ever."""
    seen = threading.Event()

    def script(peer: Peer) -> None:
        peer.head()
        peer.chunk(text_event("a"))
        assert seen.wait(60)
        peer.chunk(DONE)
        peer.last_chunk()

    with Upstream(script) as upstream, _record(edge, upstream) as session, asking(session.origin) as response:
        assert response.read1() == text_event("a")
        seen.set()
        assert response.read() == DONE


def test_the_request_reaches_the_provider_as_it_was_but_for_host_and_coding(edge: Edge) -> None:
    headers = {
        "Authorization": f"Bearer {KEY}",
        "User-Agent": "mine",
        "Accept-Encoding": "gzip, br",
        "Connection": "close",
    }
    with Upstream(_plain) as upstream, _record(edge, upstream) as session:
        ask(session.origin, target=TARGET + "?a=%20", body=b"{}", headers=headers)
        assert session.requests() == (_only(session).request,)
    head = upstream.heads[0].decode().lower()
    assert head.startswith("post /v1/chat/completions?a=%20 http/1.1\r\n")
    assert f"host: {urlsplit(upstream.origin).netloc}\r\n" in head
    assert f"authorization: bearer {KEY}\r\n" in head
    assert "accept-encoding: identity\r\n" in head
    assert head.endswith("\r\n\r\n{}")
    names = {line.partition(":")[0] for line in head.split("\r\n")[1:-2]}
    assert names == {"host", "authorization", "user-agent", "accept-encoding", "content-length"}


def test_long_headers_pass_both_ways(edge: Edge) -> None:
    long = "x" * 20_000

    def script(peer: Peer) -> None:
        peer.head(headers=(("x-back", long), ("content-length", "0")), chunked=False)

    with Upstream(script) as upstream, _record(edge, upstream) as session:
        ask(session.origin, headers={"x-there": long})
        interaction = _only(session)
    assert interaction.response.header("x-back") == long
    assert ("x-there", long) in interaction.request.headers


def test_no_secret_leaves_the_session(edge: Edge) -> None:
    def echo(peer: Peer) -> None:
        peer.head(status="401 Unauthorized", headers=(("content-type", "application/json"), ("x-echo", KEY)))
        peer.chunk(f'{{"error":{{"message":"Incorrect key {KEY[:9]}'.encode())
        peer.chunk(f'{KEY[9:]}"}}}}'.encode())
        peer.last_chunk()

    with Upstream(echo) as upstream, _record(edge, upstream) as session:
        answer = ask(session.origin, body=KEY.encode(), headers={"Authorization": f"Bearer {KEY}"})
        interaction, requests = _only(session), session.requests()
    assert KEY.encode() in answer
    assert find_secrets(repr((interaction, requests)).encode(), SECRETS) == []
    assert len(interaction.response.body) == len(answer)
    assert ("Authorization", "Bearer scrubbed") in interaction.request.headers


def _cut(peer: Peer) -> None:
    peer.head()
    peer.chunk(text_event("a"))


def _cut_at_once(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 99\r\n\r\ndata: a\n\n")


def _reset(peer: Peer) -> None:
    peer.head()
    peer.chunk(text_event("a"))
    peer.reset()


def _silent(peer: Peer) -> None:
    peer.head()
    peer.chunk(text_event("a"))
    peer.wait_for_the_end()


@pytest.mark.parametrize(
    ("script", "end", "error"),
    [
        (_cut, End.CUT, http.client.IncompleteRead),
        (_cut_at_once, End.CUT, http.client.IncompleteRead),
        (_reset, End.RESET, ConnectionResetError),
        (_silent, End.TIMEOUT, ConnectionResetError),
    ],
)
def test_a_broken_answer_is_kept_as_far_as_it_came_and_broken_for_the_client_too(
    edge: Edge, script: Script, end: End, error: type[Exception]
) -> None:
    with (
        Upstream(script) as upstream,
        _record(edge, upstream, timeout=1 if end is End.TIMEOUT else 60) as session,
    ):
        with pytest.raises(error):
            ask(session.origin)
        recorded = _only(session).response
    assert (recorded.status, recorded.end) == (200, end)
    assert recorded.body.startswith(b"data: ")
    assert sum(piece.size for piece in recorded.pieces or ()) == len(recorded.body)


def test_nobody_listening_is_a_refusal(edge: Edge) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        origin = f"http://127.0.0.1:{free.getsockname()[1]}"
    with _record(edge, origin) as session:
        with pytest.raises(ConnectionResetError):
            ask(session.origin)
        recorded = _only(session).response
    assert (recorded.status, recorded.end, recorded.body, recorded.pieces) == (0, End.REFUSED, b"", ())


@pytest.mark.parametrize(
    ("script", "end"),
    [(lambda peer: None, End.CUT), (Peer.reset, End.RESET), (Peer.wait_for_the_end, End.TIMEOUT)],
)
def test_a_provider_that_never_answers_is_kept_without_a_status(edge: Edge, script: Script, end: End) -> None:
    with (
        Upstream(script) as upstream,
        _record(edge, upstream, timeout=0.1 if end is End.TIMEOUT else 60) as session,
    ):
        with pytest.raises(ConnectionResetError):
            ask(session.origin)
        recorded = _only(session).response
    assert (recorded.status, recorded.end) == (0, end)


def test_a_client_that_leaves_is_noticed_while_the_provider_is_silent(edge: Edge) -> None:
    with Upstream(_silent) as upstream, _record(edge, upstream) as session:
        with asking(session.origin) as response:
            assert response.read1() == text_event("a")
        recorded = _only(session).response
        assert upstream.left.wait(60)
    assert (recorded.end, recorded.body) == (End.CLIENT_LEFT, text_event("a"))


def test_a_client_that_leaves_before_any_answer_is_noticed(edge: Edge) -> None:
    with Upstream(Peer.wait_for_the_end) as upstream, _record(edge, upstream) as session:
        parts = urlsplit(session.origin)
        connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        connection.request("POST", parts.path + TARGET, b"{}")
        while not upstream.heads:
            time.sleep(0.001)
        connection.close()
        recorded = _only(session).response
    assert (recorded.status, recorded.end) == (0, End.CLIENT_LEFT)


def test_a_client_that_leaves_in_a_flood_is_noticed(edge: Edge) -> None:
    def flood(peer: Peer) -> None:
        peer.head()
        try:
            for _ in range(5000):
                peer.chunk(b"x" * 20_000)
        except OSError:
            pass

    with Upstream(flood) as upstream, _record(edge, upstream) as session:
        with asking(session.origin) as response:
            response.read(100)
        assert _only(session).response.end is End.CLIENT_LEFT


def test_a_client_that_hangs_up_at_done_has_missed_nothing(edge: Edge) -> None:
    """Many clients do; only the protocol's own end was outstanding."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.chunk(stream("a"))
        time.sleep(0.1)
        peer.last_chunk()

    with Upstream(script) as upstream, _record(edge, upstream) as session:
        with asking(session.origin) as response:
            response.read(len(stream("a")))
        recorded = _only(session).response
    assert (recorded.end, recorded.body) == (End.COMPLETE, stream("a"))


def test_an_abandoned_exchange_is_given_up_when_the_recording_is_asked_for(edge: Edge) -> None:
    with (
        Upstream(_silent) as upstream,
        _record(edge, upstream) as session,
        asking(session.origin) as response,
    ):
        assert response.read1() == text_event("a")
        session.abort()
        assert _only(session).response.end is End.CLIENT_LEFT


def test_redirects_are_recorded_not_followed(edge: Edge) -> None:
    def script(peer: Peer) -> None:
        peer.head(
            status="307 Temporary Redirect",
            headers=(("location", "https://elsewhere.example/"), ("content-length", "0")),
            chunked=False,
        )

    with Upstream(script) as upstream, _record(edge, upstream) as session:
        with asking(session.origin) as response:
            assert (response.status, response.read()) == (307, b"")
            assert response.headers["location"].startswith(session.origin)
        recorded = _only(session).response
    assert (recorded.status, recorded.header("location")) == (307, "https://elsewhere.example/")


def test_a_body_of_known_length_keeps_it(edge: Edge) -> None:
    def script(peer: Peer) -> None:
        peer.head(headers=(("content-type", "application/json"), ("content-length", "2")), chunked=False)
        peer.send(b"{}")

    with Upstream(script) as upstream, _record(edge, upstream) as session, asking(session.origin) as response:
        assert (response.read(), response.headers["content-length"]) == (b"{}", "2")


def test_a_connection_that_goes_on_keeps_no_session_that_has_ended(edge: Edge) -> None:
    def script(peer: Peer) -> None:
        peer.head(headers=(("content-length", "2"),), chunked=False)
        peer.send(b"{}")

    connection, kept = http.client.HTTPConnection("127.0.0.1", edge.port, timeout=60), []
    for _ in range(2):
        with Upstream(script) as upstream, _record(edge, upstream) as session:
            connection.request("GET", f"{urlsplit(session.origin).path}/v1/models")
            connection.getresponse().read()
        kept.append(ref(session))
        del session
    deadline = time.monotonic() + 30
    while (left := any(each() for each in kept)) and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.05)
    assert connection.sock is not None  # it does go on
    connection.close()
    assert not left


def test_what_is_not_packed_as_its_header_says_passes_too(edge: Edge) -> None:
    def script(peer: Peer) -> None:
        peer.head(headers=(("content-encoding", "gzip"), ("content-length", "2")), chunked=False)
        peer.send(b"{}")

    with Upstream(script) as upstream, _record(edge, upstream) as session:
        with asking(session.origin) as response:
            assert response.read() == b"{}"
        with pytest.raises(UnkeepableError, match="is not packed as gzip"):
            session.interactions()


def test_who_keeps_connections_with_http_1_0_is_not_kept_waiting(edge: Edge) -> None:
    """Without chunks and without a length, nothing but the connection's end says that an answer is whole."""
    with Upstream(_plain) as upstream, _record(edge, upstream) as session:
        address = urlsplit(session.origin)
        with socket.create_connection((address.hostname, address.port), timeout=60) as peer:
            target = f"{address.path}{TARGET}".encode()
            peer.sendall(b"GET " + target + b" HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\r\n")
            answer = b"".join(iter(lambda: peer.recv(65536), b""))
    assert answer.partition(b"\r\n\r\n")[2] == text_event("a") + text_event("b") + DONE


def test_packed_bodies_are_passed_on_and_recorded_readable(edge: Edge) -> None:
    """A provider may pack what nobody asked it to; secrets must be found in the recording all the same."""
    packed = gzip.compress(f'{{"a":"{KEY}"}}'.encode())

    def script(peer: Peer) -> None:
        peer.head(headers=(("content-type", "application/json"), ("content-encoding", "gzip")))
        peer.chunk(packed)
        peer.last_chunk()

    with Upstream(script) as upstream, _record(edge, upstream) as session:
        with asking(session.origin) as response:
            assert (response.read(), response.headers["content-encoding"]) == (packed, "gzip")
        recorded = _only(session).response
    assert json.loads(recorded.body) == {"a": "*" * len(KEY)}
    assert recorded.header("content-encoding") == ""


def test_a_recording_replays_as_it_was(edge: Edge) -> None:
    """Recorded through the edge from the edge: what went in comes out."""
    with Upstream(_plain) as upstream, _record(edge, upstream) as session:
        first = ask(session.origin)
        recorded = session.interactions()
    with edge.replay(recorded) as replay, _record(edge, replay.origin) as second:
        assert ask(second.origin) == first
        assert _only(second).response.body == recorded[0].response.body


def test_exchanges_at_the_same_time_are_all_kept(edge: Edge) -> None:
    with Upstream(_plain) as upstream, _record(edge, upstream) as session:
        threads = [threading.Thread(target=ask, args=(session.origin,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert [i.response.end for i in session.interactions()] == [End.COMPLETE] * 8
        assert len(session.requests()) == 8


def test_a_session_outlives_its_edge_as_a_value() -> None:
    with Upstream(_plain) as upstream, Edge() as edge:
        session = _record(edge, upstream)
        ask(session.origin)
    assert len(session.interactions()) == 1
    session.close()


def test_bytes_that_came_before_the_connection_broke_are_not_lost() -> None:
    """aiohttp raises the connection's error first and forgets what it had read."""

    async def read() -> bytes:
        loop = asyncio.get_running_loop()
        content = aiohttp.StreamReader(aiohttp.base_protocol.BaseProtocol(loop), 2**16, loop=loop)
        content.feed_data(b"data: a")
        content.set_exception(aiohttp.ClientPayloadError("broken"))
        arrivals = Arrivals(content)
        first = await arrivals.next()
        with pytest.raises(aiohttp.ClientPayloadError, match="broken"):
            await arrivals.next()
        return first

    assert asyncio.run(read()) == b"data: a"
