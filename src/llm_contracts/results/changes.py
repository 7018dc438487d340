"""What a run found that the one before did not: new, gone, as before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from llm_contracts.parity.result import Result
from llm_contracts.results.items import StoredResultError
from llm_contracts.results.store import Stored
from llm_contracts.util.dataclass_json import from_json


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """How the open differences of the recordings that both runs compared have changed.

    Attributes:
        since: when the earlier run was made, in ISO 8601.
        new: fingerprints that were not open then.
        gone: how many are open no longer.
        same: how many still are.
    """

    since: str
    new: tuple[str, ...]
    gone: int
    same: int

    def __str__(self) -> str:
        when = datetime.fromisoformat(self.since).astimezone().strftime("%d %B %Y, %H:%M").lstrip("0")
        return (
            f"Since the last run ({when}): {len(self.new):,} new, {self.gone:,} gone, "
            f"{self.same:,} as before."
        )

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Changes | None:
        """The changes that a result's document holds; None where there was no run to compare with."""
        row = document.get("changes")
        return None if row is None else from_json(cls, row)


def changes_since(folder: Path | None, result: Result) -> Changes | None:
    """How a result differs from the one that is stored in a folder; None where there is none of the same two
    clients that has one of its recordings, or none that can be read.
    """
    try:
        earlier = None if folder is None else Stored.load(folder)
        if earlier is None:
            return None
        before = earlier.result
    except StoredResultError:
        return None
    if (before.reference, before.candidate) != (result.reference, result.candidate):
        return None
    was = {item.id: {found.fingerprint for found in item.unwaived} for item in before.items}
    now = {item.id: {found.fingerprint for found in item.unwaived} for item in result.items if item.id in was}
    was = {name: found for name, found in was.items() if name in now}
    if not now:
        return None
    then, today = (set[str]().union(*rows.values()) for rows in (was, now))
    return Changes(
        since=str(earlier.document["checked_at"]),
        new=tuple(sorted(today - then)),
        gone=len(then - today),
        same=len(then & today),
    )
