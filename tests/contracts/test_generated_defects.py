"""Made defects are each reported as what they are, and made harmless clients are not reported."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import openai
import pytest

from llm_contracts.clients import builtin
from llm_contracts.parity.compare import compare
from llm_contracts.parity.divergence import Severity
from llm_contracts.run.engines import EngineName, opened
from llm_contracts.run.pairing import Pairing, Side
from llm_contracts.run.scenario import replay_call
from llm_contracts.run.workers.threads import run_jobs
from llm_contracts.wire.facts import read_facts
from tests.contracts.defects.generated import STREAMS, generated, sound
from tests.contracts.defects.harmless import harmless
from tests.contracts.defects.ledger import DEFECTS
from tests.contracts.defects.wrong_clients import wrong_clients
from tests.contracts.recorded import PROJECT, RECORDED, recorded

if TYPE_CHECKING:
    from llm_contracts import Client, Observation
    from llm_contracts.testing import Contract

pytestmark = pytest.mark.long

_AT_ONCE = 8


def test_each_generated_defect_is_reported_as_its_kind() -> None:
    """One run of each, against one run of the sound client; both hold all back until the end, so the edge
    waits for neither.
    """
    made = generated()
    clients = [(scenario, sound) for scenario in STREAMS] + [(each.scenario, each.client) for each in made]
    seen = _observed(clients)
    reference = dict(zip(STREAMS, seen, strict=False))
    unseen = {}
    for defect, candidate in zip(made, seen[len(STREAMS) :], strict=True):
        facts = tuple(read_facts(interaction.response) for interaction in recorded(defect.scenario))
        found = compare(reference[defect.scenario], candidate, facts, scope=defect.name).divergences
        if defect.kind not in {d.kind for d in found}:
            unseen[defect.name] = [f"{d.kind} at {d.where}" for d in found]
    assert unseen == {}
    assert len(made) + len(DEFECTS) >= 120


def _observed(clients: list[tuple[str, Client]]) -> tuple[Observation, ...]:
    with opened(EngineName.WIRE, lockstep=False) as engine:

        def observed(scenario: str, client: Client) -> Observation:
            row = RECORDED[scenario]
            call = replay_call(row, PROJECT.provider(row.provider))
            side = Side(name="generated", client=client)
            alone = Pairing(reference=side, candidate=side, engine=engine)
            return alone.play(side, recorded(scenario), call)

        return run_jobs([partial(observed, *each) for each in clients], workers=_AT_ONCE)


def test_each_wrong_client_is_reported_as_what_it_does(
    contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other: they change the process."""
    monkeypatch.setattr(openai, "max_retries", openai.max_retries)
    monkeypatch.setenv("A_LEDGER_VARIABLE", "0")
    found = {}
    for wrong in wrong_clients():
        item = contract.run(wrong.scenario, reference=builtin.openai, candidate=wrong.client)
        shown = {(d.kind, d.where) for d in item.unwaived}
        if item.problem or (wrong.kind, wrong.where) not in shown:
            found[wrong.name] = (item.problem, shown)
    assert found == {}


def test_no_harmless_client_raises_an_alarm(contract: Contract) -> None:
    clients = harmless()
    assert len(clients) >= 40
    jobs = [
        partial(contract.run, scenario, reference=builtin.openai, candidate=client)
        for scenario, client in clients.values()
    ]
    items = run_jobs(jobs, workers=_AT_ONCE)
    alarms = {
        name: [f"{d.kind} at {d.where}: {d.reference!r}, {d.candidate!r}" for d in item.divergences]
        for name, item in zip(clients, items, strict=True)
        if item.problem or any(d.severity is not Severity.COSMETIC for d in item.divergences)
    }
    assert alarms == {}
