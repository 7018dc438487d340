"""One scenario: its recording, its call, and what two clients make of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from llm_contracts.clients.call import Call
from llm_contracts.parity.result import Item
from llm_contracts.project.config import Project
from llm_contracts.project.evidence import doubt
from llm_contracts.project.recorded_call import REPLAY_KEY
from llm_contracts.project.scenario import Provider, Scenario
from llm_contracts.run.match import own_match
from llm_contracts.run.not_offered import captured_item
from llm_contracts.run.pairing import Pairing
from llm_contracts.wire.cassette import Cassette, CassetteError, load
from llm_contracts.wire.interaction import Interaction


def run_scenario(match: Pairing, project: Project, scenario: Scenario, *, thoroughly: bool = False) -> Item:
    """Run one scenario on its recording; one that cannot be read gives an item that says so.

    Where the project's reference is asked for, a provider's own comes in its place.
    """
    blank, interactions = blank_item(project, scenario)
    if blank.problem is not None:
        return blank
    provider = project.provider(scenario.provider)
    # Other clients may ask otherwise than those whose calls were recorded.
    names, settings = (match.reference.name, match.candidate.name), project.settings
    ours = blank.provenance in ("live", "simulated") and not scenario.captured
    own = ours and names == (settings.reference, settings.candidate)
    match = own_match(match, project, provider, scenario)
    call = replay_call(scenario, provider)
    play = partial(match.run, blank, interactions, call, own=own, thoroughly=thoroughly)
    if not scenario.captured:
        return play()
    return captured_item(blank, scenario, interactions[-1], play, match.protocols)


def blank_item(project: Project, scenario: Scenario) -> tuple[Item, tuple[Interaction, ...]]:
    """A scenario's item before anything has run, and its recording; a `problem` where that cannot be read."""
    blank = Item(id=scenario.name, provider=scenario.provider, scenario=scenario.id)
    try:
        cassette = load(project.cassette(scenario))
    except CassetteError as error:
        return replace(blank, problem=error.named(project.settings.shown(error.path))), ()
    item = _with_recording(blank, cassette)
    if reason := doubt(scenario, cassette, project.protocols_of(scenario.provider, scenario)):
        file = project.settings.shown(project.cassette(scenario))
        return replace(item, problem=f"{file}: {reason}. Record it again."), ()
    return item, cassette.interactions


def _with_recording(blank: Item, cassette: Cassette) -> Item:
    recording = cassette.recording
    if recording is None:
        return replace(blank, provenance="imported")
    return replace(
        blank,
        provenance=recording.provenance,
        recorded_on=recording.recorded_at.date(),
        address=recording.address,
    )


def replay_call(scenario: Scenario, provider: Provider) -> Call:
    """The call of a scenario, addressed to the provider itself, with a key that opens nothing."""
    return scenario.call(base_url=scenario.base_url or provider.base_url, api_key=REPLAY_KEY)
