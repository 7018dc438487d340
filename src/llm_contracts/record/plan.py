"""What a recording run would do, decided before anybody is called. Only reads the cassettes there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llm_contracts.project.config import Project
from llm_contracts.project.endpoint import live_endpoint
from llm_contracts.project.scenario import Scenario
from llm_contracts.record.source import RecordOptions, Source
from llm_contracts.simulator.dialects import DIALECTS
from llm_contracts.wire.cassette import Cassette, CassetteError, Provenance, Recording, load
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.protocols import BUILT_IN, Protocols

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
        return _damaged(scenario, options, error)
    reason = _not_to_verify(cassette, options) if options.verify else None
    if cassette and not options.verify:
        reason = _good_enough(cassette, options, _provenance(project, scenario, options))
    tokens = _tokens(scenario, cassette, project.protocols_of(scenario.provider))
    return PlannedRecording(scenario=scenario, skip=reason, tokens=tokens)


def _damaged(scenario: Scenario, options: RecordOptions, error: CassetteError) -> PlannedRecording:
    """A damaged file may have been live evidence: only another live recording may take its place unasked."""
    if options.verify:
        return PlannedRecording(scenario=scenario, skip=str(error), broken=True)
    if options.source is Source.LIVE or options.overwrite_live:
        return PlannedRecording(scenario=scenario, tokens=_tokens(scenario))
    return PlannedRecording(
        scenario=scenario, skip=f"{error} Delete the file to record it anew.", broken=True
    )


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


def _not_to_verify(cassette: Cassette | None, options: RecordOptions) -> str | None:
    if cassette is None:
        return "there is no recording to verify"
    if options.stale_days is None:
        return None
    return _young_enough(cassette.recording, options)


def _provenance(project: Project, scenario: Scenario, options: RecordOptions) -> Provenance:
    """What a new recording would be worth."""
    if options.source is Source.SIMULATOR:
        return Provenance.SIMULATED
    endpoint = live_endpoint(project.provider(scenario.provider), options.environ)
    return Provenance.LIVE if endpoint is None else endpoint.provenance


def _good_enough(cassette: Cassette, options: RecordOptions, new: Provenance) -> str | None:
    recording = cassette.recording
    is_live = recording is not None and recording.provenance is Provenance.LIVE
    real = recording.provenance if recording and recording.provenance in _REAL else None
    if new is Provenance.SIMULATED and real and not options.overwrite_live:
        return f"there is {'a live' if is_live else 'an imported'} recording"
    if not (options.missing or options.stale_days is not None):
        return None
    if new is Provenance.LIVE and not is_live:
        return None
    return _young_enough(recording, options)


def _young_enough(recording: Recording | None, options: RecordOptions) -> str | None:
    if options.stale_days is None:
        return "there is a recording"
    if recording is None or recording.age(options.now().date()) >= options.stale_days:
        return None
    return f"the recording of {recording.recorded_at.date()} is recent enough"


def _tokens(scenario: Scenario, cassette: Cassette | None = None, protocols: Protocols = BUILT_IN) -> int:
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
