"""Whatever HTTP does with bodies and connections: client and recording get the same bytes."""

from __future__ import annotations

import gzip
import http.client
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from llm_contracts.wire.content import UnpackingError, unpacker
from llm_contracts.wire.interaction import End, Interaction
from llm_contracts.wire.proxy.exchange import Limits, UnkeepableError
from llm_contracts.wire.proxy.record import RecordSession
from llm_contracts.wire.proxy.server import Edge
from llm_contracts.wire.scrub import Scrubber
from tests.harness.wire.exchanges import DONE, JSON, PUBLIC, TARGET, ask, asking, text_event
from tests.harness.wire.upstream import Peer, Upstream

_MIB = 2**20
_FLOOD = 1600  # times 64 KiB
_EVENTS = (text_event("a"), text_event("你好"), DONE)
_RAW_DEFLATE = -zlib.MAX_WBITS


@pytest.fixture(scope="module")
def narrow_edge() -> Iterator[Edge]:
    """An edge that keeps little."""
    with Edge(limits=Limits(answer=100_000, pieces=50)) as opened:
        yield opened


def _record(edge: Edge, upstream: Upstream) -> RecordSession:
    return edge.record(upstream=upstream.origin, public=PUBLIC, scrubber=Scrubber({}))


def _only(session: RecordSession) -> Interaction:
    (interaction,) = session.interactions()
    return interaction


def _sizes(interaction: Interaction) -> list[int]:
    return [piece.size for piece in interaction.response.pieces or ()]


