"""One canonical chunk, whatever shape a client gives it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk

from llm_contracts.clients.chunks import NotAChunkError, first_index, to_chunk, to_usage
from llm_contracts.clients.jsonable import jsonable, read
from llm_contracts.clients.observation import Chunk, Usage


class Unreadable:
    choices: tuple[Any, ...] = ()

    @property
    def id(self) -> str:
        raise RuntimeError


@dataclass
class Response:
    """In the shape of `LLMStreamResponse`."""

    id: str | None = "r1"
    is_end: bool = False
    is_truncated: bool = False
    result: Any = "Hi"
    finish_reason: str | None = None
    usage: Any = None


class Word(StrEnum):
    STOP = "stop"


def event(delta: dict[str, Any], **choice: Any) -> dict[str, Any]:
    return {"id": "r1", "model": "m", "choices": [{"index": 0, "delta": delta, **choice}]}


CASES: dict[str, tuple[Any, Chunk]] = {
    "string": ("gpt-x", Chunk(text="gpt-x")),
    "content": (event({"content": "Hi", "role": "assistant"}), Chunk(text="Hi", role="assistant")),
    "null content": (event({"content": None}), Chunk()),
    "finish": (event({}, finish_reason="stop"), Chunk(finish_reason="stop")),
    "empty finish": (event({}, finish_reason=""), Chunk(finish_reason="")),
    "finish as enum": (event({}, finish_reason=Word.STOP), Chunk(finish_reason="stop")),
    "reasoning_content": (
        event({"reasoning_content": "hm"}),
        Chunk(reasoning="hm", reasoning_keys=("reasoning_content",)),
    ),
    "reasoning": (event({"reasoning": "hm"}), Chunk(reasoning="hm", reasoning_keys=("reasoning",))),
    "both reasonings": (
        event({"reasoning_content": "", "reasoning": "hm"}),
        Chunk(reasoning="hm", reasoning_keys=("reasoning",)),
    ),
    "list content": (
        event({"content": [{"type": "text", "text": "a"}]}),
        Chunk(extra={"content": [{"type": "text", "text": "a"}]}),
    ),
    "number content": (event({"content": 7}), Chunk(extra={"content": 7})),
    "refusal": (event({"refusal": "no"}), Chunk(extra={"refusal": "no"})),
    "tool call": (
        event({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{"}}]}),
        Chunk(tool_calls=({"index": 0, "id": "c", "name": "f", "arguments": "{"},)),
    ),
    "tool call without function": (
        event({"tool_calls": [{"index": None, "type": "function", "function": None}]}),
        Chunk(tool_calls=({"type": "function"},)),
    ),
}


@pytest.mark.parametrize(("item", "expected"), CASES.values(), ids=CASES)
def test_each_shape_has_its_canonical_form(item: Any, expected: Chunk) -> None:
    chunk = to_chunk(item)
    identity = {"id": chunk.id, "model": chunk.model}
    assert chunk == Chunk(**{name: getattr(expected, name) for name in Chunk.__dataclass_fields__} | identity)


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "Hi", "role": "assistant"},
        {"reasoning_content": "hm"},
        {"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f"}}]},
    ],
)
def test_objects_of_the_sdk_and_their_json_are_the_same_chunk(delta: dict[str, Any]) -> None:
    raw = event(delta)
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "vendor_tokens": 4}
    raw |= {"object": "chat.completion.chunk", "created": 1, "usage": usage}
    assert to_chunk(ChatCompletionChunk.construct(None, **raw)) == to_chunk(raw)
    assert to_chunk(raw).usage == Usage(
        prompt_tokens=1, completion_tokens=2, total_tokens=3, details={"vendor_tokens": 4}
    )


def test_an_ordinary_chunk_without_the_attribute_usage_has_none() -> None:
    """LiteLLM leaves it out."""
    delta = SimpleNamespace(content="Hi", role=None)
    choice = SimpleNamespace(index=0, delta=delta, finish_reason=None)
    assert to_chunk(SimpleNamespace(id="r1", choices=[choice], model="m")) == Chunk(
        text="Hi", id="r1", model="m"
    )


def test_only_the_first_choice_is_text() -> None:
    """The others are kept, so that losing them can be seen."""
    raw: dict[str, Any] = event({"content": "a"})
    raw["choices"].append({"index": 1, "delta": {"content": "b"}, "finish_reason": "stop"})
    other = {"index": 1, "text": "b", "finish_reason": "stop"}
    assert to_chunk(raw).text == "a"
    assert to_chunk(raw).others == (other,)
    assert to_chunk({"choices": raw["choices"][1:]}, 0) == Chunk(others=(other,))


def test_the_choice_that_comes_first_is_the_answer_whatever_its_index() -> None:
    raw: dict[str, Any] = event({"content": "a"})
    raw["choices"][0]["index"] = 1
    assert first_index(raw) == 1
    assert to_chunk(raw).text == to_chunk(raw, 1).text == "a"
    assert to_chunk(raw, 0).text == ""


def test_a_whole_completion_is_read_like_a_stream() -> None:
    calls = [{"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}]
    message = {"role": "assistant", "content": "Hi", "tool_calls": calls}
    whole = {
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "object": "chat.completion",
    }
    chunk = to_chunk(whole)
    assert (chunk.text, chunk.role, chunk.finish_reason) == ("Hi", "assistant", "stop")
    assert [call["name"] for call in chunk.tool_calls] == ["add"]
    assert chunk.rest == {"object": "chat.completion", "choices": [{"index": 0}]}


def test_what_no_field_holds_stays() -> None:
    raw = {**event({"content": "a", "audio": {"id": "x"}}), "citations": ["u"], "created": 1}
    raw["choices"][0]["logprobs"] = None
    kept = {
        "citations": ["u"],
        "created": 1,
        "choices": [{"index": 0, "logprobs": None, "delta": {"audio": {"id": "x"}}}],
    }
    assert {name: value for name, value in to_chunk(raw).rest.items() if name != "object"} == kept


@pytest.mark.parametrize("choices", [None, [], {}, "x"])
def test_a_chunk_without_choices_is_empty_or_carries_usage(choices: Any) -> None:
    assert to_chunk({"choices": choices}) == Chunk()
    told = to_chunk({"choices": choices, "usage": {"total_tokens": 3}})
    assert told.usage == Usage(total_tokens=3)


@pytest.mark.parametrize("shape", [lambda r: r, vars], ids=["object", "mapping"])
def test_a_response_of_the_adapter_is_a_chunk(shape: Any) -> None:
    response = Response(finish_reason="stop", usage=Usage(prompt_tokens=1, completion_tokens=2))
    assert to_chunk(shape(response)) == Chunk(
        text="Hi", id="r1", finish_reason="stop", usage=Usage(prompt_tokens=1, completion_tokens=2)
    )
    assert to_chunk(shape(Response(result=None))) == Chunk(id="r1")
    assert to_chunk(shape(Response(result=3))) == Chunk(id="r1", extra={"content": 3})


def test_an_attribute_that_raises_counts_as_missing() -> None:
    assert to_chunk(Unreadable()) == Chunk()
    assert read(Unreadable(), "id") is None


@pytest.mark.parametrize("item", [None, 7, b"data", SimpleNamespace(secret="s"), object()])
def test_anything_else_is_nonsense_named_by_its_type(item: Any) -> None:
    with pytest.raises(NotAChunkError, match=r"^an object of type") as error:
        to_chunk(item)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        ({}, None),
        ({"prompt_tokens": None}, None),
        ({"prompt_tokens": 0}, Usage(prompt_tokens=0)),
        (
            {"input": 1, "output": 2, "total": 3, "input_cached_tokens": 1},
            Usage(prompt_tokens=1, completion_tokens=2, total_tokens=3, details={"input_cached_tokens": 1}),
        ),
        ({"input_tokens": 1, "output_tokens": 2}, Usage(prompt_tokens=1, completion_tokens=2)),
        (
            {"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 1, "audio_tokens": None}},
            Usage(prompt_tokens=1, details={"prompt_tokens_details.cached_tokens": 1}),
        ),
        ({"queue_time": 0.5, "name": "x", "flag": True}, Usage(details={"queue_time": 0.5})),
        ({"parts": [{"n": 1}, {"n": 2}]}, Usage(details={"parts.0.n": 1, "parts.1.n": 2})),
        ({"total_tokens": 3.5}, Usage(total_tokens=3.5)),
        ({"total_tokens": 3.0, "prompt_tokens": "2"}, Usage(total_tokens=3, prompt_tokens=2)),
        (SimpleNamespace(total_tokens=3, _hidden=4), Usage(total_tokens=3)),
    ],
)
def test_usage_keeps_totals_and_every_other_number_by_its_place(given: Any, expected: Usage | None) -> None:
    assert to_usage(given) == expected


def test_totals_are_never_derived() -> None:
    assert to_usage({"prompt_tokens": 1, "completion_tokens": 2}) == Usage(
        prompt_tokens=1, completion_tokens=2
    )


@dataclass
class Nested:
    word: Word = Word.STOP
    inner: tuple[Any, ...] = field(default_factory=lambda: (1, None, object()))


def test_what_json_cannot_hold_is_named_by_its_type() -> None:
    assert jsonable({1: Nested()}) == {"1": {"word": "stop", "inner": [1, None, "<object>"]}}


class Pair(NamedTuple):
    one: int
    other: Any


def test_a_named_tuple_is_its_fields() -> None:
    assert jsonable(Pair(1, Pair(2, ("a", "b")))) == {"one": 1, "other": {"one": 2, "other": ["a", "b"]}}


def test_a_transparent_proxy_says_what_it_stands_for_unless_it_says_otherwise() -> None:
    proxy = pytest.importorskip("wrapt").ObjectProxy
    said = ChatCompletionChunk.construct(None, **event({"content": "Hi"}), obfuscation="x")

    class Renamed(proxy):  # type: ignore[misc,valid-type]
        model = "another"

    assert jsonable(proxy(said)) == jsonable(said)
    assert jsonable(Renamed(said)) == {**jsonable(said), "model": "another"}


def test_a_value_that_contains_itself_comes_to_an_end() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert "<list>" in repr(jsonable(loop))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_json_stays_what_it_is(value: Any) -> None:
    assert jsonable(value) == value


@given(st.fixed_dictionaries({"choices": json_values}, optional={"usage": json_values, "id": json_values}))
def test_no_json_that_a_provider_could_send_breaks_the_conversion(item: dict[str, Any]) -> None:
    assert isinstance(to_chunk(item), Chunk)


@given(st.lists(st.fixed_dictionaries({"delta": json_values, "index": json_values}), max_size=3))
def test_no_choice_breaks_the_conversion(choices: list[dict[str, Any]]) -> None:
    assert isinstance(to_chunk({"choices": choices}), Chunk)
