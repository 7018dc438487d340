"""Divergences put together as decisions: the same one in forty recordings is one thing to think about."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_contracts.parity.divergence import Divergence, Kind, Severity, severity_of

if TYPE_CHECKING:
    from llm_contracts.parity.result import Item

_SEVERITIES = tuple(Severity)


@dataclass(frozen=True, kw_only=True, slots=True)
class DivergenceGroup:
    """Divergences of one kind at one place. `where` has its numbers replaced (`delta[*]`); `example` is the
    first of them, `ids` are the items concerned, each once, in the order of the result.
    """

    kind: Kind
    where: str
    example: Divergence
    ids: tuple[str, ...]

    @property
    def severity(self) -> Severity:
        """How much it means: the same for all members, as it follows from kind and place."""
        return severity_of(self.kind, self.where)


def group(items: Iterable[Item], pick: Callable[[Item], Iterable[Divergence]]) -> tuple[DivergenceGroup, ...]:
    """Group what `pick` finds in each item: what breaks first, then what is most frequent."""
    examples: dict[tuple[Kind, str], Divergence] = {}
    ids: dict[tuple[Kind, str], dict[str, None]] = {}
    for item in items:
        for divergence in pick(item):
            key = (divergence.kind, place(divergence.where))
            examples.setdefault(key, divergence)
            ids.setdefault(key, {})[item.id] = None
    groups = [
        DivergenceGroup(kind=kind, where=where, example=examples[kind, where], ids=tuple(members))
        for (kind, where), members in ids.items()
    ]
    return tuple(sorted(groups, key=lambda g: (_SEVERITIES.index(g.severity), -len(g.ids))))


def place(where: str) -> str:
    """A place without its numbers: `delta[17]` is `delta[*]`."""
    return re.sub(r"\[\d+\]", "[*]", where)
