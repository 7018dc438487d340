"""Recordings made as long as needed, of what was recorded and nothing else."""

from __future__ import annotations

from dataclasses import replace

from llm_contracts.cost.stream import Playable, text_of
from llm_contracts.wire.events import events
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import Interaction
from tests.harness.run.projects import cassette, stream

WORDS = ("one ", "two ", "three ", "four ", "five ", "six ", "seven")


def recorded(*words: str) -> tuple[Interaction, ...]:
    return cassette("acme/plain-stream", words).interactions


def playable(*words: str) -> Playable:
    found = Playable.of(recorded(*words))
    assert found is not None
    return found


def text(interactions: tuple[Interaction, ...]) -> str:
    return read_facts(interactions[-1].response).text


def test_its_first_and_last_words_stay_in_their_places_whatever_the_length() -> None:
    assert text(playable(*WORDS).with_chunks(4)) == "one two three seven"
    assert text(playable(*WORDS).with_chunks(9)) == "one two three four five six two three seven"


def test_every_event_is_one_that_was_recorded_and_the_end_is_as_it_was() -> None:
    made = playable(*WORDS).with_chunks(30)[-1].response
    known = {event.data for event in events(recorded(*WORDS)[-1].response.body)}
    assert {event.data for event in events(made.body)} == known
    assert read_facts(made).finish_reasons == ("stop",)
    assert read_facts(made).done
    assert text_of(playable(*WORDS).with_chunks(2)) == len("one seven")


def test_too_few_different_chunks_are_not_stretched() -> None:
    assert playable(*WORDS).stretches
    assert not playable("one", "two", "three").stretches
    assert not playable(*("same" for _ in range(200))).stretches


def test_what_went_wrong_is_nothing_to_measure_with() -> None:
    (interaction,) = recorded(*WORDS)
    refused = replace(interaction, response=replace(stream(WORDS), status=500))
    broken = replace(interaction, response=replace(stream(WORDS), body=b"data: {oops\n\n"))
    failed_in_band = b'data: {"error": {"message": "no"}}\n\n' + interaction.response.body
    assert Playable.of((refused,)) is None
    assert Playable.of((broken,)) is None
    assert Playable.of((replace(interaction, response=replace(stream(WORDS), body=failed_in_band)),)) is None
    assert Playable.of((refused, interaction)) is None
    assert Playable.of(recorded()) is None
