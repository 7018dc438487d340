"""What the smallest parts of chunks, answers and errors are compared as."""

from __future__ import annotations

from typing import Any

import pytest

from llm_contracts.clients.chunks import ItemReader
from llm_contracts.clients.observation import Observation
from llm_contracts.parity.compare import Comparison, compare
from tests.harness.parity.samples import URL, facts, failure, observation, request

NAN = float("nan")


def read(*items: Any) -> Observation:
    reader = ItemReader()
    return observation(chunks=tuple(chunk for item in items for chunk in reader(item)))


def compared(ours: Observation, theirs: Observation, said: str = "") -> Comparison:
    return compare(ours, theirs, (facts(said=said),), scope="s")


def seen(found: Comparison) -> set[str]:
    return {f"{one.kind} {one.where}" for one in found.divergences if one.kind != "unfaithful"}


@pytest.mark.parametrize(
    ("ours", "theirs", "reported", "counted"),
    [
        (1, True, {"fields n"}, {}),
        (True, 1, {"fields n"}, {}),
        (1, 1.0, set(), {"number-spelling": 1}),
        (0.0, -0.0, set(), {"number-spelling": 1}),
        (NAN, NAN, set(), {}),
        (2**60 + 1, float(2**60), {"fields n"}, {}),
        ("1", 1, {"fields n"}, {}),
        ("é", "e\u0301", {"fields n"}, {}),
    ],
)
def test_values_are_the_same_as_json_writes_them(
    ours: Any, theirs: Any, reported: set[str], counted: dict[str, int]
) -> None:
    found = compared(read({"object": "x", "n": ours}), read({"object": "x", "n": theirs}))
    assert (seen(found), dict(found.normalised)) == (reported, counted)


@pytest.mark.parametrize("ours", [{}, {"n": None}])
def test_a_text_of_the_provider_s_is_not_what_stands_for_none(ours: dict[str, Any]) -> None:
    found = compared(read({"object": "x", **ours}), read({"object": "x", "n": "<absent>"}))
    assert (seen(found), dict(found.normalised)) == ({"fields n"}, {})
    asked, other = (request(body={"messages": [], **more}) for more in ({}, {"user": "<absent>"}))
    found = compared(observation(requests=(asked,)), observation(requests=(other,)))
    assert "request_body body.user" in seen(found)


@pytest.mark.parametrize("theirs", [{}, {"index": None}, {"index": "0"}])
def test_the_index_of_a_choice_is_not_lost_in_silence(theirs: dict[str, Any]) -> None:
    ours = {"choices": [{"index": 0, "delta": {"content": "hi"}}]}
    found = compared(read(ours), read({"choices": [{"delta": {"content": "hi"}, **theirs}]}))
    assert (seen(found), dict(found.normalised)) == ({"fields choices[0].index"}, {})


@pytest.mark.parametrize(
    ("theirs", "reported"),
    [
        (1764300009, set()),
        (1764300009.0, set()),
        (1764300000.5, {"fields created"}),
        (NAN, {"fields created"}),
    ],
)
def test_another_time_of_the_answer_is_one_of_whole_seconds(theirs: float, reported: set[str]) -> None:
    """A number with a fraction must not be looked for among billions, one by one."""
    ours = {"choices": [], "created": 1764300000}
    assert seen(compared(read(ours), read({**ours, "created": theirs}))) == reported


def test_what_an_sdk_adds_is_known_by_its_whole_name() -> None:
    own = {
        "parsed": 1,
        "createTime": "now",
        "response": {"content": [1], "content_filters": [{"blocked": True}]},
    }
    found = compared(read({"type": "x", **own}), read({"type": "x", "response": {"id": 1}}))
    assert seen(found) == {"fields response.content_filters[0].blocked", "fields response.id"}
    assert found.normalised["object-type"] == 3
    found = compared(read({"type": "x", "parsed_at": 1}), read({"type": "x"}))
    assert seen(found) == {"fields parsed_at"}


