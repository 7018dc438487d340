"""Bodies are cut into steps that together are the body, and that know what the client has after each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_contracts.wire.interaction import Piece, Response
from llm_contracts.wire.protocols import BUILT_IN
from llm_contracts.wire.proxy.playback_options import Fragmentation, Pieces, pieces_from
from llm_contracts.wire.proxy.timeline import TimedBytes, seconds, steps
from tests.harness.wire.exchanges import DONE, EVENT_STREAM, exchange, stream, text_event


def _response(body: bytes, *sizes: int) -> Response:
    pieces = tuple(Piece(size=size, at_ms=10.0 * number) for number, size in enumerate(sizes, start=1))
    return Response(status=200, headers=EVENT_STREAM, body=body, pieces=pieces if sizes else None)


def _cut(response: Response, pieces: Pieces, *, texts: bool = False) -> list[TimedBytes]:
    return list(steps(response, pieces, texts=BUILT_IN if texts else None))


def test_events_that_add_text_say_how_much_there_is() -> None:
    parts = [text_event("ab"), text_event(""), text_event("c"), DONE, b": bye\n"]
    assert _cut(_response(b"".join(parts)), Fragmentation.EVENTS, texts=True) == [
        TimedBytes(data=parts[0], events=1, marks=(2, 0, 0, 0, 0)),
        TimedBytes(data=parts[1], events=2),
        TimedBytes(data=parts[2], events=3, marks=(3, 0, 0, 0, 0)),
        TimedBytes(data=parts[3], events=4),
        TimedBytes(data=parts[4], events=4),
    ]


def test_any_piece_that_completes_text_says_how_much_there_is() -> None:
    first, second = text_event("ab"), text_event("c")
    body = first + second + DONE
    whole = _cut(_response(body), Fragmentation.ONE, texts=True)
    assert whole == [TimedBytes(data=body, events=3, marks=(3, 0, 0, 0, 0))]
    bytewise = _cut(_response(body), 1, texts=True)
    assert [(index + 1, step.marks) for index, step in enumerate(bytewise) if step.marks] == [
        (len(first), (2, 0, 0, 0, 0)),
        (len(first + second), (3, 0, 0, 0, 0)),
    ]


def test_pieces_count_the_events_that_they_complete() -> None:
    body = text_event("a") + DONE
    cut = _cut(_response(body, 3, 0, len(text_event("a")) - 3, len(DONE)), Fragmentation.RECORDED)
    assert [(len(step.data), step.events) for step in cut] == [
        (3, 0),
        (len(text_event("a")) - 3, 1),
        (len(DONE), 2),
    ]


def test_a_step_s_time_is_that_of_its_last_byte() -> None:
    """Whatever the cutting, nothing leaves before the provider had sent it."""
    response = _response(b"abcdefghij", 4, 0, 3, 3)  # at 10, 20, 30 and 40 ms
    times = {cut: [(s.data, s.at_ms) for s in _cut(response, cut)] for cut in (Fragmentation.RECORDED, 2, 5)}
    assert times[Fragmentation.RECORDED] == [(b"abcd", 10), (b"efg", 30), (b"hij", 40)]
    assert times[2] == [(b"ab", 10), (b"cd", 10), (b"ef", 30), (b"gh", 40), (b"ij", 40)]
    assert times[5] == [(b"abcde", 30), (b"fghij", 40)]
    assert [step.at_ms for step in _cut(response, Fragmentation.ONE)] == [40]
    assert [step.at_ms for step in _cut(_response(b"ab"), 1)] == [None, None]


def test_a_body_without_events_goes_out_as_recorded() -> None:
    response = _response(b"{}", 1, 1)
    assert [step.data for step in _cut(response, Fragmentation.EVENTS, texts=True)] == [b"{", b"}"]
    assert [step.events for step in _cut(response, Fragmentation.EVENTS, texts=True)] == [0, 0]
    assert _cut(_response(b""), Fragmentation.RECORDED) == []
    assert _cut(_response(b""), Fragmentation.ONE) == []


@given(
    texts=st.lists(st.text()),
    tail=st.binary(max_size=20),
    cut=st.integers(0, 2000),
    pieces=st.sampled_from(Fragmentation) | st.integers(1, 50),
)
def test_the_steps_together_are_the_body(texts: list[str], tail: bytes, cut: int, pieces: Pieces) -> None:
    body = (stream(*texts) + tail)[: max(cut, 0)]
    assert b"".join(step.data for step in _cut(_response(body), pieces, texts=True)) == body
    assert all(step.data for step in _cut(_response(body), pieces))


def test_a_recording_takes_as_long_as_its_bodies_took_one_after_the_other() -> None:
    timed = [exchange(_response(b"abc", 1, 2)), exchange(_response(b"a", 1)), exchange(_response(b"a"))]
    assert seconds(timed) == pytest.approx(0.03)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("recorded", Fragmentation.RECORDED),
        ("events", Fragmentation.EVENTS),
        ("one", Fragmentation.ONE),
        ("7", 7),
    ],
)
def test_pieces_are_named_or_counted_in_bytes(text: str, pieces: Pieces) -> None:
    assert pieces_from(text) == pieces


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "two", "²"])
def test_other_pieces_are_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(ValueError, match="neither recorded, events, one nor a positive number of bytes"):
        pieces_from(text)