def test_chunks_that_arrive_together_stay_apart(edge: Edge) -> None:
    """To the client and in the recording: nothing else says where the provider's writes ended."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(b"".join(b"%x\r\n%s\r\n" % (len(data), data) for data in _EVENTS) + b"0\r\n\r\n")

    with Upstream(script) as upstream, _record(edge, upstream) as session:
        parts = urlsplit(session.origin)
        with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=60) as connection:
            head = f"POST {parts.path}{TARGET} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            connection.sendall(head.encode())
            received = b"".join(iter(lambda: connection.recv(65536), b""))
        assert _sizes(_only(session)) == [len(data) for data in _EVENTS]
    framed = received.partition(b"\r\n\r\n")[2]
    assert framed == b"".join(b"%x\r\n%s\r\n" % (len(data), data) for data in _EVENTS) + b"0\r\n\r\n"


def test_the_first_part_of_a_chunk_is_not_held_back(edge: Edge) -> None:
    seen = threading.Event()

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(b"%x\r\n%s" % (len(_EVENTS[0]), _EVENTS[0][:5]))
        assert seen.wait(60)
        peer.send(_EVENTS[0][5:] + b"\r\n0\r\n\r\n")

    with Upstream(script) as upstream, _record(edge, upstream) as session:
        with asking(session.origin) as response:
            assert response.read1() == _EVENTS[0][:5]
            seen.set()
            assert response.read() == _EVENTS[0][5:]
        assert _sizes(_only(session)) == [5, len(_EVENTS[0]) - 5]


@pytest.mark.parametrize("length", [True, False])
def test_a_body_without_chunks_is_passed_on_and_ended_like_the_provider_s(
    edge: Edge, *, length: bool
) -> None:
    body = b"".join(_EVENTS)

    def script(peer: Peer) -> None:
        named = (("content-length", str(len(body))),) if length else ()
        peer.head(headers=(("content-type", "text/event-stream"), *named), chunked=False)
        for data in _EVENTS:
            peer.send(data)
            time.sleep(0.01)

    with Upstream(script) as upstream, _record(edge, upstream) as session:
        with asking(session.origin) as response:
            assert response.read() == body
            assert response.headers["content-length"] == (str(len(body)) if length else None)
            assert response.headers["transfer-encoding"] is None
        assert (_only(session).response.body, _only(session).response.end) == (body, End.COMPLETE)


def _gzip() -> Callable[[bytes], bytes]:
    return _flushing(zlib.compressobj(wbits=16 + zlib.MAX_WBITS))


def _zlib() -> Callable[[bytes], bytes]:
    return _flushing(zlib.compressobj())


def _raw_deflate() -> Callable[[bytes], bytes]:
    return _flushing(zlib.compressobj(wbits=_RAW_DEFLATE))


def _flushing(packer: zlib._Compress) -> Callable[[bytes], bytes]:
    return lambda data: packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)


@pytest.mark.parametrize(
    ("coding", "packer"), [("gzip", _gzip), ("X-GZIP", _gzip), ("deflate", _zlib), ("deflate", _raw_deflate)]
)
def test_a_packed_stream_is_passed_on_as_it_is_and_its_copy_unpacked(
    edge: Edge, coding: str, packer: Callable[[], Callable[[bytes], bytes]]
) -> None:
    """Each event is with the client before the next is sent, and the recording knows when each came."""
    seen = [threading.Event() for _ in _EVENTS]
    unpack = unpacker(coding)
    assert unpack is not None

    def script(peer: Peer) -> None:
        peer.head(headers=(("content-type", "text/event-stream"), ("content-encoding", coding)))
        pack = packer()
        for event, reached in zip(_EVENTS, seen, strict=True):
            peer.chunk(pack(event))
            assert reached.wait(60)
        peer.last_chunk()

    with Upstream(script) as upstream, _record(edge, upstream) as session:
        with asking(session.origin) as response:
            assert response.headers["content-encoding"] == coding
            for event, reached in zip(_EVENTS, seen, strict=True):
                assert b"".join(unpack(response.read1())) == event
                reached.set()
            assert response.read() == b""
        interaction = _only(session)
    assert interaction.response.body == b"".join(_EVENTS)
    assert _sizes(interaction) == [len(event) for event in _EVENTS]
    assert interaction.response.header("content-encoding") == ""


def test_a_packed_stream_that_is_cut_is_kept_as_far_as_it_came(edge: Edge) -> None:
    packed = gzip.compress(b"".join(_EVENTS) * 50, compresslevel=0)

    def script(peer: Peer) -> None:
        peer.head(headers=(("content-type", "text/event-stream"), ("content-encoding", "gzip")))
        peer.chunk(packed[: len(packed) // 2])

    with Upstream(script) as upstream, _record(edge, upstream) as session:
        with pytest.raises(http.client.IncompleteRead):
            ask(session.origin)
        recorded = _only(session).response
    assert recorded.end is End.CUT
    assert (b"".join(_EVENTS) * 50).startswith(recorded.body)
    assert recorded.body.startswith(_EVENTS[0])


def _answer(coding: str, body: bytes) -> Callable[[Peer], None]:
    def script(peer: Peer) -> None:
        headers = (*JSON, ("content-encoding", coding), ("content-length", str(len(body))))
        peer.head(headers=headers, chunked=False)
        peer.send(body)

    return script


def test_a_coding_that_nobody_here_can_unpack_is_passed_on_but_never_kept(edge: Edge) -> None:
    """A secret in it could not be found."""
    with Upstream(_answer("compress", b"\x1f\x9d\x90x")) as upstream, _record(edge, upstream) as session:
        with asking(session.origin) as response:
            assert response.read() == b"\x1f\x9d\x90x"
            assert response.headers["content-encoding"] == "compress"
        with pytest.raises(UnkeepableError, match=r"POST https://api\.openai\.com/.* packed as 'compress'"):
            session.interactions()


def test_a_coding_that_only_the_header_claims_is_passed_on_but_never_kept(edge: Edge) -> None:
    with Upstream(_answer("gzip", b'{"plain":1}')) as upstream, _record(edge, upstream) as session:
        with asking(session.origin) as response:
            assert response.read() == b'{"plain":1}'
        with pytest.raises(UnkeepableError, match="the answer is not packed as gzip"):
            session.interactions()


def test_a_small_packed_body_that_is_huge_comes_in_parts() -> None:
    unpack = unpacker("gzip")
    assert unpack is not None
    sizes = [len(part) for part in unpack(gzip.compress(bytes(50 * _MIB)))]
    assert sum(sizes) == 50 * _MIB
    assert max(sizes) <= _MIB


def test_members_of_gzip_follow_each_other_and_deflate_is_known_by_its_first_bytes() -> None:
    unpack, deflate = unpacker("gzip"), unpacker("deflate")
    assert unpack is not None
    assert deflate is not None
    assert b"".join(unpack(gzip.compress(b"a") + gzip.compress(b"b"))) == b"ab"
    packer = zlib.compressobj(wbits=_RAW_DEFLATE)
    packed = packer.compress(b"hello") + packer.flush()
    assert b"".join(part for byte in packed for part in deflate(bytes([byte]))) == b"hello"


def test_what_is_no_deflate_of_either_kind_is_an_error() -> None:
    unpack = unpacker("deflate")
    assert unpack is not None
    with pytest.raises(UnpackingError):
        list(unpack(b"\xff\xff\xff\xff"))


class _KeepsConnections:
    """A provider that answers several requests over one connection, and counts connections."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.per_connection: list[int] = []

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.per_connection.append(0)
            threading.Thread(target=self._talk, args=(connection, len(self.per_connection) - 1)).start()

    def _talk(self, connection: socket.socket, number: int) -> None:
        with connection:
            while (request := connection.recv(65536)) != b"":
                while not request.endswith(b"{}"):
                    request += connection.recv(65536)
                self.per_connection[number] += 1
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n%d" % self.per_connection[number]
                )


