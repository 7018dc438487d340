"""HAR files of browsers and proxies give their streams, or say what the browser left out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_contracts.corpus import CorpusStream, ProblemKind, read_corpus
from tests.harness.corpus.hars import as_base64, as_text, entry, har, mitmproxy_gzip
from tests.harness.corpus.vcr_files import QUESTION, STREAM, one_problem, one_stream, write_json
from tests.harness.wire.exchanges import stream

_PACKED = [{"name": "content-encoding", "value": "gzip"}, {"name": "content-length", "value": "9"}]


def saved(folder: Path, *entries: dict[str, Any], name: str = "trace.har", **creator: str) -> Path:
    return write_json(folder / name, har(*entries, **creator))


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (as_text(), []),
        (as_base64(), []),
        (mitmproxy_gzip(), _PACKED),
        (as_text(), [{"name": ":status", "value": "200"}]),
    ],
    ids=["text", "base64", "mitmproxy", "http-2"],
)
def test_the_body_is_read_as_it_was_before_packing(tmp_path: Path, content: Any, headers: Any) -> None:
    kind = {"name": "content-type", "value": "text/event-stream"}
    saved(tmp_path, entry(content, response_headers=[*headers, kind]))
    found = one_stream(tmp_path)
    response = found.interaction.response
    assert (response.body, response.headers) == (STREAM, (("content-type", "text/event-stream"),))
    assert json.loads(found.interaction.request.body) == QUESTION


def test_what_recorded_it_and_when_is_kept(tmp_path: Path) -> None:
    saved(tmp_path, entry(), creator="mitmproxy", version="11.0")
    found = one_stream(tmp_path)
    assert (found.id, found.provider, found.recorder) == ("trace", "openai", "mitmproxy 11.0")
    assert found.recorded_at == datetime(2026, 1, 31, 12, microsecond=250_000, tzinfo=UTC)


@given(texts=st.lists(st.text(st.characters(codec="utf-8"), max_size=8), max_size=3), packed=st.booleans())
def test_whatever_the_stream_says_it_is_read_back(tmp_path: Path, texts: list[str], packed: bool) -> None:
    body = stream(*texts)
    saved(tmp_path, entry(as_base64(body) if packed else as_text(body)))
    assert one_stream(tmp_path).interaction.response.body == body


def test_entries_of_a_page_that_the_file_lacks_are_read_all_the_same(tmp_path: Path) -> None:
    """A filtered file keeps entries and drops pages; a library that goes by pages loses them."""
    saved(tmp_path, entry(pageref="page_7"), entry(pageref="page_1"), entry())
    found = list(read_corpus(tmp_path))
    assert [one.id for one in found if isinstance(one, CorpusStream)] == ["trace#0", "trace#1", "trace#2"]


def test_a_har_file_under_another_name_is_known_by_its_shape(tmp_path: Path) -> None:
    saved(tmp_path, entry(), name="trace.json")
    assert one_stream(tmp_path).id == "trace"


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "trace.har").write_text(json.dumps(har(entry())), encoding="utf-8-sig")
    assert one_stream(tmp_path).id == "trace"


def test_playwrights_bodies_are_found_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "body.txt").write_bytes(STREAM)
    saved(tmp_path, entry({"size": -1, "mimeType": "text/event-stream", "_file": "body.txt"}))
    entries = [one for one in read_corpus(tmp_path) if isinstance(one, CorpusStream)]
    assert [one.interaction.response.body for one in entries] == [STREAM]


def test_a_type_that_only_the_content_tells_is_kept(tmp_path: Path) -> None:
    saved(tmp_path, entry(response_headers=[]))
    assert one_stream(tmp_path).interaction.response.header("content-type") == "text/event-stream"


def test_a_refusal_without_a_body_is_evidence(tmp_path: Path) -> None:
    saved(tmp_path, entry({"size": 0, "mimeType": "text/plain"}, response_status=502))
    assert one_stream(tmp_path).interaction.response.status == 502


_NONE: dict[str, Any] = {"size": 0, "mimeType": "text/event-stream"}


@pytest.mark.parametrize(
    ("made", "why", "reason"),
    [
        (entry(_NONE), ProblemKind.NO_BODY, "its body was not kept, as browsers do with event streams."),
        (
            entry({**_NONE, "text": "", "size": 9}),
            ProblemKind.NO_BODY,
            "its body was not kept, as browsers do",
        ),
        (
            entry({**_NONE, "comment": "Response body is not included."}),
            ProblemKind.NO_BODY,
            "its body was not kept (Response body is not included.).",
        ),
        (
            entry(_NONE, _eventSourceMessages=[{"data": "x"}]),
            ProblemKind.NO_BODY,
            "its body was not kept, only the messages read from it, which are not the bytes.",
        ),
        (
            entry(_NONE, response_status=0, response__error="net::ERR_ABORTED"),
            ProblemKind.NO_BODY,
            "got no answer: the request was blocked, failed or given up (net::ERR_ABORTED).",
        ),
        (
            entry({**_NONE, "_file": "gone.txt"}),
            ProblemKind.NO_BODY,
            "its body gone.txt cannot be read (No such file",
        ),
        (
            entry({**_NONE, "_file": "../x"}),
            ProblemKind.NO_BODY,
            "it lies outside the folder of the HAR file",
        ),
        (
            entry({**as_text(), "size": len(STREAM) + 1}),
            ProblemKind.TRUNCATED,
            f"its body has {len(STREAM)} of {len(STREAM) + 1} bytes: the rest was not kept.",
        ),
        (
            entry({**as_base64(), "text": "ä"}),
            ProblemKind.UNKNOWN_ENCODING,
            "its body cannot be read as base64",
        ),
        (
            entry({**as_text(), "text": "\ud83d"}),
            ProblemKind.UNKNOWN_ENCODING,
            "its body cannot be read as text",
        ),
        (
            entry({**as_text(), "encoding": "rot13"}),
            ProblemKind.UNKNOWN_ENCODING,
            "the unknown encoding 'rot13'.",
        ),
        (entry(_webSocketMessages=[]), ProblemKind.NOT_HTTP, "is a WebSocket, not an HTTP exchange."),
        (entry(request_method="OPTIONS"), ProblemKind.NOT_CHAT, "(OPTIONS /v1/chat/completions)"),
        (entry(request_url="https://x.example/logo.png"), ProblemKind.NOT_CHAT, "is not a call of a model"),
        (entry(response=None), ProblemKind.UNREADABLE, "is not a usable entry"),
        (entry(response_status="200"), ProblemKind.UNREADABLE, "its status must be a number, not '200'."),
        (entry(request={}), ProblemKind.UNREADABLE, "has no 'method'; the file may be cut."),
    ],
)
def test_what_cannot_be_used_says_why(tmp_path: Path, made: Any, why: ProblemKind, reason: str) -> None:
    saved(tmp_path, made)
    found = one_problem(tmp_path)
    assert found.why is why
    assert reason in found.reason
    assert found.place == f"{tmp_path / 'trace.har'}: log.entries[0]"


def test_what_an_entry_lacks_does_not_matter_if_nobody_would_look_at_it(tmp_path: Path) -> None:
    """A page's images often have no content; that is no damage to a collection of streams."""
    saved(tmp_path, entry(request_url="https://x.example/logo.png", response=None))
    assert not one_problem(tmp_path).why.damaged


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"log": {"entries": []}}, ProblemKind.NOT_A_RECORDING),
        ({"log": {"entries": 5}}, ProblemKind.UNREADABLE),
        ({"log": {}}, ProblemKind.UNREADABLE),
        ({"other": 1}, ProblemKind.NOT_A_RECORDING),
        ([], ProblemKind.NOT_A_RECORDING),
    ],
)
def test_a_file_without_entries_says_so(tmp_path: Path, document: Any, why: ProblemKind) -> None:
    write_json(tmp_path / "trace.har", document)
    assert one_problem(tmp_path).why is why


@pytest.mark.parametrize(
    ("started", "recorded_at"),
    [
        ("", None),
        ("soon", None),
        (None, None),
        (5, None),
        ("2026-01-31T12:00:00", datetime(2026, 1, 31, 12, tzinfo=UTC)),
    ],
)
def test_a_date_that_says_nothing_is_no_obstacle(
    tmp_path: Path, started: Any, recorded_at: datetime | None
) -> None:
    saved(tmp_path, entry(startedDateTime=started))
    assert one_stream(tmp_path).recorded_at == recorded_at
