"""Whatever is done to a field of a recorded answer is noticed, and its place is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from llm_contracts.drift.compare import compare_shapes
from llm_contracts.drift.fields import is_choice
from llm_contracts.drift.shape import AnswerShape, shape_of
from llm_contracts.wire.interaction import Response
from tests.harness.drift.page import SEVERITIES
from tests.harness.drift.rewriting import Part, holders, put_together, response, taken_apart, with_member

STREAMS = ["openai/plain-stream", "qwen/tool-calls", "gemini/reasoning", "ernie_v1/plain-stream"]
ANSWERS = [*STREAMS, "dify/plain-stream", "openai/wrong-key", "openai/list-models", "silicon/bad-parameter"]
WHOLE = {"order of events", "kinds of events", "usage", "body"}
"""Places that are no fields: what an event was known by is gone."""


def delete(holder: dict[str, Any], name: str) -> None:
    del holder[name]


def rename(holder: dict[str, Any], name: str) -> None:
    holder[f"{name}_v2"] = holder.pop(name)


def retype(holder: dict[str, Any], name: str) -> None:
    holder[name] = 7 if not isinstance(holder[name], (int, float)) else "seven"


def add(holder: dict[str, Any], name: str) -> None:
    holder[f"{name}_too"] = "new"


MUTATIONS = [delete, rename, retype, add]


def shapes_by_place(answer: Response, parts: list[Part]) -> dict[str, dict[str, list[int]]]:
    """Kind of event → place in it → the numbers of the events that have it."""
    found: dict[str, dict[str, list[int]]] = {}
    for number, part in enumerate(parts):
        alone = shape_of(put_together(answer, [part]))
        kind = next(iter(alone.kinds), "")
        for _holder, _name, place in holders(part.document):
            numbers = found.setdefault(kind, {}).setdefault(place, [])
            if number not in numbers:
                numbers.append(number)
    return found


def few(answer: Response, at_most: int) -> list[Part]:
    """The events of an answer, at most so many of a kind one after the other."""
    kept: list[Part] = []
    run: list[str] = []
    for part in taken_apart(answer):
        kind = next(iter(shape_of(put_together(answer, [part])).kinds), "")
        run = [*run, kind] if run[-1:] == [kind] else [kind]
        if len(run) <= at_most:
            kept.append(part)
    return kept


def places(before: AnswerShape, now: AnswerShape) -> list[str]:
    """Where something is noticed; all of it as heavy as the page about drift says."""
    found = compare_shapes(before, now)
    assert [drift for drift in found if drift.severity not in SEVERITIES[drift.change]] == []
    return [drift.where for drift in found]


def names_it(found: list[str], place: str) -> bool:
    """Whether a place, what it lies in, or the whole is named."""
    told = {where.partition(": ")[2] for where in found} & {place, f"{place}_v2", f"{place}_too"}
    above = [where for where in found if place.startswith(where.partition(": ")[2] or "\0")]
    return bool(told or above or WHOLE & set(found))


def each_change(parts: list[Part], numbers: list[int], place: str) -> Iterator[tuple[str, list[Part]]]:
    for mutation in MUTATIONS:
        yield mutation.__name__, with_member(parts, numbers, place, mutation)


def missed(
    answer: Response, at_most: int, numbers_of: Callable[[str, str, list[int]], list[int]]
) -> list[str]:
    """The changes that nobody would hear of. `numbers_of` picks the events in which a place is changed."""
    parts = few(answer, at_most)
    before = shape_of(put_together(answer, parts))
    return [
        f"{how} {kind}: {place}"
        for kind, found in shapes_by_place(answer, parts).items()
        for place, numbers in found.items()
        for how, changed in each_change(parts, numbers_of(kind, place, numbers), place)
        if not names_it(places(before, shape_of(put_together(answer, changed))), place)
    ]


@pytest.mark.parametrize("name", ANSWERS)
def test_a_field_that_changes_in_all_events_of_a_kind_is_noticed(name: str) -> None:
    assert missed(response(name), 2, lambda _kind, _place, numbers: numbers) == []


@pytest.mark.parametrize("name", STREAMS[:3])
def test_a_field_that_changes_in_one_event_of_several_is_noticed(name: str) -> None:
    """In one that had it always, and not in the last of them: where a thought is no longer marked as one,
    speaking may begin earlier.
    """
    answer = response(name)
    usual = shape_of(put_together(answer, few(answer, 3))).kinds

    def first(kind: str, place: str, numbers: list[int]) -> list[int]:
        return numbers[:1] if usual[kind][place].always else numbers

    assert missed(answer, 3, first) == []


@pytest.mark.parametrize("name", ANSWERS)
def test_a_value_by_which_clients_choose_their_way_is_noticed(name: str) -> None:
    answer = response(name)
    parts = few(answer, 2)
    before = shape_of(put_together(answer, parts))

    def other(holder: dict[str, Any], member: str) -> None:
        holder[member] = "something_else" if isinstance(holder[member], str) else 4321

    unnoticed = [
        (kind, place)
        for kind, found in shapes_by_place(answer, parts).items()
        for place, numbers in found.items()
        if is_choice(place) and before.kinds[kind][place].values
        if not names_it(
            places(before, shape_of(put_together(answer, with_member(parts, numbers, place, other)))), place
        )
    ]
    assert unnoticed == []


def test_the_net_has_no_hole_by_itself() -> None:
    """Nothing done, nothing noticed: the tests above could fail."""
    answer = response("openai/plain-stream")
    parts = taken_apart(answer)
    nothing: Callable[[dict[str, Any], str], None] = lambda _holder, _name: None  # noqa: E731 - it has a type
    same = with_member(parts, [0], "id", nothing)
    assert not names_it(
        places(shape_of(put_together(answer, parts)), shape_of(put_together(answer, same))), "id"
    )
