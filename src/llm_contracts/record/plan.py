"""What a recording run would do, decided before anybody is called. Only reads the cassettes there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llm_contracts.project.config import Project
from llm_contracts.project.endpoint import live_endpoint
from llm_contracts.project.scenario import Scenario
from llm_contracts.record.source import RecordOptions, Source
from llm_contracts.simulator.dialects import DIALECTS
from llm_contracts.wire.cassette import Cassette, CassetteError, Provenance, load
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.protocols import Protocols

_UNKNOWN_ANSWER = 300  # tokens guessed for an answer nobody has seen or limited
_REAL = frozenset({Provenance.LIVE, Provenance.IMPORTED})  # somebody's provider said it
_CHARACTERS_PER_TOKEN = 2  # between Chinese (about one) and English (about four)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedRecording:
    """One scenario in a run.

    Attributes:
        skip: why nobody will be called; None when somebody will.
        broken: the existing file is damaged, and whether it may be replaced is for a person to say.
        tokens: roughly how many the call uses, in and out. What they cost is on the provider's price list.
    """

    scenario: Scenario
    skip: str | None = None
    broken: bool = False
    tokens: int = 0


def plan(
    project: Project, scenarios: Sequence[Scenario], options: RecordOptions
) -> tuple[PlannedRecording, ...]:
    """Decide for each scenario whether it is recorded, and if not, why."""
    return tuple(_step(project, scenario, options) for scenario in scenarios)


def _step(project: Project, scenario: Scenario, options: RecordOptions) -> PlannedRecording:
    if reason := _unreachable(project, scenario, options):
        return PlannedRecording(scenario=scenario, skip=reason)
    path = project.cassette(scenario)
    try:
        cassette = load(path) if path.is_file() else None
    except CassetteError as error:
        # It may have been live evidence: only another live recording may take its place unasked.
        if options.verify:
            return PlannedRecording(scenario=scenario, skip=str(error), broken=True)
        if options.source is not Source.LIVE and not options.overwrite_live:
            further = "Delete the file to record it anew."
            return PlannedRecording(scenario=scenario, skip=f"{error} {further}", broken=True)
        cassette = None
    tokens = _tokens(scenario, cassette, project.protocols_of(scenario.provider))
    reason = _good_enough(project, scenario, cassette, options)
    return PlannedRecording(scenario=scenario, skip=reason, tokens=tokens)


def _unreachable(project: Project, scenario: Scenario, options: RecordOptions) -> str | None:
    if scenario.captured:
        return "it was captured from an application's own calls, which `capture` makes anew"
    if options.source is Source.SIMULATOR:
        if project.dialect_of(scenario.provider) is not None:
            return None
        known = ", ".join(DIALECTS)
        return f"its provider's row names no dialect for the simulator: Provider(dialect=…), one of {known}"
    provider = project.provider(scenario.provider)
    if live_endpoint(provider, options.environ) is None:
        return f"{provider.key_variable} is set neither in the environment nor in .env"
    if not scenario.live:
        why = "no provider answers like this on demand"
        recorded = project.cassette(scenario).is_file()
        return f"{why}: {'its recording stays' if recorded else 'record it with --source simulator'}"
    return None


def _good_enough(
    project: Project, scenario: Scenario, cassette: Cassette | None, options: RecordOptions
) -> str | None:
    """Why a recording stays, or is not verified; None where somebody is called."""
    if cassette is None:
        return "there is no recording to verify" if options.verify else None
    recording, stale = cassette.recording, options.stale_days
    real = recording.provenance if recording and recording.provenance in _REAL else None
    if not options.verify:
        new = _provenance(project, scenario, options)
        if new is Provenance.SIMULATED and real and not options.overwrite_live:
            return f"there is {'a live' if real is Provenance.LIVE else 'an imported'} recording"
        if new is Provenance.LIVE and real is not Provenance.LIVE:
            return None
    if stale is None:
        return "there is a recording" if options.missing and not options.verify else None
    if recording is None or recording.age(options.now().date()) >= stale:
        return None
    return f"the recording of {recording.recorded_at.date()} is recent enough"


def _provenance(project: Project, scenario: Scenario, options: RecordOptions) -> Provenance:
    """What a new recording would be worth."""
    if options.source is Source.SIMULATOR:
        return Provenance.SIMULATED
    endpoint = live_endpoint(project.provider(scenario.provider), options.environ)
    return Provenance.LIVE if endpoint is None else endpoint.provenance


def _tokens(scenario: Scenario, cassette: Cassette | None, protocols: Protocols) -> int:
    """From the totals of an earlier recording; without one, from the lengths of prompt and limit."""
    if scenario.expects == "failure" or not scenario.messages:
        return 0
    interactions = cassette.interactions if cassette else ()
    usages = [read_facts(interaction.response, protocols).usage for interaction in interactions]
    totals = [usage.get("total_tokens") for usage in usages if usage]
    if totals and isinstance(totals[-1], int):
        return totals[-1]
    prompt = sum(len(str(message.get("content", ""))) for message in scenario.messages)
    limit = scenario.params.get("max_tokens", _UNKNOWN_ANSWER)
    return prompt // _CHARACTERS_PER_TOKEN + int(limit)
