"""Members of groups, made up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from llm_contracts.parity.compare import ABSENT
from llm_contracts.parity.decision_groups import Member
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.project.config import Settings
from llm_contracts.results.store import Stored
from llm_contracts.review.coverage import Terms
from llm_contracts.review.session import ReviewSession
from llm_contracts.review.tui.state import ReviewState, begin

TERMS = Terms(reason="decided", by="Ada", until=date(2027, 1, 31))
DAY = date(2026, 11, 22)


def member(
    item: str, kind: Kind = Kind.USAGE_MISSING, where: str = "usage", old: Any = 7, new: Any = ABSENT
) -> Member:
    provider, _, scenario = item.partition("/")
    divergence = Divergence(
        kind=kind, where=where, reference=old, candidate=new, fingerprint=f"{item}|{kind}|{where}"
    )
    return Member(item=item, provider=provider, scenario=scenario, divergence=divergence)


LOST = (member("acme/plain"), member("acme/chat"), member("zenith/plain"))
MODEL = tuple(member(m.item, Kind.MODEL_NAME, "model", "a", "b") for m in LOST)
EMPTY = (member("acme/plain", Kind.CHUNK_COUNT, "chunks.empty", 1, 2),)


SESSION = ReviewSession(
    settings=Settings(
        root=Path(),
        clients=Path("clients.py"),
        scenarios=Path("scenarios.py"),
        waivers=Path("waivers.toml"),
        cassettes=Path("cassettes"),
        snapshots=Path("snapshots"),
        waiver_days=70,
    ),
    stored=Stored(
        folder=Path("report"), document={"reference": "left", "candidate": "right", "versions": {}}
    ),
    today=DAY,
    known=frozenset(),
    secrets={},
    read_only="",
    no_waivers="",
    members=(),
)


def state(*members: Member, **decided: Any) -> ReviewState:
    """At the beginning; `decided`: fields of the session."""
    members = members or (*EMPTY, *MODEL, *LOST)
    session = replace(SESSION, members=members, **decided)
    return begin(ReviewState(session=session, members=members, by="Ada"))