@pytest.fixture
def keeps_connections() -> Iterator[_KeepsConnections]:
    provider = _KeepsConnections()
    thread = threading.Thread(target=provider.serve, daemon=True)
    thread.start()
    yield provider
    provider.listener.shutdown(socket.SHUT_RDWR)
    provider.listener.close()
    thread.join(60)


def test_a_kept_connection_of_the_client_is_a_kept_connection_to_the_provider(
    edge: Edge, keeps_connections: _KeepsConnections
) -> None:
    """And a new one is a new one: it never meets one that the provider is about to close."""
    with edge.record(upstream=keeps_connections.origin, public=PUBLIC, scrubber=Scrubber({})) as session:
        parts = urlsplit(session.origin)
        for _ in range(2):
            connection = http.client.HTTPConnection(parts.netloc, timeout=60)
            for count in (b"1", b"2", b"3"):
                connection.request("POST", parts.path + TARGET, b"{}")
                assert connection.getresponse().read() == count
            connection.close()
        assert [one.response.body for one in session.interactions()] == [b"1", b"2", b"3"] * 2
        assert all(one.response.end is End.COMPLETE for one in session.interactions())
    assert keeps_connections.per_connection == [3, 3]


def test_what_a_kept_connection_swallows_is_not_asked_twice(edge: Edge) -> None:
    """Whether to try again is the client's decision, and part of what is compared."""
    asked: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.head(headers=(("content-length", "0"),), chunked=False)
        asked.append(peer.receive())

    with Upstream(script) as upstream, _record(edge, upstream) as session:
        parts = urlsplit(session.origin)
        connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        connection.request("GET", parts.path + "/v1/models")
        connection.getresponse().read()
        connection.request("GET", parts.path + "/v1/models")
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            connection.getresponse()
        connection.close()
        assert [one.response.end for one in session.interactions()] == [End.COMPLETE, End.CUT]
    assert len(upstream.heads) == 1
    assert asked[0].startswith(b"GET /v1/models ")


def test_a_token_and_then_a_chat_are_one_recording(edge: Edge) -> None:
    def script(peer: Peer) -> None:
        body = b'{"access_token":"t"}' if len(upstream.heads) == 1 else b'{"result":"hi"}'
        peer.head(headers=(*JSON, ("content-length", str(len(body))), ("connection", "close")), chunked=False)
        peer.send(body)

    with Upstream(script) as upstream, _record(edge, upstream) as session:
        ask(session.origin, target="/oauth/2.0/token?grant_type=client_credentials")
        ask(session.origin, target="/chat?access_token=t")
        paths = [urlsplit(one.request.uri).path for one in session.interactions()]
    assert paths == ["/oauth/2.0/token", "/chat"]


