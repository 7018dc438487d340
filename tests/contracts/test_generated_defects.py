"""Made defects are each reported as what they are, and made harmless clients are not reported."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from llm_contracts.clients import builtin
from llm_contracts.parity.divergence import Severity
from llm_contracts.run.workers.threads import run_jobs
from tests.contracts.defects.generated import generated, sound
from tests.contracts.defects.harmless import harmless
from tests.contracts.defects.ledger import DEFECTS

if TYPE_CHECKING:
    from llm_contracts.testing import Contract

_AT_ONCE = 8


def test_each_generated_defect_is_reported_as_its_kind(contract: Contract) -> None:
    made = generated()
    jobs = [
        partial(contract.run, defect.scenario, reference=sound, candidate=defect.client) for defect in made
    ]
    items = run_jobs(jobs, workers=_AT_ONCE)
    unseen = {
        defect.name: [f"{d.kind} at {d.where}" for d in item.divergences]
        for defect, item in zip(made, items, strict=True)
        if defect.kind not in {d.kind for d in item.unwaived}
    }
    assert unseen == {}
    assert len(made) + len(DEFECTS) >= 120


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
