"""Bodies are cut into steps that together are the body, and that know what the client has after each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llm_contracts.wire.edge.timeline import Step, as_recorded, event_by_event
from llm_contracts.wire.interaction import Piece, Response
from tests.harness.wire.exchanges import DONE, EVENT_STREAM, stream, text_event


def _response(body: bytes, *sizes: int) -> Response:
    pieces = tuple(Piece(size=size, at_ms=0) for size in sizes)
    return Response(status=200, headers=EVENT_STREAM, body=body, pieces=pieces if sizes else None)


def test_events_that_add_text_say_how_much_there_is() -> None:
    parts = [text_event("ab"), text_event(""), text_event("c"), DONE, b": bye\n"]
    assert event_by_event(_response(b"".join(parts))) == (
        Step(data=parts[0], events=1, text=2),
        Step(data=parts[1], events=2),
        Step(data=parts[2], events=3, text=3),
        Step(data=parts[3], events=4),
        Step(data=parts[4], events=4),
    )


def test_pieces_count_the_events_that_they_complete() -> None:
    body = text_event("a") + DONE
    steps = as_recorded(_response(body, 3, 0, len(text_event("a")) - 3, len(DONE)))
    assert [(len(step.data), step.events) for step in steps] == [
        (3, 0),
        (len(text_event("a")) - 3, 1),
        (len(DONE), 2),
    ]


def test_a_body_without_events_goes_out_as_recorded() -> None:
    assert event_by_event(_response(b"{}", 1, 1)) == (Step(data=b"{", events=0), Step(data=b"}", events=0))
    assert as_recorded(_response(b"")) == ()


@given(texts=st.lists(st.text()), tail=st.binary(max_size=20), cut=st.integers(0, 2000))
def test_the_steps_together_are_the_body(texts: list[str], tail: bytes, cut: int) -> None:
    body = (stream(*texts) + tail)[: max(cut, 0)]
    assert b"".join(step.data for step in event_by_event(_response(body))) == body
    assert b"".join(step.data for step in as_recorded(_response(body))) == body
