"""The promises of `fuzz.targets`, with bytes that hypothesis chooses; atheris goes on where this ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.targets import TARGETS, words

CASSETTES = sorted(
    (Path(__file__).resolve().parents[3] / "cassettes").rglob("*.yaml"), key=lambda path: path.stat().st_size
)
FRAGMENTS = st.sampled_from(words()) | st.binary(max_size=20)
ANY = st.lists(FRAGMENTS, max_size=30).map(b"".join)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A recording in which some places were overwritten, cut out or repeated."""
    body = draw(st.sampled_from(CASSETTES[:20])).read_bytes()
    for _ in range(draw(st.integers(1, 4))):
        start, length = draw(st.integers(0, len(body))), draw(st.integers(0, 60))
        body = body[:start] + draw(FRAGMENTS | st.just(body[start : start + 40])) + body[start + length :]
    return body


@pytest.mark.parametrize("target", TARGETS)
@given(data=ANY | damaged())
def test_no_bytes_break_a_promise(target: str, data: bytes) -> None:
    TARGETS[target](data)
