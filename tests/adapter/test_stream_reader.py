"""The reader of streams against the bytes, however they are cut, and against the SDK's own reader."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk

from llm_adapter.backends.stream_reader import StreamReader
from llm_adapter.chunks import read_chunk
from llm_adapter.failures import InBandError, NoAnswerError
from tests.adapter.provider import DONE, USAGE, chunk, event

STREAMS = Path(__file__).parents[2].parent / "shared" / "real-streams"

SPOKEN = b"".join(
    (
        b"\xef\xbb\xbf: hello\r\n\r\n",
        chunk("", role="assistant"),
        b"id: 1\nevent: message\nretry: 5\n\n",
        b'data: {"id": "1",\ndata: "choices": [{"index": 0, "delta": {"content": "two lines"}}]}\n\n',
        b"data:\n\n",
        chunk("\u2028 caf\u00e9 \U0001f600").replace(b"\n\n", b"\r\n\r\n"),
        b'data:{"choices":[{"delta":{"content":"\\ud83d"}}],"big":123456789012345678901234567890}\r\r',
        chunk(finish="stop"),
        chunk(usage=USAGE),
        DONE,
        event({"choices": [{"delta": {"content": "after the end"}}]}),
    )
)
TEXTS = ["", "two lines", "\u2028 caf\u00e9 \U0001f600", "\ud83d", "", ""]


def response(content: bytes = b"", kind: str = "text/event-stream") -> httpx.Response:
    request = httpx.Request("POST", "https://provider.invalid/v1/chat/completions")
    return httpx.Response(200, headers={"content-type": kind}, content=content, request=request)


def read(pieces: Iterable[bytes]) -> Iterator[Any]:
    reader = StreamReader(response())
    for piece in pieces:
        yield from reader.feed(piece)
        if reader.done:
            return
    yield from reader.end()


def said(chunks: Iterable[Any]) -> list[Any]:
    """What is read of chunks: all but their order is independent of who decoded them."""
    return [read_chunk(item) for item in chunks]


@given(st.lists(st.integers(0, len(SPOKEN)), max_size=12))
def test_it_does_not_matter_where_the_bytes_are_cut(cuts: list[int]) -> None:
    ends = sorted({*cuts, len(SPOKEN)})
    pieces = [SPOKEN[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    chunks = said(read(pieces))
    assert [each.text for each in chunks] == TEXTS
    assert chunks[-1].usage == {"input": 11, "output": 7, "total": 40}
    assert chunks[-2].finish_reason == "stop"


def test_chunks_before_an_error_in_the_same_piece_are_given() -> None:
    reader = StreamReader(response())
    items = reader.feed(chunk("one") + event({"error": {"message": "no more"}}) + chunk("two"))
    assert read_chunk(next(items)).text == "one"
    with pytest.raises(InBandError) as caught:
        next(items)
    assert caught.value.body == {"message": "no more"}
    assert caught.value.request.url.host == "provider.invalid"


def test_an_event_that_is_cut_by_the_end_is_no_event() -> None:
    """As the standard has it, and as the SDK does it."""
    assert [each.text for each in said(read([chunk("one"), chunk("two")[:-1]]))] == ["one"]


@pytest.mark.parametrize("data", [b"data: {\n\n", b'data: {"a": "\xff"}\n\n', b"data: nothing\n\n"])
def test_what_is_no_json_is_a_failure(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"Expecting|codec"):
        list(read([data]))


def test_a_list_that_holds_an_error_is_an_error() -> None:
    with pytest.raises(InBandError) as caught:
        list(read([event([{"error": {"code": 503, "message": "overloaded"}}])]))
    assert caught.value.body == {"code": 503, "message": "overloaded"}


def test_a_body_of_nothing_is_no_answer() -> None:
    with pytest.raises(NoAnswerError):
        list(read([]))


@pytest.mark.skipif(not STREAMS.is_dir(), reason="needs ../shared/real-streams")
def test_real_streams_are_read_as_the_sdk_reads_them() -> None:
    """Chunk by chunk; what the SDK fails at may only fail here as well, or be an error here."""
    client = openai.OpenAI(api_key="nobody", base_url="https://provider.invalid/v1")
    read_well = 0
    for line in (STREAMS / "index.jsonl").read_text().splitlines():
        entry = json.loads(line)
        body = (STREAMS / entry["file"]).read_bytes()
        if b"data:" not in body:
            continue
        theirs, failed = _all(
            said_by_sdk(openai.Stream(cast_to=ChatCompletionChunk, response=response(body), client=client))
        )
        for pieces in ([body], [body[at : at + 7] for at in range(0, len(body), 7)]):
            ours, failed_here = _all(map(read_chunk, read(pieces)))
            assert ours[: len(theirs)] == theirs, entry["id"]
            assert failed_here or not failed, entry["id"]
            assert len(ours) == len(theirs) or failed, entry["id"]
        read_well += not failed
    assert read_well > 0


def said_by_sdk(stream: Iterable[Any]) -> Iterator[Any]:
    return (read_chunk(item) for item in stream)


def _all(chunks: Iterator[Any]) -> tuple[list[Any], bool]:
    found: list[Any] = []
    try:
        found.extend(chunks)
    except (ValueError, InBandError, NoAnswerError, openai.APIError):
        return found, True
    return found, False
