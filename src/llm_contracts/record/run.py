"""Composition: scenarios and a source → cassettes. Each is called through the edge, and the exchange is kept
if it is what the scenario is about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from llm_contracts.clients.call import Client
from llm_contracts.clients.libraries.litellm import offline_litellm
from llm_contracts.clients.observation import Observation
from llm_contracts.clients.observe import observe
from llm_contracts.clients.resolve import resolve
from llm_contracts.drift.report import ComparedRecording
from llm_contracts.project.config import ConfigError, Project
from llm_contracts.project.endpoint import WRONG_KEY, Endpoint, live_endpoint
from llm_contracts.project.evidence import objection, refused_key
from llm_contracts.project.scenario import Scenario
from llm_contracts.project.secrets import secrets_in
from llm_contracts.record.plan import PlannedRecording, plan
from llm_contracts.record.source import RecordOptions, Source
from llm_contracts.record.verify import replaced, verified
from llm_contracts.simulator.server import Simulator
from llm_contracts.util.files import remove_abandoned_drafts
from llm_contracts.util.versions import versions
from llm_contracts.wire.cassette import Cassette, CassetteError, Provenance, Recording, load, save
from llm_contracts.wire.interaction import End, Interaction
from llm_contracts.wire.protocols import BUILT_IN, Protocols
from llm_contracts.wire.proxy.exchange import UnkeepableError
from llm_contracts.wire.proxy.network import DIRECT, Network, network_from
from llm_contracts.wire.proxy.server import Edge
from llm_contracts.wire.scrub import Scrubber


class RecordOutcome(StrEnum):
    """What became of one scenario."""

    RECORDED = "recorded"
    UNCHANGED = "unchanged"  # the simulator said the same as before: the file was left alone
    SKIPPED = "skipped"
    FAILED = "failed"  # called, or meant to be, and nothing was kept
    SAME = "same"  # verified: what comes has the shape that was recorded
    DRIFTED = "drifted"  # verified: it has another
    UNVERIFIED = "unverified"  # called, and nothing was learned


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedScenario:
    """One scenario's outcome; `detail` says why it was skipped or failed, `compared` how what came compares
    with the recording that there was.
    """

    scenario: str
    outcome: RecordOutcome
    detail: str = ""
    compared: ComparedRecording | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordReport:
    """A whole run. An `interrupted` one was stopped by hand; `remaining` names what it did not come to."""

    takes: tuple[RecordedScenario, ...]
    interrupted: bool = False
    remaining: tuple[str, ...] = ()

    def with_outcome(self, outcome: RecordOutcome) -> tuple[RecordedScenario, ...]:
        """The scenarios that ended so."""
        return tuple(take for take in self.takes if take.outcome is outcome)

    @property
    def skipped_providers(self) -> Mapping[str, str]:
        """Provider → reason, where all scenarios of a provider were skipped for the same one: no key, say."""
        reasons: dict[str, set[str]] = {}
        for take in self.takes:
            provider = take.scenario.partition("/")[0]
            skipped = take.detail if take.outcome is RecordOutcome.SKIPPED else ""
            reasons.setdefault(provider, set()).add(skipped)
        return {name: next(iter(why)) for name, why in reasons.items() if len(why) == 1 and "" not in why}

    @property
    def compared(self) -> tuple[ComparedRecording, ...]:
        """What came against what was recorded, for all scenarios that were called."""
        return tuple(take.compared for take in self.takes if take.compared is not None)

    @property
    def advice(self) -> str:
        """How to go on after an interruption; empty otherwise."""
        if not self.interrupted:
            return ""
        return f"{len(self.remaining)} left. Run the same command with --missing to go on from here."


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """What came of a call: its exchanges, scrubbed, and why they are not what the scenario is about; empty if
    they are. Where they could not be kept there are none.
    """

    interactions: tuple[Interaction, ...]
    objection: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordingContext:
    """What every recording of a run is made with. `timeout`: seconds per call; `network`: how to get there;
    `protocols`: how to read what comes.

    There is one scrubber for the whole run, so that a token which one scenario was sold is hidden in the
    recordings of all that come after it.
    """

    edge: Edge
    client: Client
    name: str
    scrubber: Scrubber
    timeout: float
    network: Network = field(default=DIRECT, repr=False)
    protocols: Protocols = field(default=BUILT_IN, repr=False)

    def attempt(self, scenario: Scenario, endpoint: Endpoint) -> Attempt:
        """Make the call of a scenario, whatever comes of it."""
        with self.edge.record(
            upstream=endpoint.upstream,
            public=endpoint.public,
            scrubber=self.scrubber,
            network=self.network,
        ) as session:
            call = scenario.call(
                base_url=session.origin + urlsplit(endpoint.base_url).path,
                api_key=WRONG_KEY if scenario.key == "wrong" else endpoint.key,
            )
            observation = observe(
                self.client,
                call,
                name=self.name,
                session=session,
                timeout=self.timeout,
                protocols=self.protocols,
            )
            try:
                interactions = tuple(endpoint.made_public(one) for one in session.interactions())
            except UnkeepableError as error:
                return Attempt(interactions=(), objection=str(error))
            failures = session.failures()
        reason = _objection(scenario, observation, interactions, self.protocols)
        said = self.scrubber.text(": ".join([reason, *failures[-1:]])) if reason else ""
        return Attempt(interactions=interactions, objection=said)

    def keep(self, path: Path, cassette: Cassette) -> None:
        """Write the cassette, unless a secret would get into it.

        Raises:
            SecretFound: a secret, or what looks like one, is still in there; nothing was written.
        """

        def write(file: IO[bytes], text: bytes) -> None:
            self.scrubber.refuse(str(path), text, cassette.interactions)
            file.write(text)

        save(path, cassette, write=write)


def record(
    project: Project,
    scenarios: Sequence[Scenario],
    options: RecordOptions,
    *,
    progress: Callable[[RecordedScenario], None] = lambda _take: None,
) -> RecordReport:
    """Record scenarios one after the other; what cannot be recorded is reported, the others still run. With
    `options.verify`, compare them with their recordings instead, and write nothing.

    Live recordings replace simulated ones; simulated ones never replace live ones unless asked to. Ctrl-C
    ends the run: the exchange under way is dropped, everything recorded until then stays.

    Raises:
        ClientError: the client's name means nothing.
        SecretFound: a secret would have got into a file. Nothing was written for that scenario.
        EdgeError: the proxy or the certificates that the environment names cannot be used.
    """
    name = options.client or project.settings.reference
    client = resolve(name, project.clients)
    if not options.verify:
        remove_abandoned_drafts(project.settings.cassettes)
    steps = plan(project, scenarios, options)
    with offline_litellm(), Edge() as edge, ExitStack() as stack:
        context = RecordingContext(
            edge=edge,
            client=client,
            name=name,
            scrubber=Scrubber(secrets_in(options.environ, project.providers), harmless=(WRONG_KEY,)),
            timeout=options.timeout,
            network=network_from(options.environ),
        )
        session = _Session(project, options, context, stack)
        takes: list[RecordedScenario] = []
        try:
            for step in steps:
                takes.append(_take(session, step))
                progress(takes[-1])
        except KeyboardInterrupt:
            rest = tuple(step.scenario.name for step in steps[len(takes) :] if not step.skip)
            return RecordReport(takes=tuple(takes), interrupted=True, remaining=rest)
        return RecordReport(takes=tuple(takes))


@dataclass(frozen=True, slots=True)
class _Session:
    """What a run is made with.

    Attributes:
        context: what holds for all providers without a reference of their own.
        stack: ends the simulators.
        simulators: provider → its simulator, started when first needed.
        refused: provider → why its key was refused; it is not asked again.
    """

    project: Project
    options: RecordOptions
    context: RecordingContext
    stack: ExitStack
    simulators: dict[str, Simulator] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def context_for(self, scenario: Scenario) -> RecordingContext:
        """Where a provider has a reference of its own, that one calls, unless another was asked for."""
        context = replace(self.context, protocols=self.project.protocols_of(scenario.provider, scenario))
        own = self.project.provider(scenario.provider).reference
        if own is None or self.options.client:
            return context
        return replace(context, name=own, client=resolve(own, self.project.clients))

    def endpoint(self, scenario: Scenario) -> Endpoint:
        """Where to record a scenario that the plan lets through.

        Raises:
            ConfigError: the simulator has no script for it.
        """
        provider = self.project.provider(scenario.provider)
        if self.options.source is Source.LIVE:
            endpoint = live_endpoint(provider, self.options.environ)
            assert endpoint is not None  # the plan skips providers without a key
            return endpoint
        dialect = self.project.dialect_of(provider.name)
        assert dialect is not None  # the plan skips providers without one
        if provider.name not in self.simulators:
            self.simulators[provider.name] = self.stack.enter_context(Simulator(dialect))
        simulator = self.simulators[provider.name]
        try:
            simulator.play(scenario.script or scenario.id)
        except ValueError as error:
            raise ConfigError(str(error)) from error
        return Endpoint(base_url=simulator.base_url, public_url=provider.base_url, key=simulator.key)


def _take(session: _Session, step: PlannedRecording) -> RecordedScenario:
    """Record or verify one scenario. Whatever goes wrong with it alone is its own outcome."""
    scenario = step.scenario
    ended = partial(RecordedScenario, scenario=scenario.name)
    if step.skip:
        return ended(outcome=RecordOutcome.FAILED if step.broken else RecordOutcome.SKIPPED, detail=step.skip)
    if scenario.provider in session.refused and scenario.key == "valid":
        return ended(outcome=RecordOutcome.SKIPPED, detail=session.refused[scenario.provider])
    try:
        return _called(session, scenario)
    except (ConfigError, CassetteError) as error:
        return ended(outcome=RecordOutcome.FAILED, detail=str(error))
    except OSError as error:
        place = session.project.cassette(scenario)
        detail = f"{place}: cannot be written ({error.strerror}); the old file is as it was"
        return ended(outcome=RecordOutcome.FAILED, detail=detail)


def _called(session: _Session, scenario: Scenario) -> RecordedScenario:
    project, options, context = session.project, session.options, session.context_for(scenario)
    path, live = project.cassette(scenario), options.source is Source.LIVE
    recorded = load(path) if options.verify else None
    endpoint = session.endpoint(scenario)
    attempt = context.attempt(scenario, endpoint)
    recording = Recording(
        provenance=endpoint.provenance if live else Provenance.SIMULATED,
        address=endpoint.address if live else "",
        recorded_at=options.now().replace(microsecond=0),
        provider=scenario.provider,
        scenario=scenario.id,
        client=context.name,
        versions=versions(project.settings.distributions, (context.name,)),
    )
    cassette = Cassette(interactions=attempt.interactions, recording=recording)
    ended = partial(RecordedScenario, scenario=scenario.name)
    if recorded is not None:
        compared = verified(scenario.name, recorded, cassette, attempt.objection, context.protocols)
        outcome = RecordOutcome(str(compared.state))
        return ended(outcome=outcome, detail=compared.detail, compared=compared)
    if attempt.objection:
        if refused_key(scenario, attempt.interactions):  # nothing else that is asked of it can succeed
            why = f"the key was refused for {scenario.name}; check it, then go on"
            session.refused[scenario.provider] = why
        return ended(outcome=RecordOutcome.FAILED, detail=attempt.objection)
    # Recording a rehearsal again would otherwise change nothing but dates and milliseconds in every file.
    if not live and rehearsed_before(path, attempt.interactions):
        return ended(outcome=RecordOutcome.UNCHANGED)
    compared = replaced(scenario.name, path, cassette, context.protocols)
    context.keep(path, cassette)
    return ended(outcome=RecordOutcome.RECORDED, compared=compared)


def rehearsed_before(path: Path, interactions: tuple[Interaction, ...]) -> bool:
    """Whether a rehearsal of these exchanges is kept already, but for timelines, which no two runs share."""
    try:
        old = load(path) if path.is_file() else None
    except CassetteError:
        return False
    if old is None or old.recording is None or old.recording.provenance is not Provenance.SIMULATED:
        return False
    return tuple(map(_timeless, old.interactions)) == tuple(map(_timeless, interactions))


def _timeless(interaction: Interaction) -> Interaction:
    return replace(interaction, response=replace(interaction.response, pieces=None))


def _objection(
    scenario: Scenario,
    observation: Observation,
    interactions: tuple[Interaction, ...],
    protocols: Protocols,
) -> str | None:
    """Why the exchanges are not worth keeping, judged by the bytes, not by what the client made of them."""
    if not interactions:
        failure = observation.failure
        why = f": {failure.category}: {failure.message}" if failure else ""
        return f"no request was sent{why}"
    end = interactions[-1].response.end
    return objection(scenario, interactions, protocols) or (
        None if end is End.COMPLETE else f"the exchange ended early ({end})"
    )
