"""One recording: call through the edge, look whether the exchange is what the scenario is about, keep it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from llm_contracts.clients.call import Call, Client
from llm_contracts.clients.observe import observe
from llm_contracts.wire.cassette import Cassette, CassetteError, Provenance, load, save
from llm_contracts.wire.cassette.render import render
from llm_contracts.wire.facts import WireFacts, read_facts
from llm_contracts.wire.interaction import End, Interaction
from llm_contracts.wire.protocols import BUILT_IN, Protocols
from llm_contracts.wire.proxy import DIRECT, Network, UnkeepableError
from llm_contracts.wire.scrub import Scrubber, SecretFound

if TYPE_CHECKING:
    from pathlib import Path

    from llm_contracts.clients.observation import Observation
    from llm_contracts.project.scenario import Scenario
    from llm_contracts.record.endpoint import Endpoint
    from llm_contracts.wire.proxy import Edge

_FAILED = 400
_REFUSALS = range(400, 500)
_TOO_MANY = 429


class NotWantedError(Exception):
    """The exchange took place but is not what the scenario is about; the message says what came instead."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """What came of a call: its exchanges, scrubbed, and why they are not what the scenario is about; empty if
    they are.
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
    path: Client
    client: str
    scrubber: Scrubber
    timeout: float
    network: Network = field(default=DIRECT, repr=False)
    protocols: Protocols = field(default=BUILT_IN, repr=False)

    def take(self, scenario: Scenario, endpoint: Endpoint) -> tuple[Interaction, ...]:
        """Make the call of a scenario and return its exchanges, scrubbed.

        Raises:
            NotWantedError: nothing was sent, or what came back is not what the scenario is about.
        """
        attempt = self.attempt(scenario, endpoint)
        if attempt.objection:
            raise NotWantedError(attempt.objection)
        return attempt.interactions

    def attempt(self, scenario: Scenario, endpoint: Endpoint) -> Attempt:
        """Make the call of a scenario, whatever comes of it.

        Raises:
            NotWantedError: an exchange could not be kept.
        """
        with self.edge.record(
            upstream=endpoint.upstream,
            public=endpoint.public,
            scrubber=self.scrubber,
            network=self.network,
        ) as session:
            call = _call(scenario, endpoint, session.origin)
            observation = observe(self.path, call, name=self.client, session=session, timeout=self.timeout)
            try:
                interactions = tuple(endpoint.made_public(one) for one in session.interactions())
            except UnkeepableError as error:
                raise NotWantedError(str(error)) from error
            failures = session.failures()
        reason = _objection(scenario, observation, interactions, self.protocols)
        told = self.scrubber.text(": ".join([reason, *failures[-1:]])) if reason else ""
        return Attempt(interactions=interactions, objection=told)

    def keep(self, path: Path, cassette: Cassette) -> None:
        """Write the cassette, unless a secret would get into it.

        Raises:
            SecretFound: the value of a secret is still in there; nothing was written.
        """
        # The file's text may hold bodies in a form of its own, so they are looked at as they are, too.
        bodies = (body for one in cassette.interactions for body in (one.request.body, one.response.body))
        found = {name for data in (render(cassette), *bodies) for name in self.scrubber.find(data)}
        if found:
            raise SecretFound(str(path), sorted(found))
        save(path, cassette)


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


def _call(scenario: Scenario, endpoint: Endpoint, origin: str) -> Call:
    return Call(
        base_url=endpoint.base_url_through(origin),
        api_key=endpoint.key_for(scenario),
        provider=scenario.provider,
        model=scenario.model,
        messages=scenario.messages,
        params=scenario.params,
        function=scenario.function,
    )


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
    if packed := next(filter(None, map(_packing, interactions)), ""):
        return f"a body is packed as {packed!r}, which cannot be searched for secrets"
    *earlier, last = (interaction.response for interaction in interactions)
    if last.end is not End.COMPLETE:
        return f"the exchange ended early ({last.end})"
    if scenario.live and any(one.status >= _FAILED or one.end is not End.COMPLETE for one in earlier):
        return "the provider failed at first and had to be asked again: that is another scenario"
    facts = read_facts(last, protocols)
    if scenario.expects == "failure":
        return _no_failure(scenario, facts)
    return _no_answer(scenario, facts)


def _packing(interaction: Interaction) -> str:
    """The content coding of a body that nobody here could unpack; nothing is searched in such a body."""
    lines = (*interaction.request.headers, *interaction.response.headers)
    return next((value for name, value in lines if name.lower() == "content-encoding" and value), "")


def _no_failure(scenario: Scenario, facts: WireFacts) -> str | None:
    if facts.error is None:
        return f"the provider answered ({facts.status}), where a refusal or an error was wanted"
    # A provider that is busy or broken refuses everything: that is no evidence of how it refuses this.
    busy = facts.status not in _REFUSALS or facts.status == _TOO_MANY
    return f"the provider failed by itself: {_told(facts)}" if scenario.live and busy else None


def _no_answer(scenario: Scenario, facts: WireFacts) -> str | None:
    if facts.error is not None:
        return f"the provider refused: {_told(facts)}"
    if scenario.finish and scenario.finish not in facts.finish_reasons:
        return f"the answer finished with {facts.finish_reasons or 'no reason'}, not with {scenario.finish!r}"
    if facts.streamed and not facts.done and not facts.finish_reasons:
        return "the stream ended without a finish reason and without [DONE]"
    return None


def _told(facts: WireFacts) -> str:
    message = facts.error.get("message", "") if facts.error else ""
    return f"{facts.status} {message}".strip()
