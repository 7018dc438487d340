"""Calls as applications make them: our adapter, recordings at the other end, and an ear for telemetry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from llm_adapter.providers import PROVIDERS, Provider
from llm_contracts import Request, Scenario
from llm_contracts.project.config import load_settings
from llm_contracts.project.load import load_project
from llm_contracts.wire.cassette import load
from llm_contracts.wire.facts import WireFacts, read_facts
from llm_contracts.wire.proxy.playback_options import PlaybackOptions
from llm_contracts.wire.proxy.server import Edge
from llm_contracts.wire.proxy.session import Session

PROJECT = load_project(load_settings(Path(__file__).parent))
ROWS = {row.key: row for row in PROVIDERS}
SCENARIOS = {scenario.name: scenario for scenario in PROJECT.scenarios}


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """A recording being played to whoever calls.

    Attributes:
        scenario: what was recorded.
        session: where requests arrive.
        facts: what the last answer of the recording says.
        path: where that answer was asked for.
    """

    scenario: Scenario
    session: Session
    facts: WireFacts
    path: str

    @property
    def key(self) -> str:
        """What this provider is to be sent, and nobody else."""
        return f"sk-of-{self.scenario.provider}-only"

    @property
    def environ(self) -> dict[str, str]:
        """The variables that lead to this provider."""
        row: Provider = ROWS[self.scenario.provider]
        url = self.session.origin + urlsplit(PROJECT.provider(row.key).base_url).path
        second = {row.second_key_variable: self.key} if row.second_key_variable else {}
        return {row.key_variables[0]: self.key, **second, row.base_url_variable: url}

    @property
    def asked(self) -> list[Request]:
        """The requests for an answer, without those for a token."""
        return [request for request in self.session.requests() if urlsplit(request.uri).path == self.path]

    @property
    def question(self) -> dict[str, Any]:
        """What `chat_llm` is given beside app, user and span."""
        return {"model": self.scenario.model, "messages": list(self.scenario.messages)}

    def gave(self, pieces: Iterable[Any]) -> bool:
        """Whether these are the text of the recording, all of it."""
        return bool(self.facts.text) and said(pieces) == self.facts.text


def played(edge: Edge, name: str, *, patience: float | None = None) -> Played:
    """Play a recording; its session is open until the edge is closed.

    Args:
        edge: what plays it.
        name: `provider/scenario`.
        patience: seconds for which the provider holds the stream back after each piece of text, until
            somebody says that it was delivered; None plays at full speed.
    """
    scenario = SCENARIOS[name]
    interactions = load(PROJECT.cassette(scenario)).interactions
    protocols = PROJECT.protocols_of(scenario.provider)
    session = edge.replay(
        interactions,
        PlaybackOptions(lockstep=patience is not None, patience=patience or 0.0, protocols=protocols),
    )
    last = interactions[-1]
    path = urlsplit(last.request.uri).path
    return Played(scenario=scenario, session=session, facts=read_facts(last.response, protocols), path=path)


def said(pieces: Iterable[Any]) -> str:
    """The joined text."""
    return "".join(piece.result for piece in pieces)


@dataclass(slots=True)
class Ear:
    """In the place of a caller's Langfuse span: hears of generations below it, and how each ends."""

    begun: int = 0
    ends: list[Mapping[str, Any]] = field(default_factory=list)

    def start_observation(self, **_: Any) -> _Generation:
        self.begun += 1
        return _Generation(self)

    def update(self, **_: Any) -> None:
        """The caller's own span is told the output, too."""


@dataclass(slots=True)
class _Generation:
    ear: Ear
    told: dict[str, Any] = field(default_factory=dict)

    def update(self, **told: Any) -> None:
        self.told |= told

    def end(self) -> None:
        self.ear.ends.append(self.told)
