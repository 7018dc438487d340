"""What an application can name on the parts of a chunk, however deep, and which of them are mappings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from itertools import chain
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel, ConfigDict

from llm_contracts.clients.surface import MAPPING, shapes, shared_names
from llm_contracts.parity.compare import compare
from llm_contracts.parity.compare.finding import ABSENT
from tests.harness.parity.samples import facts, observation

CALL = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
CHUNK = {
    "id": "1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "delta": {"tool_calls": [CALL]}, "finish_reason": None}],
    "usage": {
        "prompt_tokens": 1,
        "completion_tokens": 1,
        "total_tokens": 2,
        "prompt_tokens_details": {"cached_tokens": 1},
    },
}


def names(*items: Any) -> Mapping[str, tuple[str, ...]]:
    return shared_names(dict.fromkeys(shape for item in items for shape in shapes(item)))


def chunk() -> Any:
    return ChatCompletionChunk.model_validate(CHUNK)


def compared(ours: Any, theirs: Any) -> tuple[list[tuple[str, Any, Any]], Mapping[str, int]]:
    one, other = (observation(surface=names(each)) for each in (ours, theirs))
    found = compare(one, other, (facts(),), scope="s")
    return [(d.where, d.reference, d.candidate) for d in found.divergences], found.normalised


def test_every_part_of_a_chunk_is_looked_at() -> None:
    found = names(chunk())
    assert set(found) == {
        "chunk",
        "choice",
        "delta",
        "tool_call",
        "function",
        "usage",
        "prompt_tokens_details",
    }
    assert "cached_tokens" in found["prompt_tokens_details"]
    whole = {**CHUNK, "choices": [{"index": 0, "message": {"role": "assistant"}, "finish_reason": "stop"}]}
    assert (
        "tool_calls"
        in names(ChatCompletion.model_validate({**whole, "object": "chat.completion"}))["message"]
    )


@pytest.mark.parametrize(
    "part", ["usage", "prompt_tokens_details", "choice", "delta", "tool_call", "function"]
)
def test_a_mapping_inside_an_object_is_an_attribute_that_is_gone(part: str) -> None:
    changed = chunk()
    choice = changed.choices[0]
    holders = {
        "usage": (changed, "usage"),
        "prompt_tokens_details": (changed.usage, "prompt_tokens_details"),
        "delta": (choice, "delta"),
        "function": (choice.delta.tool_calls[0], "function"),
    }
    if part in holders:
        holder, name = holders[part]
        setattr(holder, name, getattr(holder, name).model_dump())
    elif part == "choice":
        changed.choices = [choice.model_dump()]
    else:
        choice.delta.tool_calls = [choice.delta.tool_calls[0].model_dump()]
    assert compared(chunk(), changed)[0] == [(part, "an object", "a mapping")]


def test_who_hands_on_mappings_or_objects_throughout_is_counted_and_no_difference() -> None:
    assert names(CHUNK) == {"chunk": MAPPING}
    for pair in ((chunk(), CHUNK), (CHUNK, chunk())):
        found, normalised = compared(*pair)
        assert found == []
        assert normalised["object-type"] == 1


def test_objects_that_can_be_subscripted_are_told_from_those_that_cannot() -> None:
    class Subscripted:
        def __init__(self) -> None:
            self.choices: list[Any] = []

        def __getitem__(self, name: str) -> Any:
            return getattr(self, name)

    class Plain:
        def __init__(self) -> None:
            self.choices: list[Any] = []

    assert compared(Subscripted(), Plain())[0] == [("chunk.__getitem__", "present", ABSENT)]


def test_what_lies_in_slots_is_found_and_foreign_objects_are_left_alone() -> None:
    @dataclass(frozen=True, slots=True)
    class Inner:
        number: int = 1

    @dataclass(frozen=True, slots=True)
    class Outer:
        usage: Inner = field(default_factory=Inner)
        client: Any = field(default_factory=object)

    assert set(names(Outer())) == {"chunk", "usage"}


class Counted(NamedTuple):
    total_tokens: int = 1


class Answer(NamedTuple):
    usage: Counted = Counted()


def test_a_named_tuple_is_an_object_with_names_and_no_list() -> None:
    found = names(Answer())
    assert "usage" in found["chunk"]
    assert "total_tokens" in found["usage"]


def test_a_transparent_proxy_has_the_names_of_what_it_stands_for() -> None:
    proxy = pytest.importorskip("wrapt").ObjectProxy
    assert names(proxy(chunk())) == names(chunk())


class Delta(BaseModel):
    """As LiteLLM's: no field is declared but those that are its own."""

    model_config = ConfigDict(extra="allow")
    provider: str | None = None


class Choice(BaseModel):
    model_config = ConfigDict(extra="allow")


class Chunk(BaseModel):
    choices: list[Choice]


def test_fields_that_a_model_holds_without_declaring_them_can_be_named() -> None:
    given = Chunk(
        choices=[Choice.model_validate({"index": 0, "delta": Delta.model_validate({"content": ""})})]
    )
    assert names(given) == {
        "chunk": ("choices",),
        "choice": ("delta", "index"),
        "delta": ("content", "provider"),
    }


def test_a_text_among_objects_has_no_name_that_these_have() -> None:
    assert shared_names(dict.fromkeys(chain(shapes(SimpleNamespace(choices=[])), shapes("")))) == {
        "chunk": ()
    }


def test_a_value_that_equals_nothing_of_json_is_named_with_its_kind() -> None:
    class Reason(Enum):
        STOP = "stop"

    class Word(StrEnum):
        STOP = "stop"

    def parts(reason: Any) -> set[str]:
        return {part for part, *_ in shapes(SimpleNamespace(choices=[SimpleNamespace(finish_reason=reason)]))}

    assert parts(Reason.STOP) == {"chunk", "choice", "finish_reason: Reason"}
    assert parts(Word.STOP) == {"chunk", "choice"}
