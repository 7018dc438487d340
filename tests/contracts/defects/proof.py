"""Run a defect's path, and the same path without the defect, as the check runs any two paths."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain

from llm_contracts.parity.result import Item
from llm_contracts.paths.call import CallPath
from llm_contracts.run import Match, Side, replay_call, run_jobs
from llm_contracts.testing import Contract
from llm_contracts.versions import versions
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
    jobs = chain.from_iterable(_jobs(contract, defect) for defect in defects)
    items = run_jobs(jobs, workers=_AT_ONCE)
    pairs = zip(defects, items[::2], items[1::2], strict=True)
    return {defect.name: Proof(broken=broken, sound=sound) for defect, broken, sound in pairs}


def _jobs(contract: Contract, defect: Defect) -> Iterator[Callable[[], Item]]:
    against = defect.path if defect.shared else defect.against
    yield partial(_run, contract, defect, against, defect.path)
    yield partial(_run, contract, defect, defect.against, defect.sound)


def _run(contract: Contract, defect: Defect, reference: CallPath, candidate: CallPath) -> Item:
    row, project = defect.row, contract.project
    match = Match(
        reference=Side(name="reference", path=reference),
        candidate=Side(name="candidate", path=candidate),
        engine=contract.engine,
        timeout=contract.timeout,
    )
    blank = Item(id=row.name, provider=row.provider, scenario=row.id)
    played = defect.played(load(project.cassette(row)).interactions)
    item = match.run(blank, played, replay_call(row, project.provider(row.provider)))
    return contract.waivers.applied((item,), versions())[0]


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
