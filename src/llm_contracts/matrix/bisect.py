"""Find the release that brought a difference, or took it away, trying as few as possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from llm_contracts.matrix.cell import Cell
from llm_contracts.parity.divergence import Kind

Probe = Callable[[str], bool | None]
"""Given a release, whether it shows what is looked for; None where it cannot be tried."""

Listing = Callable[[str, str], Sequence[str]]
"""Given two releases, those strictly between them, oldest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What to look for: a kind, in the scenarios that have it at one end and not at the other.

    Attributes:
        kind: the kind of divergence.
        appears: whether it is the later end that has it.
        scenarios: where.
    """

    kind: Kind
    appears: bool
    scenarios: tuple[str, ...]

    def shown_by(self, cell: Cell) -> bool | None:
        """Whether any of these scenarios shows the kind there."""
        if not cell.ran:
            return None
        return any(d.kind is self.kind and d.item in set(self.scenarios) for d in cell.differences)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bracket:
    """Two releases next to each other, as far as could be tried.

    Attributes:
        before: the last that is as the earlier end.
        after: the first that is as the later end: the release that made the difference.
        untried: what lies between and could not be tried.
        tried: what was tried on the way, in that order.
    """

    before: str
    after: str
    untried: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()


def target(kind: Kind, low: Cell, high: Cell) -> Target | None:
    """What to bisect between two cells; None where both show the kind in the same scenarios.

    What appears has precedence over what vanishes.
    """
    first, last = ({d.item for d in cell.differences if d.kind is kind} for cell in (low, high))
    for appears, scenarios in ((True, last - first), (False, first - last)):
        if scenarios:
            return Target(kind=kind, appears=appears, scenarios=tuple(sorted(scenarios)))
    return None


def bisect(ends: tuple[str, str], goal: Target, probe: Probe, *, lines: Listing, between: Listing) -> Bracket:
    """Narrow two releases down to neighbours: over minor lines first, then over the releases of one.

    Args:
        ends: the earlier and the later release.
        goal: what appears or vanishes between them.
        probe: tries a release.
        lines: lists the newest release of each minor line.
        between: lists every release; asked for about one line only, if all can be tried.
    """
    start = Bracket(before=ends[0], after=ends[1])
    rough = narrowed(start, lines(start.before, start.after), goal, probe)
    return narrowed(rough, between(rough.before, rough.after), goal, probe)


def narrowed(bracket: Bracket, candidates: Sequence[str], goal: Target, probe: Probe) -> Bracket:
    """Narrow a bracket as far as these candidates, which lie in it in order, allow."""
    before, after = bracket.before, bracket.after
    rest, failed, tried = list(candidates), set[str](bracket.untried), list(bracket.tried)
    while possible := [version for version in rest if version not in failed]:
        middle = _nearest_to_middle(rest, possible)
        tried.append(middle)
        shown = probe(middle)
        if shown is None:
            failed.add(middle)
        elif shown is goal.appears:  # as the later end
            after, rest = middle, rest[: rest.index(middle)]
        else:
            before, rest = middle, rest[rest.index(middle) + 1 :]
    return Bracket(before=before, after=after, untried=tuple(rest), tried=tuple(tried))


def _nearest_to_middle(all_left: Sequence[str], possible: Sequence[str]) -> str:
    """What cannot be tried is gone round by its neighbours."""
    middle = len(all_left) // 2
    return min(possible, key=lambda version: abs(all_left.index(version) - middle))
