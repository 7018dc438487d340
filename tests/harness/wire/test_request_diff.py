"""What differs between two requests, by the values that a provider would read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_contracts.wire.interaction import Request
from llm_contracts.wire.request_diff import differences, likeness, same_request

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


def _request(body: str = "{}", *, uri: str = "https://api.openai.com/v1/x", method: str = "POST") -> Request:
    return Request(method=method, uri=uri, body=body.encode())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a":1}', '{"a":1.0}'),
        ('{"a":100}', '{"a":1e2}'),
        ('{"a":[1,{"b":2}], "c":"\\u4f60"}', '{"c":"你","a":[1,{"b":2}]}'),
        ("plain", "plain"),
    ],
)
def test_values_that_are_written_otherwise_are_the_same(one: str, other: str) -> None:
    assert same_request(_request(one), _request(other))


@pytest.mark.parametrize(
    ("one", "other", "where"),
    [
        ('{"a":1}', '{"a":true}', "body.a"),
        ('{"a":1}', '{"a":"1"}', "body.a"),
        ('{"a":0}', '{"a":false}', "body.a"),
        ('{"a":null}', "{}", "body.a"),
        ('{"a":[1]}', '{"a":[1,2]}', "body.a[1]"),
        ('{"a":{"b":1}}', '{"a":{"b":2}}', "body.a.b"),
        ("{}", "[]", "body"),
        ("x", "y", "body"),
        ('{"n":1.5}', '{"n":1.25}', "body.n"),
    ],
)
def test_values_that_a_provider_reads_otherwise_differ(one: str, other: str, where: str) -> None:
    assert [each.where for each in differences(_request(one), _request(other))] == [where]


@given(VALUES, VALUES)
def test_a_difference_is_found_exactly_where_there_is_one(one: Any, other: Any) -> None:
    requests = _request(json.dumps(one)), _request(json.dumps(other))
    assert same_request(requests[0], requests[0])
    assert same_request(*requests) == (not differences(*requests))
    assert same_request(*requests) == same_request(*reversed(requests))


def test_long_values_and_long_lists_are_cut_short() -> None:
    (found,) = differences(_request(json.dumps("x" * 1000)), _request("1"))
    assert len(found.sent) < 250
    many = {str(n): n for n in range(100)}
    assert len(differences(_request(json.dumps(many)), _request("{}"))) == 20


def test_values_nested_beyond_comparison_differ_without_harm() -> None:
    deep, deeper = "[" * 100_000 + "]" * 100_000, "[" * 100_001 + "]" * 100_001
    assert [each.where for each in differences(_request(deep), _request(deeper))] == ["body"]


def test_credentials_in_the_query_take_no_part() -> None:
    mine, theirs = (
        _request(uri=f"https://h.example/v1/x?key={key}&a=1") for key in ("sk-mine-123456", "scrubbed")
    )
    assert same_request(mine, theirs)


def test_the_end_of_the_path_counts_more_than_anything_else() -> None:
    asked = _request('{"a":1}', uri="https://h.example/v2/chat")
    near = _request("{}", uri="https://h.example/v1/chat", method="GET")
    far = _request('{"a":1}', uri="https://h.example/v2/models")
    assert likeness(asked, near) > likeness(asked, far)
