"""A call that asks several things is held against all answers; attempts at one thing against the last."""

from __future__ import annotations

from typing import Any

import pytest

from llm_contracts.clients.observation import Observation
from llm_contracts.parity.compare import compare
from llm_contracts.wire.facts import WireFacts
from llm_contracts.wire.interaction import Request
from tests.harness.parity.samples import BODY, SENT, chunks, facts, failure, observation, request, usage


def asking(*questions: str) -> tuple[Request, ...]:
    return tuple(
        request({**BODY, "messages": [{"role": "user", "content": question}]}) for question in questions
    )


def found(shown: Observation, *sent: WireFacts, **more: Any) -> list[tuple[str, str]]:
    return [(str(d.kind), d.where) for d in compare(shown, shown, sent, scope="s", **more).divergences]


ANSWERS = (facts(text="Hel", ids=("a",)), facts(text="lo", ids=("b",)))


@pytest.mark.parametrize(
    ("texts", "wrong"),
    [
        (("Hel", "lo"), []),
        (("lo", "Hel"), []),  # at once, in an order of their own
        (("Hl", "eol"), []),  # mixed as they came
        (("lo",), []),  # an agent shows its last answer alone
        (("Hel",), [("unfaithful", "text[3]")]),
        (("Hel", "l"), [("unfaithful", "text[4]")]),
        (("Hel", "lo", "lo"), [("unfaithful", "text[5]")]),
    ],
)
def test_text_is_that_of_all_answers_or_of_the_last(
    texts: tuple[str, ...], wrong: list[tuple[str, str]]
) -> None:
    shown = observation(requests=asking("a", "b"), chunks=chunks(*texts, told=usage()))
    assert found(shown, *ANSWERS) == wrong


def test_what_an_attempt_at_the_same_thing_said_is_not_the_answer() -> None:
    shown = observation(requests=asking("a", "a"), chunks=chunks("Hel", "lo", told=usage()))
    assert found(shown, *ANSWERS) == [("unfaithful", "text[0]")]


def test_finish_reasons_and_totals_may_be_those_of_any_answer() -> None:
    turns = (facts(text="", finish_reasons=("tool_calls",), usage={**SENT, "total_tokens": 9}), facts())
    texts = chunks("Hello", finish="tool_calls", told=usage(total=9))
    assert found(observation(requests=asking("a", "b"), chunks=texts), *turns) == []
    once = found(observation(requests=asking("a", "a"), chunks=texts), *turns)
    assert once == [("unfaithful", "usage"), ("unfaithful", "finish_reason")]
    other = chunks("Hello", finish="length", told=usage(total=8))
    twice = found(observation(requests=asking("a", "b"), chunks=other), *turns)
    assert twice == [("unfaithful", "usage"), ("unfaithful", "finish_reason")]


def test_a_loop_that_fails_at_a_later_turn_is_right_to_fail() -> None:
    refused = facts(status=429, text="", error={"message": "slow down"}, finish_reasons=(), usage=None)
    failed = observation(requests=asking("a", "b"), chunks=chunks("Hello", told=usage()), failure=failure())
    assert found(failed, facts(), refused) == []
    assert ("unfaithful", "error") in found(failed, facts(), facts())


def test_requests_at_once_are_found_among_the_recorded_ones_in_any_order() -> None:
    shown = observation(requests=asking("b", "a"), chunks=chunks("Hel", "lo", told=usage()))
    assert found(shown, *ANSWERS, recorded=asking("a", "b")) == []
    otherwise = found(shown, *ANSWERS, recorded=asking("a", "c"))
    assert otherwise == [("unfaithful", "request[1].body.messages[0].content")]


def test_who_asks_less_than_was_recorded_has_not_seen_all_answers() -> None:
    shown = observation(requests=asking("a"), chunks=chunks("Hel", told=usage()))
    assert found(shown, *ANSWERS, recorded=asking("a")) == []
    assert found(shown, *ANSWERS, recorded=asking("a", "b")) == [("unfaithful", "request[1]")]


def test_what_one_client_alone_asks_otherwise_differs_between_the_two_and_no_more() -> None:
    one, other = (observation(requests=asking(question)) for question in "ba")
    differences = compare(one, other, (facts(),), scope="s", recorded=asking("a")).divergences
    assert [(str(d.kind), d.where) for d in differences] == [("request_body", "body.messages[0].content")]
