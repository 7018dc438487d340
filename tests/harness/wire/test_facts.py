"""What the bytes say is read from the bytes alone, whatever the dialect."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_contracts.wire.facts import WireFacts, read_facts
from llm_contracts.wire.interaction import End, Headers, Response
from tests.harness.wire.exchanges import DONE, EVENT_STREAM, JSON, REAL_STREAMS, event, stream, text_event

_TOTALS = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}


def _streamed(*parts: bytes, end: End = End.COMPLETE) -> WireFacts:
    return read_facts(Response(status=200, headers=EVENT_STREAM, body=b"".join(parts), end=end))


def text_after(facts: WireFacts) -> tuple[int, ...]:
    return tuple(marks[0] for marks in facts.progress)


def _answered(status: int, body: bytes, headers: Headers = JSON) -> WireFacts:
    return read_facts(Response(status=status, headers=headers, body=body))


def _chunk(**choice: Any) -> bytes:
    return event({"id": "c1", "model": "m", "choices": [{"index": 0, **choice}]})


def test_text_is_joined_and_counted_event_by_event() -> None:
    facts = _streamed(b": keep-alive\n\n", stream("你", "e\u0301😀", ""))
    assert (facts.text, text_after(facts), facts.events) == ("你e\u0301😀", (1, 4, 4, 4, 4), 5)
    assert facts.streamed
    assert facts.done
    assert facts.finish_reasons == ("stop",)
    assert facts.error is None


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_reasoning_is_found_under_either_name(key: str) -> None:
    facts = _streamed(_chunk(delta={"content": None, key: "hm"}), _chunk(delta={"content": "so", key: None}))
    assert (facts.reasoning, facts.text) == ("hm", "so")


def test_reasoning_that_is_a_list_hides_none_that_is_text() -> None:
    listed = [{"type": "text", "text": "hm"}]
    facts = _streamed(
        _chunk(delta={"reasoning_content": listed}),
        _chunk(delta={"reasoning_content": listed, "reasoning": "so"}),
        _chunk(delta={"reasoning": listed}),
    )
    assert (facts.reasoning, facts.text, facts.malformed) == ("so", "", 0)
    assert facts.progress == ((0, 0, 0, 0, 0), (0, 2, 0, 0, 0), (0, 2, 0, 0, 0))


def test_list_valued_content_is_kept_apart_from_text() -> None:
    """No string was sent, so nothing was promised to clients that take content for a string."""
    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "a"}, "odd", {"text": "b"}]
    facts = _streamed(_chunk(delta={"content": parts}))
    assert (facts.text, facts.list_content, facts.whole_text) == ("", True, "ab")


def test_a_choice_without_an_index_is_the_first() -> None:
    def choices(*given: Any) -> bytes:
        return event({"choices": list(given)})

    facts = _streamed(
        choices({"delta": {"content": "a"}}),
        choices("odd", {"index": 1, "delta": {"content": "x"}}, {"index": None, "delta": {"content": "b"}}),
        choices({"index": 0, "delta": {"content": "c"}}, {"index": 1, "delta": {"content": "y"}}),
        choices({"index": 0, "delta": {"content": "d"}}, {"index": 0, "delta": {"content": "e"}}),
    )
    assert facts.text == "abcd"
    assert facts.progress == ((1, 0, 0, 0, 0), (2, 0, 0, 1, 0), (3, 0, 0, 2, 0), (5, 0, 0, 2, 0))
    assert _streamed(choices({"index": 1, "delta": {"content": "ab"}})).progress == ((0, 0, 0, 0, 2),)


def test_null_and_empty_finish_reasons_are_no_finish() -> None:
    facts = _streamed(
        _chunk(delta={}, finish_reason=""),
        _chunk(delta={}, finish_reason=None),
        _chunk(delta={}, finish_reason="length"),
    )
    assert facts.finish_reasons == ("length",)


def test_the_last_usage_counts_wherever_it_sits() -> None:
    inside = {**_TOTALS, "total_tokens": 9}
    facts = _streamed(
        event({"choices": [], "usage": _TOTALS}),
        _chunk(delta={}, usage=inside),
        event({"choices": [], "usage": None}),
    )
    assert (facts.usage, len(facts.usages)) == (inside, 2)


def test_usage_objects_say_together_what_none_says_alone() -> None:
    facts = _streamed(
        event({"choices": [], "usage": {"prompt_tokens": 11, "details": {"cached": 5}}}),
        event(
            {"choices": [], "usage": {"prompt_tokens": None, "completion_tokens": 7, "details": {"audio": 0}}}
        ),
    )
    assert facts.usage == {
        "prompt_tokens": 11,
        "completion_tokens": 7,
        "details": {"cached": 5, "audio": 0},
    }


def test_usage_that_is_always_null_was_not_sent() -> None:
    facts = _streamed(event({"choices": [], "usage": None}))
    assert (facts.usage, len(facts.usages)) == (None, 0)


def test_usage_in_a_vendor_extension_is_reported_apart() -> None:
    facts = _streamed(event({"choices": [], "x_groq": {"usage": _TOTALS}}))
    assert (facts.usage, facts.vendor_usage) == (None, _TOTALS)


def test_models_and_ids_are_listed_once_each() -> None:
    facts = _streamed(_chunk(delta={}), _chunk(delta={}), event({"id": "", "model": "n", "choices": "odd"}))
    assert (facts.ids, facts.models) == (("c1",), ("m", "n"))


def test_events_that_are_no_json_objects_are_counted_as_malformed() -> None:
    facts = _streamed(b"data: {oops\n\n", b"data: 5\n\n", b"data: null\n\n", event({"choices": [None]}), DONE)
    assert (facts.malformed, facts.events, facts.error) == (3, 5, None)


def test_what_follows_done_is_counted_but_not_read() -> None:
    facts = _streamed(text_event("a"), DONE, text_event("b"))
    assert (facts.text, facts.events, text_after(facts)) == ("a", 3, (1, 1, 1))


def test_a_cut_stream_shows_no_done_and_its_end() -> None:
    facts = _streamed(text_event("a"), b'data: {"choi', end=End.CUT)
    assert (facts.done, facts.end, facts.malformed, facts.text) == (False, End.CUT, 1, "a")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(
            b'data: {"error":{"message":"m","type":"server_error","param":null,"code":null}}\n\n',
            {"message": "m", "type": "server_error", "param": None, "code": None},
            id="openai",
        ),
        pytest.param(
            b'data: {"code":"InternalError","message":"m","request_id":"r"}\n\n',
            {"code": "InternalError", "message": "m", "request_id": "r"},
            id="dashscope-without-envelope",
        ),
        pytest.param(
            b'data: {"event":"error","status":400,"code":"completion_request_error","message":"m"}\n\n',
            {"event": "error", "status": 400, "code": "completion_request_error", "message": "m"},
            id="dify",
        ),
        pytest.param(
            b'event: error\ndata: {"detail":"m"}\n\n', {"detail": "m", "message": "m"}, id="by-name"
        ),
        pytest.param(b"event: error\ndata: it broke\n\n", {"message": "it broke"}, id="by-name-in-words"),
        pytest.param(
            b'data: {"error_code":336100,"error_msg":"busy"}\n\n',
            {"code": 336100, "message": "busy"},
            id="ernie-v1",
        ),
        pytest.param(b'data: [{"error":{"code":503}}]\n\n', {"code": 503, "message": ""}, id="in-an-array"),
        pytest.param(b'data: {"error":"m"}\n\n', {"message": "m"}, id="a-bare-string"),
    ],
)
def test_an_error_in_mid_stream_is_found_in_every_shape(sent: bytes, expected: dict[str, Any]) -> None:
    facts = _streamed(text_event("a"), sent)
    assert facts.error == expected
    assert facts.text == "a"
    assert facts.malformed == 0


@pytest.mark.parametrize(
    "chunk",
    [
        {"choices": [], "error": None},
        {"choices": [], "error": {}},
        {"choices": [], "error": ""},
        {"choices": [], "code": "x", "message": "an ordinary chunk may carry these"},
        {"choices": [], "base_resp": {"status_code": 0, "status_msg": ""}},
        {"choices": [], "error_code": 0},
        {
            "custom_id": "1",
            "response": None,
            "error": {"code": "batch_expired", "message": "of this line alone"},
        },
    ],
)
def test_empty_error_fields_are_no_error(chunk: dict[str, Any]) -> None:
    assert _streamed(event(chunk)).error is None


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        pytest.param(
            401,
            b'{"error":{"message":"m","type":"t","param":null,"code":"invalid_api_key"}}',
            {"message": "m", "type": "t", "param": None, "code": "invalid_api_key"},
            id="openai",
        ),
        pytest.param(
            400,
            b'[{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT"}}]',
            {"code": 400, "message": "m", "status": "INVALID_ARGUMENT"},
            id="gemini-array",
        ),
        pytest.param(401, b'"Invalid token"', {"message": "Invalid token"}, id="siliconflow-bare-string"),
        pytest.param(
            400,
            b'{"code":20012,"message":"m","data":null}',
            {"code": 20012, "message": "m", "data": None},
            id="siliconflow",
        ),
        pytest.param(
            429,
            b'{"message":"slow down","data":null}',
            {"message": "slow down", "data": None},
            id="siliconflow-without-code",
        ),
        pytest.param(
            400,
            b'data: {"error":{"code":"data_inspection_failed","message":"m"}}\n\n',
            {"code": "data_inspection_failed", "message": "m"},
            id="dashscope-framed-as-an-event",
        ),
        pytest.param(429, b"", {"message": ""}, id="empty"),
        pytest.param(502, b"<html>Bad Gateway</html>", {"message": "<html>Bad Gateway</html>"}, id="html"),
        pytest.param(
            401, b'{"error":{"code":"1000","message":"m"}}', {"code": "1000", "message": "m"}, id="glm"
        ),
        pytest.param(
            429,
            b'{"error":{"code":"rpm_rate_limit_exceeded","message":"m","type":"t"},"id":"as-1"}',
            {"code": "rpm_rate_limit_exceeded", "message": "m", "type": "t"},
            id="qianfan",
        ),
        pytest.param(
            401,
            b'{"error":{"code":"AuthenticationError","message":"m","param":"","type":"Unauthorized"}}',
            {"code": "AuthenticationError", "message": "m", "param": "", "type": "Unauthorized"},
            id="ark",
        ),
        pytest.param(
            400,
            b'{"code":"invalid_param","message":"m","status":400}',
            {"code": "invalid_param", "message": "m", "status": 400},
            id="dify",
        ),
        pytest.param(
            401,
            b'{"error":"invalid_client","error_description":"unknown client id"}',
            {"code": "invalid_client", "message": "unknown client id"},
            id="oauth",
        ),
        pytest.param(
            422,
            b'{"detail":["odd"]}',
            {"detail": ["odd"], "message": '{"detail":["odd"]}'},
            id="unknown-object",
        ),
        pytest.param(500, b"[]", {"message": "[]"}, id="empty-array"),
        pytest.param(500, b'["x"]', {"message": '["x"]'}, id="array-of-strings"),
        pytest.param(500, b'{"error":{"message":5}}', {"message": "5"}, id="message-that-is-no-text"),
        pytest.param(
            200, b'{"error_code":110,"error_msg":"m"}', {"code": 110, "message": "m"}, id="ernie-v1-with-200"
        ),
        pytest.param(
            200,
            b'{"base_resp":{"status_code":1004,"status_msg":"m"}}',
            {"code": 1004, "message": "m"},
            id="minimax-with-200",
        ),
        pytest.param(
            200,
            b'{"Response":{"Error":{"Code":"AuthFailure","Message":"m"},"RequestId":"r"}}',
            {"code": "AuthFailure", "message": "m"},
            id="tencent-with-200",
        ),
        pytest.param(
            200,
            b'{"Id":"r","ErrorMsg":{"Msg":"m","Code":4001}}',
            {"code": 4001, "message": "m"},
            id="hunyuan-with-200",
        ),
        pytest.param(
            200,
            b'{"code":"InvalidApiKey","message":"m"}',
            {"code": "InvalidApiKey", "message": "m"},
            id="dashscope-with-200",
        ),
        pytest.param(200, b'{"error":{"message":"m"}}', {"message": "m"}, id="openai-with-200"),
    ],
)
def test_a_failing_answer_is_understood_in_every_shape(
    status: int, body: bytes, expected: dict[str, Any]
) -> None:
    assert _answered(status, body).error == expected


def test_an_error_page_with_a_failing_status_is_no_stream() -> None:
    facts = _answered(502, b"<html></html>", (("content-type", "text/html"),))
    assert (facts.streamed, facts.events) == (False, 0)


def test_a_whole_completion_is_read_like_a_stream_of_one() -> None:
    body = {
        "id": "c",
        "model": "m",
        "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}],
        "usage": _TOTALS,
    }
    facts = _answered(200, json.dumps(body).encode())
    assert (facts.text, facts.finish_reasons, facts.usage, facts.streamed) == (
        "hi",
        ("stop",),
        _TOTALS,
        False,
    )


def test_an_empty_event_stream_is_a_stream() -> None:
    assert _streamed().streamed


def test_packed_bodies_are_unpacked_before_reading() -> None:
    headers = (*EVENT_STREAM, ("content-encoding", "gzip"))
    assert _answered(200, gzip.compress(stream("a")), headers).text == "a"


@given(
    body=st.binary()
    | st.text().map(str.encode)
    | st.lists(st.text()).map(lambda texts: b"".join(map(event, texts)))
)
def test_reading_never_fails(body: bytes) -> None:
    facts = read_facts(Response(status=500, headers=EVENT_STREAM, body=body))
    assert facts.error is not None
    assert "message" in facts.error


def test_json_that_was_cut_off_is_not_awaited_and_words_are() -> None:
    assert _streamed(b'data: {"x": "a').progress == ((0, 0, 0, 0, 0),)
    assert _streamed(b"data: words").progress == ((1, 0, 0, 0, 0),)


def test_nesting_deeper_than_the_parser_goes_is_malformed() -> None:
    assert _streamed(b"data: " + b"[" * 100_000 + b"\n\n").malformed == 1


def _real() -> Iterator[dict[str, Any]]:
    index = REAL_STREAMS / "index.jsonl"
    if not index.exists():
        pytest.skip(f"needs {REAL_STREAMS}")
    yield from map(json.loads, index.read_text(encoding="utf-8").splitlines())


@pytest.mark.real_streams
def test_every_real_stream_is_understood() -> None:
    """No event is malformed, and each stream ends with a finish reason and `[DONE]`, or with an error."""
    rows = list(_real())
    assert len(rows) >= 81
    for row in rows:
        body = (REAL_STREAMS / row["file"]).read_bytes()
        facts = _streamed(body)
        assert facts.malformed == 0, row["id"]
        assert facts.streamed, row["id"]
        assert bool(facts.error) != (facts.done and bool(facts.finish_reasons)), row["id"]
        assert len(facts.text) in facts.progress[-1], row["id"]


@pytest.mark.real_streams
def test_every_real_error_has_its_message() -> None:
    rows = list(_real_errors())
    assert rows
    for row in rows:
        error = _answered(row["status"], row["body"].encode()).error
        assert error is not None
        assert error["message"]
        assert error["message"] in json.loads(row["body"])["error"]["message"]


def _real_errors() -> Iterator[dict[str, Any]]:
    file = REAL_STREAMS / "errors.jsonl"
    if not file.exists():
        pytest.skip(f"needs {REAL_STREAMS}")
    yield from map(json.loads, file.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ((), None),
        ((("Retry-After", "7"),), 7.0),
        ((("retry-after", "0.5"),), 0.5),
        ((("retry-after", "7"), ("retry-after-ms", "250")), 0.25),
        ((("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"),), None),
    ],
)
def test_the_wait_that_a_provider_asks_for_is_in_seconds_and_no_date(
    headers: Headers, seconds: float | None
) -> None:
    assert _answered(429, b"{}", (*JSON, *headers)).retry_after == seconds


@pytest.mark.parametrize(
    ("body", "unread"),
    [
        (b"<html>no</html>", 15),
        (b'{"a": 1}\n{"a": 2}\n', 16),
        (b'data: {"choices": []}\n\nerror: {"x": 1}\n\n', 15),
        (b"\xef\xbb\xbf: ping\n\nretry: 5\nid\nevent: e\ndata: 1\n\n", 0),
        (b'{"a": 1}', 0),
    ],
)
def test_bytes_that_no_client_reads_are_counted(body: bytes, unread: int) -> None:
    assert read_facts(Response(status=200, headers=EVENT_STREAM, body=body)).unread == unread


def test_an_error_in_a_list_is_read() -> None:
    facts = read_facts(Response(status=200, body=b'data: {"error": [{"message": "full", "code": 429}]}\n\n'))
    assert facts.error == {"message": "full", "code": 429}


def test_an_event_without_data_is_nobodys_fault() -> None:
    facts = _streamed(b"data:\n\n", _chunk(delta={"content": "a"}))
    assert (facts.malformed, facts.events, facts.text, facts.error) == (0, 2, "a", None)


def test_lines_of_json_are_events_and_unread_where_an_event_stream_was_announced() -> None:
    body = b'{"choices": [{"delta": {"content": "Hel"}}]}\n\n{"choices": [{"delta": {"content": "lo"}}]}\n'
    facts, announced = (read_facts(Response(status=200, headers=h, body=body)) for h in ((), EVENT_STREAM))
    assert (facts.text, facts.events, facts.streamed, facts.unread) == ("Hello", 2, True, 0)
    assert (announced.text, announced.unread) == ("Hello", len(body.replace(b"\n", b"")))
    assert read_facts(Response(status=200, body=body + b"<p>")).malformed == 1


def test_a_refusal_is_joined() -> None:
    facts = _streamed(_chunk(delta={"refusal": "I can"}), _chunk(delta={"refusal": "not.", "content": None}))
    assert (facts.refusal, facts.text) == ("I cannot.", "")


@pytest.mark.parametrize(
    ("data", "error"), [({"code": 429}, "429"), ({"code": "503"}, "503"), ({"code": 0}, "")]
)
def test_a_status_without_words_is_an_error(data: dict[str, object], error: str) -> None:
    facts = _streamed(event(data))
    assert (facts.error or {}).get("message", "") == error
