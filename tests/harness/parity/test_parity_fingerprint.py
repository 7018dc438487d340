"""A fingerprint names a difference for good: clocks, ids, ports and the order of files do not change it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_contracts.clients.observation import Chunk, Failure, Observation, Usage
from llm_contracts.parity.compare import compare
from llm_contracts.parity.compare.finding import ABSENT, Finding
from llm_contracts.parity.divergence import Kind
from tests.harness.parity.samples import chunks, facts, observation, usage

VOLATILE = [
    ("chatcmpl-AbC123", "chatcmpl-zzz999"),
    ("call_1a2b", "call_3c4d"),
    ("http://127.0.0.1:40123/k3y/v1", "http://127.0.0.1:8080/other/v1"),
    ("6f2b2a9e-8e0c-4b7a-9b1e-0f2d3c4b5a69", "00000000-8e0c-4b7a-9b1e-0f2d3c4b5a60"),
    ("2026-01-02T03:04:05Z", "2027-11-12T13:14:15Z"),
    (1767312000, 1790000001),
    ("took 1.25 s", "took 3 s"),
    ("0123456789abcdef01", "0123456789abcdef02"),
]


def name(reference: object, *, where: str = "id", scope: str = "openai/plain", unstable: bool = False) -> str:
    finding = Finding(
        kind=Kind.RESPONSE_ID, where=where, reference=reference, candidate="x", unstable=unstable
    )
    return finding.seal(scope).fingerprint


@pytest.mark.parametrize(("one", "other"), VOLATILE)
def test_what_changes_with_every_run_is_left_out(one: object, other: object) -> None:
    assert name(one) == name(other)


@pytest.mark.parametrize(("one", "other"), [("stop", "length"), (3, 14), (None, ABSENT), ("m", "n")])
def test_what_differs_has_another_name(one: object, other: object) -> None:
    assert name(one) != name(other)


def test_scope_and_place_are_part_of_the_name() -> None:
    assert len({name("a"), name("a", where="model"), name("a", scope="glm/plain")}) == 3


def test_values_that_depend_on_timing_are_left_out() -> None:
    assert name(1, unstable=True) == name(2, unstable=True)


def test_the_order_of_keys_does_not_matter() -> None:
    assert name({"a": 1, "b": 2}) == name({"b": 2, "a": 1})


def test_a_name_stays_the_same_in_later_releases() -> None:
    """Reviewers' decisions are stored under it: this value may only change with an entry in the changelog."""
    wrong = observation(chunks=chunks("Hel", "lo", told=usage(total=14)))
    (difference,) = compare(observation(), wrong, (facts(),), scope="openai/plain-stream").divergences
    assert re.fullmatch(r"[0-9a-f]{12}", difference.fingerprint)
    assert difference.fingerprint == "d102b3ae8228"


texts = st.text(max_size=8)
usages = st.builds(
    Usage,
    prompt_tokens=st.none() | st.integers(0, 9),
    total_tokens=st.none() | st.integers(0, 9),
    details=st.dictionaries(texts, st.integers(0, 9), max_size=2),
)
some_chunks = st.builds(
    Chunk,
    text=texts,
    reasoning=texts,
    tool_calls=st.lists(
        st.fixed_dictionaries({}, optional={"index": st.integers(0, 2), "id": texts, "name": texts}),
        max_size=2,
    ).map(tuple),
    finish_reason=st.none() | st.sampled_from(["", "stop", "length"]),
    usage=st.none() | usages,
    id=st.none() | texts,
    model=st.none() | texts,
    extra=st.dictionaries(st.sampled_from(["content", "refusal", "choices"]), texts, max_size=2),
    position=st.none() | st.integers(0, 9),
)
observations = st.builds(
    Observation,
    client=texts,
    chunks=st.lists(some_chunks, max_size=6).map(tuple),
    failure=st.none()
    | st.builds(Failure, category=texts, message=texts, status=st.none() | st.integers(0, 599)),
    generations=st.lists(st.dictionaries(st.sampled_from(["name", "usage", "level"]), texts), max_size=2).map(
        tuple
    ),
)


@given(observations)
def test_an_observation_differs_from_itself_in_nothing(seen: Observation) -> None:
    """The control: a path against itself."""
    found = compare(seen, seen, (), scope="s")
    assert found.divergences == ()
    assert found.normalised == {}


@given(observations, observations)
def test_any_two_observations_are_compared_and_named_alike(one: Observation, other: Observation) -> None:
    first = compare(one, other, (facts(),), scope="s")
    assert first == compare(one, other, (facts(),), scope="s")