def test_large_requests_pass_whole(edge: Edge) -> None:
    body = b"x" * (12 * _MIB)

    def script(peer: Peer) -> None:
        peer.head(headers=(("content-length", "0"),), chunked=False)

    with Upstream(script) as upstream, _record(edge, upstream) as session:
        ask(session.origin, body=body)
        assert upstream.heads[0].endswith(b"\r\n\r\n" + body)
        assert _only(session).request.body == body


def test_a_client_that_asks_first_whether_it_may_send_is_told_to_go_on(edge: Edge) -> None:
    def script(peer: Peer) -> None:
        peer.head(headers=(("content-length", "0"),), chunked=False)

    with Upstream(script) as upstream, _record(edge, upstream) as session:
        parts = urlsplit(session.origin)
        with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=60) as connection:
            lines = (f"POST {parts.path}{TARGET} HTTP/1.1", "Host: localhost", "Expect: 100-continue")
            connection.sendall(
                "\r\n".join((*lines, "Content-Length: 2", "Connection: close", "", "")).encode()
            )
            assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(b"{}")
            assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"expect" not in upstream.heads[0].lower()


def test_a_slow_reader_holds_the_provider_back_and_loses_nothing(narrow_edge: Edge) -> None:
    """The edge buffers no more than sockets do; an answer beyond its limit is passed on and not kept."""
    sent = 0

    def flood(peer: Peer) -> None:
        nonlocal sent
        peer.head()
        for _ in range(_FLOOD):
            peer.chunk(b"x" * 65536)
            sent += 65536
        peer.last_chunk()

    with Upstream(flood) as upstream, _record(narrow_edge, upstream) as session:
        with asking(session.origin) as response:
            first = len(response.read(1000))
            before = -1
            while before != sent:  # until the provider is at a standstill
                before = sent
                time.sleep(0.1)
            assert sent < 30 * _MIB
            rest = sum(len(data) for data in iter(lambda: response.read(_MIB), b""))
        assert first + rest == _FLOOD * 65536
        with pytest.raises(UnkeepableError, match=r"the answer is larger than 0\.0954 MiB"):
            session.interactions()


def test_an_answer_in_more_pieces_than_are_kept_is_passed_on_whole(narrow_edge: Edge) -> None:
    def script(peer: Peer) -> None:
        peer.head()
        for _ in range(60):
            peer.chunk(b"x")
        peer.last_chunk()

    with Upstream(script) as upstream, _record(narrow_edge, upstream) as session:
        assert ask(session.origin) == b"x" * 60
        with pytest.raises(UnkeepableError, match="more than 50 pieces"):
            session.interactions()


def test_an_answer_without_a_body_has_none(edge: Edge) -> None:
    def script(peer: Peer) -> None:
        peer.head(status="204 No Content", headers=(), chunked=False)

    with Upstream(script) as upstream, _record(edge, upstream) as session, asking(session.origin) as response:
        assert (response.status, response.read()) == (204, b"")
        assert _only(session).response.end is End.COMPLETE


def test_the_answer_s_head_is_the_provider_s_and_nothing_is_added(edge: Edge) -> None:
    """Neither while recording nor from the recording: a missing content type is a missing content type."""

    def script(peer: Peer) -> None:
        peer.head(headers=(("X-One", "1"), ("x-two", "2"), ("x-one", "3")))
        peer.chunk(b"{}")
        peer.last_chunk()

    expected = [("X-One", "1"), ("x-two", "2"), ("x-one", "3"), ("Transfer-Encoding", "chunked")]
    with Upstream(script) as upstream, _record(edge, upstream) as session:
        with asking(session.origin) as response:
            assert response.getheaders() == expected
            assert response.read() == b"{}"  # whoever leaves before may be recorded as having left
        interaction = _only(session)
    with edge.replay([interaction]) as replay, asking(replay.origin) as response:
        assert response.getheaders() == [*expected[:-1], ("content-length", "2")]
