"""What is recorded and what is left alone, decided before anybody is called."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from llm_contracts.project.scenario import Scenario
from llm_contracts.record.plan import PlannedRecording, plan
from llm_contracts.record.source import Source
from llm_contracts.wire.cassette import Cassette, Provenance, load, save
from tests.harness.record.workshop import Workshop, row


def step(workshop: Workshop, scenario: Scenario, source: Source, **more: Any) -> PlannedRecording:
    (only,) = plan(workshop.project([scenario]), [scenario], workshop.options(source, **more))
    return only


def skipped(workshop: Workshop, source: Source, **more: Any) -> bool:
    return step(workshop, row(), source, **more).skip is not None


def test_without_options_everything_is_recorded_again(workshop: Workshop) -> None:
    workshop.record(row())
    assert not skipped(workshop, Source.SIMULATOR)
    assert not skipped(workshop, Source.LIVE)


def test_missing_leaves_a_rehearsal_alone_when_rehearsing_and_not_when_recording_live(
    local: Workshop,
) -> None:
    local.record(row())
    assert skipped(local, Source.SIMULATOR, missing=True)
    assert not skipped(local, Source.LIVE, missing=True)


def test_missing_leaves_live_evidence_alone(workshop: Workshop) -> None:
    workshop.live(row())
    assert skipped(workshop, Source.LIVE, missing=True)
    assert skipped(workshop, Source.SIMULATOR, missing=True)


def test_the_simulator_never_takes_the_place_of_what_somebody_imported(local: Workshop) -> None:
    local.record(row())
    file = local.file(row())
    old = load(file)
    assert old.recording is not None
    save(file, replace(old, recording=replace(old.recording, provenance=Provenance.IMPORTED)))
    assert step(local, row(), Source.SIMULATOR).skip == "there is an imported recording"
    assert not skipped(local, Source.SIMULATOR, overwrite_live=True)
    assert not skipped(local, Source.LIVE, missing=True)


def test_stale_renews_on_the_day_on_which_a_verdict_stops_counting(workshop: Workshop) -> None:
    workshop.live(row())
    assert skipped(workshop.later(days=6), Source.LIVE, stale_days=7)
    assert not skipped(workshop.later(days=7), Source.LIVE, stale_days=7)
    assert not skipped(workshop, Source.LIVE, stale_days=0)


def test_stale_counts_a_rehearsal_as_nothing_when_recording_live(local: Workshop) -> None:
    local.record(row())
    assert not skipped(local, Source.LIVE, stale_days=7)
    assert skipped(local, Source.SIMULATOR, stale_days=7)


def test_a_recording_that_does_not_say_when_it_was_made_is_good_enough_but_never_young(
    workshop: Workshop,
) -> None:
    workshop.record(row())
    file = workshop.file(row())
    save(file, Cassette(interactions=load(file).interactions))
    assert skipped(workshop, Source.SIMULATOR, missing=True)
    assert not skipped(workshop, Source.SIMULATOR, stale_days=7)


def test_the_tokens_of_an_earlier_recording_are_the_best_guess(workshop: Workshop) -> None:
    asked = row(params={"stream_options": {"include_usage": True}})
    guess = step(workshop, asked, Source.LIVE).tokens
    workshop.record(asked)
    known = step(workshop, asked, Source.LIVE).tokens
    assert 0 < known != guess


def test_without_an_earlier_recording_the_limit_or_a_guess_is_counted(workshop: Workshop) -> None:
    limited, free = row(params={"max_tokens": 16}), row()
    assert step(workshop, limited, Source.LIVE).tokens == 2 + 16
    assert step(workshop, free, Source.LIVE).tokens == 2 + 300


def test_a_refusal_and_a_listing_use_no_tokens(workshop: Workshop) -> None:
    assert step(workshop, row(expects="failure"), Source.LIVE).tokens == 0
    assert step(workshop, row(messages=()), Source.LIVE).tokens == 0


def test_planning_calls_nobody_and_writes_nothing(workshop: Workshop) -> None:
    environ = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": "http://192.0.2.1/v1"}
    assert step(workshop, row(), Source.LIVE, environ=environ).skip is None
    assert not workshop.file(row()).parent.exists()


def test_a_key_of_spaces_is_no_key(workshop: Workshop) -> None:
    assert "OPENAI_API_KEY" in str(step(workshop, row(), Source.LIVE, environ={"OPENAI_API_KEY": "  "}).skip)


def test_a_script_of_its_own_does_not_change_where_a_scenario_is_kept(workshop: Workshop) -> None:
    scripted = row("plain-stream", script="json-mode")
    workshop.record(scripted)
    assert workshop.file(replace(scripted, script=None)).is_file()


def test_what_no_provider_does_on_demand_leads_to_the_simulator_until_there_is_a_recording(
    workshop: Workshop,
) -> None:
    failing = row("server-error", live=False, expects="failure")
    environ = {"OPENAI_API_KEY": "sk-x"}
    why = "no provider answers like this on demand"
    first = step(workshop, failing, Source.LIVE, environ=environ)
    assert first.skip == f"{why}: record it with --source simulator"
    workshop.record(failing)
    assert step(workshop, failing, Source.LIVE, environ=environ).skip == f"{why}: its recording stays"


def test_a_provider_that_the_simulator_does_not_know_is_told_to_name_a_dialect(workshop: Workshop) -> None:
    project = workshop.project([row()])
    mine = replace(project.provider("openai"), name="mine")
    asked = row(provider="mine")
    for dialect, skip in (
        (None, "names no dialect for the simulator: Provider(dialect=…)"),
        ("qwen", "None"),
    ):
        named = replace(project, providers=(replace(mine, dialect=dialect),), scenarios=(asked,))
        (only,) = plan(named, [asked], workshop.options(Source.SIMULATOR))
        assert skip in str(only.skip)
