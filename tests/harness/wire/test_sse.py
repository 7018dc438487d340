"""Server-sent events are read as the format says, however the bytes are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_contracts.wire.events import events
from llm_contracts.wire.sse import Event, EventDecoder

_LINES = st.lists(
    st.sampled_from(
        [
            b"data: a",
            b"data:b",
            b"data:  c",
            b"data",
            b": comment",
            b"event: error",
            b"id: 7",
            b"",
            b"",
            "data: 你😀".encode(),
        ]
    ),
    max_size=12,
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"data: a\n\ndata: b\n\n", [("a", None, 9), ("b", None, 18)], id="plain"),
        pytest.param(b"data:a\n\n", [("a", None, 8)], id="no-space"),
        pytest.param(b"data:  a\n\n", [(" a", None, 10)], id="only-one-space-is-taken-off"),
        pytest.param(b"data: a\r\n\r\ndata: b\r\n\r\n", [("a", None, 11), ("b", None, 22)], id="crlf"),
        pytest.param(b"data: a\r\rdata: b\r\r", [("a", None, 9), ("b", None, 18)], id="cr"),
        pytest.param(b": keep-alive\n\ndata: a\n\n", [("a", None, 23)], id="comment"),
        pytest.param(
            b"event: error\ndata: a\n\ndata: b\n\n", [("a", "error", 22), ("b", None, 31)], id="name"
        ),
        pytest.param(b"event: ping\n\ndata: a\n\n", [("a", None, 22)], id="name-without-data-is-no-event"),
        pytest.param(b"data: a\ndata: b\n\n", [("a\nb", None, 17)], id="many-data-lines"),
        pytest.param(b"data\n\n", [("", None, 6)], id="field-without-colon"),
        pytest.param(b"\xef\xbb\xbfdata: a\n\n", [("a", None, 12)], id="byte-order-mark"),
        pytest.param(b"data: \xff\n\n", [("\ufffd", None, 9)], id="not-utf-8"),
        pytest.param(b"data: a", [("a", None, 7)], id="cut-in-the-last-line"),
        pytest.param(b"data: a\n", [("a", None, 8)], id="cut-before-the-blank-line"),
        pytest.param(b"data: a\r", [("a", None, 8)], id="cut-after-a-carriage-return"),
        pytest.param(b"id: 1\nretry: 3\n\n", [], id="nothing-but-other-fields"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_bodies_are_read_as_the_format_says(body: bytes, expected: list[tuple[str, str | None, int]]) -> None:
    assert [(found.data, found.name, found.end) for found in events(body)] == expected


def test_events_come_as_soon_as_their_blank_line_has_come() -> None:
    decoder = EventDecoder()
    assert decoder.feed(b"data: a\n") == []
    assert decoder.feed(b"\n") == [Event(data="a", name=None, end=9)]
    assert decoder.finish() == []


@given(
    lines=_LINES,
    ends=st.lists(st.sampled_from([b"\n", b"\r\n", b"\r"]), min_size=12, max_size=12),
    data=st.data(),
)
def test_any_cut_of_the_bytes_gives_the_same_events(
    lines: list[bytes], ends: list[bytes], data: st.DataObject
) -> None:
    body = b"".join(line + end for line, end in zip(lines, ends, strict=False))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=len(body))))
    decoder = EventDecoder()
    found: list[Event] = []
    for start, stop in zip([0, *cuts], [*cuts, len(body)], strict=True):
        found += decoder.feed(body[start:stop])
    assert (*found, *decoder.finish()) == events(body)
