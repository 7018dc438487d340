"""Which recording answers a request: the same place always, the same body if it can be had, else in order."""

from __future__ import annotations

import json

import pytest

from llm_contracts.wire.interaction import Interaction, Request, Response
from llm_contracts.wire.matching import NO_MATCH, Matcher, canonical_body
from tests.harness.wire.exchanges import PUBLIC, TARGET, exchange


def _recorded(answer: bytes, *, body: bytes = b"{}", target: str = TARGET) -> Interaction:
    return exchange(Response(status=200, body=answer), body=body, target=target)


def _ask(
    matcher: Matcher, *, body: bytes = b"{}", target: str = TARGET, method: str = "POST", origin: str = PUBLIC
) -> bytes:
    return matcher.answer(Request(method=method, uri=origin + target, body=body)).response.body


def test_equal_requests_get_the_recorded_answers_in_order_and_the_last_one_for_ever() -> None:
    """So a recorded retry plays as it was recorded, and a client that retries once more finds an answer."""
    matcher = Matcher([_recorded(b"1"), _recorded(b"2")])
    assert [_ask(matcher) for _ in range(4)] == [b"1", b"2", b"2", b"2"]


def test_an_equal_body_goes_before_the_order() -> None:
    matcher = Matcher([_recorded(b"1", body=b'{"a":1}'), _recorded(b"2", body=b'{"b":2,"a":[1]}')])
    assert _ask(matcher, body=b'{"a": [1], "b": 2}') == b"2"
    assert _ask(matcher, body=b'{"c":3}') == b"1"


def test_with_everything_played_an_equal_body_still_decides() -> None:
    matcher = Matcher([_recorded(b"1", body=b"1"), _recorded(b"2", body=b"2")])
    assert [_ask(matcher, body=body) for body in (b"1", b"2", b"1", b"3")] == [b"1", b"2", b"1", b"2"]


def test_another_body_is_answered_all_the_same() -> None:
    """What a path sent is compared elsewhere; a miss would hide that difference behind a failure."""
    assert _ask(Matcher([_recorded(b"1", body=b"{}")]), body=b'{"temperature":0}') == b"1"


def test_the_query_narrows_but_does_not_refuse() -> None:
    matcher = Matcher([_recorded(b"1", target="/m?a=1"), _recorded(b"2", target="/m?b=2&c=")])
    assert _ask(matcher, target="/m?c=&b=2") == b"2"
    assert _ask(matcher, target="/m") == b"1"


def test_credentials_in_the_query_take_no_part() -> None:
    matcher = Matcher(
        [_recorded(b"0", target="/m?a=0&key=scrubbed"), _recorded(b"1", target="/m?a=1&key=scrubbed")]
    )
    assert _ask(matcher, target="/m?key=mine&a=1") == b"1"


@pytest.mark.parametrize(
    ("target", "method", "nearest", "differs"),
    [
        ("/chat/completions", "POST", TARGET, ["path"]),
        (TARGET, "GET", TARGET, ["method"]),
        ("/x?a=1", "PUT", "/v1/models", ["method", "path", "query"]),
    ],
)
def test_another_place_is_refused_with_the_nearest_recording(
    target: str, method: str, nearest: str, differs: list[str]
) -> None:
    matcher = Matcher([_recorded(b"far", target="/v1/models"), _recorded(b"near")])
    refusal = matcher.answer(Request(method=method, uri=PUBLIC + target, body=b"{}")).response
    assert refusal.status == NO_MATCH
    said = json.loads(refusal.body)
    assert said["nearest"] == f"POST {PUBLIC}{nearest}"
    assert said["differs"] == differs
    assert target in said["error"]["message"]
    assert refusal.header("x-should-retry") == "false"


def test_a_difference_in_the_body_is_named_too() -> None:
    refusal = (
        Matcher([_recorded(b"1")]).answer(Request(method="POST", uri=PUBLIC + "/x", body=b"other")).response
    )
    assert json.loads(refusal.body)["differs"] == ["path", "body"]


def test_an_empty_recording_refuses_without_a_nearest_one() -> None:
    refusal = Matcher([]).answer(Request(method="POST", uri=PUBLIC + "/x?key=hush")).response
    said = json.loads(refusal.body)
    assert (said["nearest"], said["differs"]) == (None, [])
    assert b"hush" not in refusal.body


def test_the_host_decides_only_where_clients_call_the_provider_itself() -> None:
    recorded = [_recorded(b"1")]
    assert _ask(Matcher(recorded), origin="https://elsewhere.example") == b"1"
    assert b"nothing_recorded" in _ask(Matcher(recorded, by_host=True), origin="https://elsewhere.example")


def test_canonical_bodies_are_equal_for_equal_values_only() -> None:
    assert canonical_body(b'{"b":1, "a":"\\u4f60"}') == canonical_body('{"a":"你","b":1}'.encode())
    assert canonical_body(b"[1,2]") != canonical_body(b"[2,1]")
    assert canonical_body(b"no json") == b"no json"
    assert canonical_body(b"[" * 100_000) == b"[" * 100_000
