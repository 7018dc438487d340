"""What is kept of an observation is the observation."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from llm_contracts.clients.observation import Chunk, Failure, Observation, Usage
from llm_contracts.clients.observation_json import observation_from_json, observation_to_json
from llm_contracts.results.document import json_text
from llm_contracts.util.dataclass_json import from_json, to_json
from llm_contracts.wire.interaction import End, Interaction, Piece, Request, Response

# Half surrogate pairs are among these: providers send them, and Python's JSON reads them.
texts = st.text(st.characters(), max_size=12)
numbers = st.none() | st.integers() | st.floats(allow_nan=False)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
mappings = st.dictionaries(texts, plain, max_size=3)
header_lines = st.lists(st.tuples(texts, texts), max_size=3).map(tuple)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def several(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(strategy, max_size=3).map(tuple)


requests = st.builds(Request, method=texts, uri=texts, headers=header_lines, body=st.binary(max_size=20))
usages = st.builds(
    Usage,
    prompt_tokens=maybe(st.integers()),
    completion_tokens=maybe(st.integers()),
    total_tokens=maybe(st.integers()),
    details=mappings,
)
chunks = st.builds(
    Chunk,
    text=texts,
    reasoning=texts,
    reasoning_keys=several(texts),
    tool_calls=several(mappings),
    finish_reason=maybe(texts),
    usage=maybe(usages),
    id=maybe(texts),
    model=maybe(texts),
    role=maybe(texts),
    extra=mappings,
    position=maybe(st.integers()),
    at_ms=numbers,
)
failures = st.builds(
    Failure,
    category=texts,
    message=texts,
    status=maybe(st.integers()),
    code=maybe(texts),
    provider_code=maybe(texts),
    attempts=maybe(st.integers()),
)
observations = st.builds(
    Observation,
    client=texts,
    requests=several(requests),
    pauses=maybe(several(st.floats(allow_nan=False))),
    chunks=several(chunks),
    failure=maybe(failures),
    generations=several(mappings),
    duration_ms=st.floats(allow_nan=False),
)
responses = st.builds(
    Response,
    status=st.integers(0, 599),
    reason=texts,
    headers=header_lines,
    body=st.binary(max_size=40),
    end=st.sampled_from(End),
    pieces=maybe(several(st.builds(Piece, size=st.integers(0), at_ms=st.floats(allow_nan=False)))),
)


def through_a_file(value: Any) -> Any:
    return json.loads(json_text(value).encode().decode())


@given(observations)
@example(Observation(client="", duration_ms=-0.0))
def test_an_observation_comes_back_as_it_went(seen: Observation) -> None:
    again = observation_from_json(through_a_file(observation_to_json(seen)))
    assert again == seen
    assert repr(again) == repr(seen)  # clocks and positions, too, which take no part in equality


def test_the_older_name_of_a_client_is_read() -> None:
    seen = observation_to_json(Observation(client="old"))
    older = {("path" if name == "client" else name): value for name, value in seen.items()}
    assert observation_from_json(older).client == "old"


@given(st.builds(Interaction, request=requests, response=responses))
def test_an_exchange_comes_back_as_it_went(exchange: Interaction) -> None:
    assert from_json(Interaction, through_a_file(to_json(exchange))) == exchange


def test_a_chunk_is_kept_in_few_bytes() -> None:
    """A stream of five thousand pieces of text must not become megabytes of empty fields."""
    seen = Observation(client="p", chunks=(Chunk(text="word "),))
    assert observation_to_json(seen)["chunks"] == [{"text": "word "}]
