"""How the same is handed on: on which pieces, under which labels, and when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from llm_contracts.clients.chunks import to_chunk
from llm_contracts.clients.observation import Chunk, Observation
from llm_contracts.parity.compare import compare
from llm_contracts.wire.protocols import GENERIC
from tests.harness.parity.samples import facts, observation


def found(ours: Observation, theirs: Observation) -> list[tuple[str, str]]:
    divergences = compare(ours, theirs, (facts(),), scope="s").divergences
    return [(str(d.kind), d.where) for d in divergences if d.kind != "unfaithful"]


def normalised(ours: Observation, theirs: Observation) -> dict[str, int]:
    return dict(compare(ours, theirs, (facts(),), scope="s").normalised)


def said(*chunks: Chunk) -> Observation:
    return observation(chunks=chunks)


def called(*deltas: dict[str, Any]) -> Observation:
    return said(*(Chunk(tool_calls=({"index": 0, **delta},), position=n) for n, delta in enumerate(deltas)))


def labelled(*ids: str | None) -> Observation:
    return said(*(Chunk(text="x", id=each) for each in ids))


FIRST = {"id": "c1", "type": "function", "name": "weather", "arguments": ""}


def test_an_id_on_fewer_pieces_is_lost_and_on_more_it_is_counted() -> None:
    every, first = labelled("a", "a", "a"), labelled("a", None, "")
    assert found(every, first) == [("response_id", "id")]
    assert found(first, every) == []
    assert normalised(first, every) == {"label-repeated": 2}


def test_ids_that_alternate_are_another_sequence() -> None:
    assert found(labelled("a", "a", "b", "b"), labelled("a", "b", "a", "b")) == [("response_id", "id")]


def test_reasoning_in_other_pieces_is_a_difference() -> None:
    whole = said(Chunk(reasoning="why", reasoning_keys=("reasoning",)))
    pieces = (replace(whole.chunks[0], reasoning=letter) for letter in "why")
    assert found(whole, said(*pieces)) == [("deltas", "reasoning.delta[0]")]


def test_another_choice_in_other_pieces_is_a_difference() -> None:
    one = said(Chunk(text="a", others=({"index": 1, "text": "bc"},)))
    two = said(
        Chunk(text="a", others=({"index": 1, "text": "b"},)), Chunk(others=({"index": 1, "text": "c"},))
    )
    assert ("deltas", "choices[1].delta[0]") in found(one, two)


@pytest.mark.parametrize(
    ("deltas", "kind", "where"),
    [
        ([FIRST, {"arguments": '{"a":1}'}], "deltas", "tool_calls[0].arguments.delta[0]"),
        ([FIRST, {"id": "c1", "arguments": '{"a"'}, {"arguments": ":1}"}], "fields", "tool_calls[0].id"),
        (
            [{**FIRST, "name": ""}, {"arguments": '{"a"'}, {"name": "weather", "arguments": ":1}"}],
            "fields",
            "tool_calls[0].name",
        ),
    ],
)
def test_the_same_call_handed_on_otherwise_is_a_difference(
    deltas: list[dict[str, Any]], kind: str, where: str
) -> None:
    usual = called(FIRST, {"arguments": '{"a"'}, {"arguments": ":1}"})
    assert found(usual, called(*deltas)) == [(kind, where)]
    assert found(usual, usual) == []


def test_reasoning_and_arguments_that_come_late_are_seen() -> None:
    def reasoning(*positions: int) -> Observation:
        return said(*(Chunk(reasoning="r", position=at) for at in positions))

    def arguments(*positions: int) -> Observation:
        deltas = ({"index": 0, "arguments": "x"} for _ in positions)
        return said(*(Chunk(tool_calls=(d,), position=at) for d, at in zip(deltas, positions, strict=True)))

    def others(*positions: int) -> Observation:
        return said(*(Chunk(others=({"index": 1, "text": "x"},), position=at) for at in positions))

    def refusing(*positions: int) -> Observation:
        return said(*(Chunk(extra={"refusal": "x"}, position=at) for at in positions))

    places = {
        reasoning: "reasoning.delta[0]",
        arguments: "tool_calls.arguments.delta[0]",
        others: "choices.delta[0]",
        refusing: "delta[0]",
    }
    for make, where in places.items():
        assert found(make(1, 2), make(2, 2)) == [("delivery_lag", where)]
        assert found(make(2, 2), make(1, 2)) == []


def test_events_of_an_api_that_nobody_described_are_awaited_where_both_hand_on_as_many() -> None:
    def events(*positions: int) -> Observation:
        return said(*(Chunk(rest={"n": number}, position=at) for number, at in enumerate(positions)))

    def lag(ours: Observation, theirs: Observation, protocol: str) -> list[str]:
        sent = (facts(protocol=protocol),)
        return [
            d.where for d in compare(ours, theirs, sent, scope="s").divergences if d.kind == "delivery_lag"
        ]

    assert lag(events(1, 2), events(2, 2), GENERIC) == ["item[0]"]
    assert lag(events(1, 2), events(2, 2), "openai-chat") == []
    assert lag(events(1, 2), events(2, 2, 2), GENERIC) == []


@pytest.mark.parametrize(("role", "told"), [("user", True), ("assistant", False), (None, True)])
def test_the_role_of_each_choice_is_compared(role: str | None, *, told: bool) -> None:
    def answered(*roles: str | None) -> Observation:
        return said(*(Chunk(text="a", others=({"index": 1, "role": each},)) for each in roles))

    usual = answered("assistant", "assistant")
    assert (("fields", "choices[1].delta.role") in found(usual, answered(role, None))) is told


def test_an_event_that_an_api_names_and_a_client_drops_is_another_order() -> None:
    def events(*kinds: str) -> Observation:
        texts = {"delta": "some text"}
        return said(
            *(Chunk(text=texts.get(kind, ""), rest={"type": kind}, is_event=kind != "ping") for kind in kinds)
        )

    usual = events("created", "delta", "delta", "ping", "done", "completed")
    assert ("order", "order.type") in found(usual, events("created", "delta", "completed"))
    assert ("order", "order.type") not in found(usual, events("created", "delta", "done", "completed"))


def test_what_is_empty_and_not_null_is_counted_where_it_becomes_null() -> None:
    def chunk(content: str | None, arguments: str | None, choices: object = ()) -> Chunk:
        call = {"index": 0, "id": "c1", "function": {"name": "f", "arguments": arguments}}
        made = [{"index": 0, "delta": {"content": content, "tool_calls": [call]}}]
        return to_chunk({"choices": made if choices == () else choices})

    assert normalised(said(chunk("", "")), said(chunk(None, None))) == {"empty-value": 2}


def test_what_a_loop_or_an_attribute_stumbles_over_is_a_difference() -> None:
    """Choices that are null where there was an empty list, a choice more or fewer, one without a delta or an
    index; not what the candidate fills in.
    """

    def chunk(*choices: Any, given: Any = ()) -> Observation:
        return said(to_chunk({"id": "x", "choices": list(choices) if given == () else given}))

    usual = {"index": 0, "delta": {}}
    assert found(chunk(), chunk(given=None)) == [("fields", "choices")]
    assert found(chunk(), chunk(usual)) == [("fields", "choices[0].index")]
    assert ("fields", "choices[0].index") in found(chunk(usual), chunk())
    for lost in ({"index": 0}, {"index": 0, "delta": None}):
        assert found(chunk(usual), chunk(lost)) == [("fields", "choices[0].delta")]
        assert found(chunk(lost), chunk(usual)) == []
    for index in (None, "0", False):
        assert found(chunk(usual), chunk({**usual, "index": index})) == [("fields", "choices[0].index")]
    assert found(chunk({"delta": {}}), chunk(usual)) == []
    assert normalised(chunk({"delta": {}}), chunk(usual)) == {"empty-value": 1}


def test_the_id_of_a_chunk_that_carries_nothing_else_counts_where_both_have_it() -> None:
    ours = said(Chunk(id="a", role="assistant"), Chunk(id="a", text="x"))
    theirs = said(Chunk(role="assistant"), Chunk(id="a", text="x"))
    assert found(ours, theirs) == [("response_id", "id")]
    assert found(ours, said(Chunk(id="a", text="x", role="assistant"))) == [("chunk_count", "chunks.empty")]


def test_a_role_that_comes_after_what_it_stood_before_is_another_order() -> None:
    ours = said(Chunk(role="assistant"), Chunk(text="x"), Chunk(finish_reason="stop"))
    theirs = said(Chunk(), Chunk(text="x"), Chunk(finish_reason="stop", role="assistant"))
    assert found(ours, theirs) == [("order", "order.role")]
    assert found(theirs, ours) == []
    assert found(ours, said(Chunk(), Chunk(text="x", role="assistant"), Chunk(finish_reason="stop"))) == []


def test_further_fields_of_a_generation_are_compared() -> None:
    one = observation(generations=({"name": "n", "ended": True, "user": "u"},))
    other = observation(generations=({"name": "n", "ended": True, "user": "v"},))
    assert found(one, other) == [("telemetry", "generation.user")]
