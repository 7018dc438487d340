"""Recorded times come back, at any speed. The clock is the test's own, so no machine is too slow for it."""

from __future__ import annotations

import asyncio
import http.client
from urllib.parse import urlsplit

import pytest

from llm_contracts.wire.interaction import Piece, Response
from llm_contracts.wire.proxy.lockstep import Delivery
from llm_contracts.wire.proxy.pace import paced
from llm_contracts.wire.proxy.playback_options import Fragmentation, Pieces, PlaybackOptions
from llm_contracts.wire.proxy.replay import Player
from llm_contracts.wire.proxy.server import Edge
from llm_contracts.wire.proxy.timeline import steps
from tests.harness.wire.exchanges import (
    EVENT_STREAM,
    JSON,
    TARGET,
    ask,
    asking,
    exchange,
    stream,
    streamed,
    text_event,
)

_HOUR = 3_600_000.0


class _Clock:
    """Time that passes only where somebody sleeps, or where the test says that something took long."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def _sent(
    response: Response, *, speed: float | None, pieces: Pieces, slow: float = 0.0
) -> list[tuple[float, bytes]]:
    """When each piece left, in milliseconds; `slow`: seconds that the network takes for each."""
    clock = _Clock()
    sent: list[tuple[float, bytes]] = []

    async def write(data: bytes) -> None:
        sent.append((round((clock.now - 1000) * 1000, 3), data))
        clock.now += slow

    manner = PlaybackOptions(speed=speed, pieces=pieces)
    player = Player(options=manner, delivery=Delivery(), on_sent=lambda _events: None)
    timeline = tuple(steps(response, pieces))
    asyncio.run(player.send(timeline, write, paced(speed, clock=clock, sleep=clock.sleep)))
    return sent


def _recorded(*pieces: tuple[int, float]) -> Response:
    body = bytes(range(sum(size for size, _ in pieces)))
    made = tuple(Piece(size=size, at_ms=at_ms) for size, at_ms in pieces)
    return Response(status=200, headers=EVENT_STREAM, body=body, pieces=made)


THINKING = _recorded((2, 412.5), (1, 413.0), (3, 2000.0))


def test_at_recorded_speed_the_first_byte_and_every_piece_come_when_they_came() -> None:
    assert _sent(THINKING, speed=1, pieces=Fragmentation.RECORDED) == [
        (412.5, b"\0\1"),
        (413.0, b"\2"),
        (2000.0, b"\3\4\5"),
    ]


def test_a_speed_divides_every_time() -> None:
    times = [at for at, _ in _sent(THINKING, speed=10, pieces=Fragmentation.RECORDED)]
    assert times == [41.25, 41.3, 200.0]
    assert [at for at, _ in _sent(THINKING, speed=0.5, pieces=Fragmentation.RECORDED)][-1] == 4000.0


def test_at_full_speed_nothing_is_waited_for() -> None:
    assert {at for at, _ in _sent(THINKING, speed=None, pieces=Fragmentation.RECORDED)} == {0}


def test_pieces_of_another_size_keep_the_times_of_their_bytes() -> None:
    sent = _sent(THINKING, speed=1, pieces=1)
    assert [at for at, _ in sent] == [412.5, 412.5, 413.0, 2000.0, 2000.0, 2000.0]


def test_delays_do_not_add_up() -> None:
    """The network takes a second per piece: the second piece is late, the third is in time again."""
    times = [at for at, _ in _sent(THINKING, speed=1, pieces=Fragmentation.RECORDED, slow=1.0)]
    assert times == [412.5, 1412.5, 2412.5]
    times = [at for at, _ in _sent(THINKING, speed=1, pieces=Fragmentation.RECORDED, slow=0.2)]
    assert times == [412.5, 612.5, 2000.0]


def test_without_recorded_times_there_are_none_to_keep() -> None:
    untimed = Response(status=200, headers=EVENT_STREAM, body=b"abc")
    assert {at for at, _ in _sent(untimed, speed=1, pieces=1)} == {0}


@pytest.mark.parametrize("lockstep", [False, True])
def test_the_edge_holds_a_piece_back_until_its_time(edge: Edge, *, lockstep: bool) -> None:
    """Over a real socket: what came an hour later is not there yet when the client gives up."""
    first, second = text_event("a"), text_event("b")
    pieces = (Piece(size=len(first), at_ms=1), Piece(size=len(second), at_ms=_HOUR))
    recorded = streamed(first + second, pieces=pieces)
    with edge.replay([recorded], PlaybackOptions(speed=1, lockstep=lockstep, patience=0.01)) as session:
        parts = urlsplit(session.origin)
        connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        connection.request("POST", parts.path + TARGET, b"{}")
        response = connection.getresponse()
        assert response.read1() == first
        connection.sock.settimeout(0.1)
        with pytest.raises(TimeoutError):
            response.read1()
        response.close()
        connection.close()


def test_the_head_goes_out_with_the_first_bytes(edge: Edge) -> None:
    recorded = Response(status=200, headers=JSON, body=b"{}", pieces=(Piece(size=2, at_ms=_HOUR),))
    with edge.replay([exchange(recorded)], PlaybackOptions(speed=1)) as session:
        parts = urlsplit(session.origin)
        connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        connection.request("POST", parts.path + TARGET, b"{}")
        connection.sock.settimeout(0.1)
        with pytest.raises(TimeoutError):
            connection.getresponse()
        connection.close()


def test_at_full_speed_an_hour_is_no_time(edge: Edge) -> None:
    body = stream("a", "b")
    recorded = streamed(body, pieces=(Piece(size=5, at_ms=1), Piece(size=len(body) - 5, at_ms=_HOUR)))
    with edge.replay([recorded]) as session:
        assert ask(session.origin) == body
    with edge.replay([recorded], PlaybackOptions(speed=1_000_000)) as session:
        assert ask(session.origin) == body


@pytest.mark.parametrize("pieces", [*Fragmentation, 1, 7])
@pytest.mark.parametrize("lockstep", [False, True])
def test_every_cutting_gives_the_same_body(edge: Edge, pieces: Pieces, *, lockstep: bool) -> None:
    body = stream("你好", "😀", "c")
    with edge.replay(
        [streamed(body)], PlaybackOptions(pieces=pieces, lockstep=lockstep, patience=0.01)
    ) as session:
        assert ask(session.origin) == body
        assert session.events_sent() == 5


def test_lockstep_waits_after_pieces_of_any_size(edge: Edge) -> None:
    """With small pieces, too, the edge is never ahead of the text that the consumer has handed on."""
    body = stream("a", "b")
    with (
        edge.replay([streamed(body)], PlaybackOptions(pieces=3, lockstep=True, patience=5)) as session,
        asking(session.origin) as response,
    ):
        positions = []
        for total in (1, 2):
            while not response.readline().startswith(b"data"):
                pass
            response.readline()
            positions.append(session.events_sent())
            session.delivered(total)
        response.read()
    assert positions == [1, 2]
