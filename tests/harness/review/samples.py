"""Members of groups, made up."""

from __future__ import annotations

from datetime import date
from typing import Any

from llm_contracts.parity.compare import ABSENT
from llm_contracts.parity.decision_groups import Member
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.review.coverage import Terms
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


def state(*members: Member, **fields: Any) -> ReviewState:
    values: dict[str, Any] = {
        "members": members or (*EMPTY, *MODEL, *LOST),
        "clients": ("left", "right"),
        "versions": {},
        "waivers": "waivers.toml",
        "by": "Ada",
        "until": date(2027, 1, 31),
    }
    return begin(ReviewState(**{**values, **fields}))
