"""One recording: call through the edge, look whether the exchange is what the scenario is about, keep it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from llm_contracts.clients.call import Client
from llm_contracts.clients.observation import Observation
from llm_contracts.clients.observe import observe
from llm_contracts.project.endpoint import Endpoint
from llm_contracts.project.evidence import objection
from llm_contracts.project.scenario import Scenario
from llm_contracts.wire.cassette import Cassette, CassetteError, Provenance, load, save
from llm_contracts.wire.interaction import End, Interaction
from llm_contracts.wire.protocols import BUILT_IN, Protocols
from llm_contracts.wire.proxy.exchange import UnkeepableError
from llm_contracts.wire.proxy.network import DIRECT, Network
from llm_contracts.wire.proxy.server import Edge
from llm_contracts.wire.scrub import Scrubber


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
                base_url=endpoint.base_url_through(session.origin), api_key=endpoint.key_for(scenario)
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