def test_an_event_of_any_api_counts() -> None:
    begun, piece, ended = {"n": 1}, {"n": 2, "d": "a"}, {"n": 2, "d": "b"}
    assert seen(compared(read(begun, piece, ended), read(begun, ended))) == {"fields d", "order order.type"}
    assert seen(compared(read(begun, piece), read(begun, piece, piece))) == {"order order.type"}
    ping = {"type": "ping"}
    assert seen(compared(read({"type": "a"}, ping), read({"type": "a"}))) == {"chunk_count chunks.empty"}


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"usageMetadata": {"promptTokenCount": 1, "promptTokensDetails": []}}, "usageMetadata.trafficType"),
        (
            {"candidates": [{"content": {"parts": [{"text": "x"}, {"functionCall": {"name": "f"}}]}}]},
            "order[0]",
        ),
        ({"candidates": [{"index": 1}]}, "choices[1].index"),
    ],
)
def test_what_is_left_of_a_gemini_answer_is_compared(changed: dict[str, Any], where: str) -> None:
    parts = [{"functionCall": {"name": "f", "args": {"a": 1, "b": 2}}}, {"text": "x"}]
    usage = {"promptTokenCount": 1, "trafficType": "ON_DEMAND"}
    sent = {"candidates": [{"content": {"parts": parts}}], "usageMetadata": usage}
    found = seen(compared(read(sent), read({**sent, **changed})))
    assert any(each.startswith("fields ") and each.endswith(where) for each in found)
    parts[0]["functionCall"]["args"] = {"b": 2, "a": 1}  # type: ignore[index]  # an object has no order
    assert seen(compared(read(sent), read({**sent, "candidates": [{"content": {"parts": parts}}]}))) == set()


def test_totals_that_one_event_alone_lacks_are_lost() -> None:
    start = {"type": "message_start", "message": {"usage": {"input_tokens": 3, "cache_read_input_tokens": 2}}}
    end = {"type": "message_delta", "usage": {"cache_read_input_tokens": 2, "output_tokens": 9}}
    lacking = {"type": "message_delta", "usage": {"cache_read_input_tokens": None, "output_tokens": 9}}
    assert seen(compared(read(start, end), read(start, lacking))) == {"fields counted"}


@pytest.mark.parametrize(
    ("ours", "theirs", "reported"),
    [
        ({"said": "again in 20s"}, {"said": "again in 2s"}, {"fields error.message"}),
        ({"said": "gave up after 20s: 600s"}, {"said": "gave up after 20s: 601s"}, set()),
        (
            {"fields": {"request_id": "req_1"}},
            {"fields": {"request_id": "req_2"}},
            {"fields error.request_id"},
        ),
        ({"fields": {"request_id": "req_8"}}, {"fields": {"request_id": "req_9"}}, set()),
        (
            {"status": 400, "fields": {"status_code": 400}},
            {"status": 400, "fields": {"status_code": "400"}},
            {"fields error.status_code"},
        ),
        (
            {"said": "m", "fields": {"message": "m"}},
            {"said": "m", "fields": {"message": "x"}},
            {"fields error.message"},
        ),
        ({"below": ("httpx.ReadError",)}, {"classes": ("E",)}, {"surface error.__cause__"}),
    ],
)
def test_what_a_provider_said_is_no_chance(ours: Any, theirs: Any, reported: set[str]) -> None:
    one, other = (observation(failure=failure(**each)) for each in (ours, theirs))
    assert seen(compared(one, other, said="again in 20s req_1")) == reported


def test_causes_of_another_class_are_counted() -> None:
    one, other = (observation(failure=failure(below=(name,))) for name in ("a.E", "b.E"))
    found = compared(one, other)
    assert (seen(found), dict(found.normalised)) == (set(), {"error-cause": 1})


def test_headers_of_the_answer_that_a_stream_holds_are_compared() -> None:
    def held(**headers: str) -> Observation:
        return observation(answer={"status": 200, "headers": headers})

    found = compared(held(a="1", date="x"), held(a="2", date="y"))
    assert seen(found) == {"fields stream.response.headers.a"}
    assert seen(compared(held(a="1"), observation())) == set()  # `surface` says that there is no response


@pytest.mark.parametrize(
    ("query", "reported", "counted"),
    [
        ("b=2&a=%31", set(), {"query-spelling": 1}),
        ("a=1&b=3", {"request_target target.query"}, {}),
    ],
)
def test_the_order_of_a_query_says_nothing(query: str, reported: set[str], counted: dict[str, int]) -> None:
    one, other = (observation(requests=(request(uri=f"{URL}?{each}"),)) for each in ("a=1&b=2", query))
    found = compared(one, other)
    assert (seen(found), dict(found.normalised)) == (reported, counted)


def test_only_a_call_that_streams_fails_before_its_answer_is_read() -> None:
    def failed(raised: str, **body: Any) -> Observation:
        return observation(failure=failure(raised=raised), requests=(request(body=body),))

    found = compared(failed("call"), failed("stream"))
    assert (seen(found), dict(found.normalised)) == (set(), {"whole-answer": 1})
    assert seen(compared(failed("call", stream=True), failed("stream", stream=True))) == {
        "error_position error.raised"
    }
