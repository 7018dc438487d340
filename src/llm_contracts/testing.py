"""The contract check as one object, free of any test runner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from llm_contracts.clients.call import Client
from llm_contracts.clients.libraries.litellm import offline_litellm
from llm_contracts.clients.resolve import resolve
from llm_contracts.parity.result import Item
from llm_contracts.parity.waivers import Waivers, load_waivers
from llm_contracts.project.config import Project, checked_name, load_settings
from llm_contracts.project.load import load_project
from llm_contracts.project.scenario import Scenario
from llm_contracts.reporting.lanes import render_lanes
from llm_contracts.run.engines import Engine, EngineName, opened
from llm_contracts.run.match import rules_of
from llm_contracts.run.options import local_day
from llm_contracts.run.pairing import Pairing, Side, check_distinct
from llm_contracts.run.scenario import run_scenario
from llm_contracts.run.turns import Turns
from llm_contracts.util.versions import versions


@dataclass(frozen=True, kw_only=True, slots=True)
class Contract:
    """One project with an engine that runs. `timeout`: seconds per call; `turns`: one for all users."""

    project: Project
    engine: Engine
    waivers: Waivers
    timeout: float = 60.0
    turns: Turns = field(default_factory=Turns, compare=False, repr=False)

    def run(
        self,
        scenario: str | Scenario,
        *,
        reference: str | Client | None = None,
        candidate: str | Client | None = None,
    ) -> Item:
        """Replay one scenario's recording through both clients.

        Args:
            scenario: a row, or its name `provider/id`.
            reference: the client in use today, or its name; by default the project's own.
            candidate: the client that is to replace it; likewise.

        Returns:
            What both did and what differs. The project's waivers are applied to the project's own two clients
            alone: they were accepted for these, and say nothing about others.

        Raises:
            ConfigError: with the nearest names, for a scenario that does not exist; for a candidate that is
                the reference.
            ClientError: for a client that does not exist.
        """
        row = self._scenario(scenario) if isinstance(scenario, str) else scenario
        settings = self.project.settings
        match = Pairing(
            reference=self._side(settings.reference if reference is None else reference),
            candidate=self._side(settings.candidate if candidate is None else candidate),
            engine=self.engine,
            timeout=self.timeout,
            rules=rules_of(settings),
            turns=self.turns,
        )
        check_distinct(match.reference, match.candidate)
        with offline_litellm():
            item = run_scenario(match, self.project, row, thoroughly=True)
        if reference not in (None, settings.reference) or candidate not in (None, settings.candidate):
            return item
        return self.waivers.applied((item,), versions(self.project.settings.distributions))[0]

    def assert_parity(self, item: Item) -> None:
        """Fail, naming each difference, unless both clients agree but for what has been accepted."""
        if item.problem or not item.ran:
            raise AssertionError(item.problem or f"{item.id}: did not run, so nothing was compared.")
        lines = [
            f"{d.severity} {d.kind} at {d.where}: reference {d.reference!r}, candidate {d.candidate!r}"
            for d in item.unwaived
        ]
        lines += [f"noise: {d.kind} at {d.where}: {d.reference!r}, then {d.candidate!r}" for d in item.noise]
        if lines:
            raise AssertionError("\n".join([f"{item.id}: {len(lines)} unaccepted", *lines]))

    def render(self, item: Item) -> str:
        """The item's review text: two aligned lanes, totals and errors at the end."""
        return render_lanes(item)

    def _scenario(self, name: str) -> Scenario:
        rows = {row.name: row for row in self.project.scenarios}
        return rows[checked_name("scenario", name, rows)]

    def _side(self, client: str | Client) -> Side:
        if isinstance(client, str):
            return Side(name=client, client=resolve(client, self.project.clients))
        return Side(name=getattr(client, "__name__", "client"), client=client)


@contextmanager
def opened_contract(folder: Path, *, engine: str = "wire", timeout: float = 60.0) -> Iterator[Contract]:
    """The contract of the project that a folder belongs to."""
    project = load_project(load_settings(folder))
    waivers = load_waivers(project.settings.waivers, local_day())
    with opened(EngineName(engine)) as running:
        yield Contract(project=project, engine=running, waivers=waivers, timeout=timeout)
