"""Run a defect's path, and the same path without the defect, as the check runs any two clients."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

from llm_contracts import Client, Contract, Item, Kind
from llm_contracts.run.pairing import Pairing, Side
from llm_contracts.run.scenario import replay_call
from llm_contracts.run.turns import Turns
from llm_contracts.run.workers.threads import run_jobs
from llm_contracts.util.versions import versions
from llm_contracts.wire.cassette import load
from tests.contracts.defects.defect import Defect, Report

_AT_ONCE = 8  # most of the time is waiting: for clients that back off, and for pieces that come late


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """What the check says with the defect, and without it."""

    broken: Item
    sound: Item


def prove(contract: Contract, defects: tuple[Defect, ...]) -> dict[str, Proof]:
    """The proof of each defect, by its name."""
    # Those who deliver late keep the edge waiting: begun first, they wait while others work.
    defects = tuple(sorted(defects, key=lambda defect: not _late(defect)))
    wholes = {_whole(defect): defect for defect in defects}
    jobs = [
        *(partial(_broken, contract, defect) for defect in defects),
        *(partial(_run, contract, defect, defect.against, defect.sound) for defect in wholes.values()),
    ]
    items = run_jobs(jobs, workers=_AT_ONCE)
    sound = dict(zip(wholes, items[len(defects) :], strict=True))
    pairs = zip(defects, items, strict=False)
    return {defect.name: Proof(broken=item, sound=sound[_whole(defect)]) for defect, item in pairs}


def _late(defect: Defect) -> bool:
    return any(kind is Kind.DELIVERY_LAG for kind, _ in defect.reported)


def _whole(defect: Defect) -> tuple[object, ...]:
    """What runs when the defect is left out: the same for many, and then run only once."""
    return defect.scenario, repr(defect.asked), defect.played, defect.against, defect.sound


def _broken(contract: Contract, defect: Defect) -> Item:
    path = defect.path
    return _run(contract, defect, path if defect.shared else defect.against, path)


def _run(contract: Contract, defect: Defect, reference: Client, candidate: Client) -> Item:
    row, project = defect.row, contract.project
    match = Pairing(
        reference=Side(name="reference", client=reference),
        candidate=Side(name="candidate", client=candidate),
        engine=contract.engine,
        timeout=contract.timeout,
        # Who is late keeps the edge waiting, each time that it is looked at alone; they wait side by side.
        turns=Turns() if _late(defect) else contract.turns,
    )
    blank = Item(id=row.name, provider=row.provider, scenario=row.id)
    played = defect.played(load(project.cassette(defect.recorded)).interactions)
    item = match.run(blank, played, replay_call(row, project.provider(row.provider)))
    return contract.waivers.applied((item,), versions(contract.project.settings.distributions))[0]


def unlike(item: Item, expected: tuple[Report, ...]) -> list[str]:
    """What was reported and not expected, and what was expected and not reported."""
    found = [(d.kind, d.where) for d in item.unwaived]
    surplus = [f"unexpected: {kind} at {where}" for kind, where in found if not _any((kind, where), expected)]
    missing = [
        f"not reported: {kind} at {where}"
        for kind, where in expected
        if not any(_any(one, ((kind, where),)) for one in found)
    ]
    return surplus + missing


def _any(found: Report, expected: tuple[Report, ...]) -> bool:
    return any(found[0] is kind and _fits(where, found[1]) for kind, where in expected)


def _fits(pattern: str, where: str) -> bool:
    """Brackets mean themselves."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), where) is not None
