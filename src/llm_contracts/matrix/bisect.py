"""Find the release that brought a difference, or removed it, trying as few as possible."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from packaging.version import Version

from llm_contracts.matrix.plan import MatrixRequest, ReleasePair, by_age
from llm_contracts.matrix.run import MatrixRun
from llm_contracts.matrix.table import Cell
from llm_contracts.parity.divergence import Kind
from llm_contracts.project.config import ConfigError
from llm_contracts.util.text import count

Probe = Callable[[str], bool | None]
"""Given a release, whether it shows what is looked for; None where it cannot be tried."""

_MOST = 500  # releases between two others: more than that is a loop


@dataclass(frozen=True, kw_only=True, slots=True)
class Releases:
    """The releases of one package. `newest`: given a requirement, the newest release that meets it, or None;
    raises if the index cannot be asked.
    """

    package: str
    newest: Callable[[str], str | None]

    def lines(self, low: str, high: str) -> tuple[str, ...]:
        """The newest of each minor line (`1.93.*`) strictly between two releases, oldest first."""
        # What is below the first release that a minor line can have belongs to the line before.
        below = lambda found: ".".join(map(str, Version(found).release[:2]))  # noqa: E731
        return tuple(self._down(low, high, below))[::-1]

    def between(self, low: str, high: str) -> tuple[str, ...]:
        """Every release strictly between two others, oldest first."""
        return tuple(self._down(low, high, lambda found: found))[::-1]

    def _down(self, low: str, high: str, below: Callable[[str], str]) -> Iterator[str]:
        bound = high
        for _ in range(_MOST):
            found = self.newest(f"{self.package}>{low},<{bound}")
            if found is None:
                return
            yield found
            bound = below(found)
            if Version(bound) <= Version(low):
                return


@dataclass(frozen=True, kw_only=True, slots=True)
class BisectTarget:
    """What to look for: a kind, in the scenarios that have it at one end and not at the other. `appears`:
    whether it is the later end that has it.
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


def bisect_document(goal: BisectTarget, found: Bracket, package: str, **extra: Any) -> dict[str, Any]:
    """What a bisection found, as plain JSON values. `extra`: further fields."""
    return {
        "kind": str(goal.kind),
        "package": package,
        "way": "appears" if goal.appears else "vanishes",
        "release": found.after,
        **asdict(found),
        "scenarios": list(goal.scenarios),
        **extra,
    }


def target(kind: Kind, low: Cell, high: Cell) -> BisectTarget | None:
    """What to bisect between two cells; None where both show the kind in the same scenarios.

    What appears has precedence over what vanishes.
    """
    first, last = ({d.item for d in cell.differences if d.kind is kind} for cell in (low, high))
    for appears, scenarios in ((True, last - first), (False, first - last)):
        if scenarios:
            return BisectTarget(kind=kind, appears=appears, scenarios=tuple(sorted(scenarios)))
    return None


def bisect(ends: tuple[str, str], goal: BisectTarget, probe: Probe, releases: Releases) -> Bracket:
    """Narrow two releases, the earlier one first, down to neighbours: over minor lines first, then over the
    releases of one, so that all of one line only are listed if all can be tried.
    """
    start = Bracket(before=ends[0], after=ends[1])
    rough = narrowed(start, releases.lines(start.before, start.after), goal, probe)
    return narrowed(rough, releases.between(rough.before, rough.after), goal, probe)


def narrowed(bracket: Bracket, candidates: Sequence[str], goal: BisectTarget, probe: Probe) -> Bracket:
    """Narrow a bracket as far as these candidates, which lie in it in order, allow."""
    before, after = bracket.before, bracket.after
    rest, failed, tried = list(candidates), set[str](bracket.untried), list(bracket.tried)
    while possible := [version for version in rest if version not in failed]:
        # A release that cannot be tried is bypassed through its neighbours.
        middle = min(possible, key=lambda version: abs(rest.index(version) - len(rest) // 2))
        tried.append(middle)
        shown = probe(middle)
        if shown is None:
            failed.add(middle)
        elif shown is goal.appears:  # as the later end
            after, rest = middle, rest[: rest.index(middle)]
        else:
            before, rest = middle, rest[rest.index(middle) + 1 :]
    return Bracket(before=before, after=after, untried=tuple(rest), tried=tuple(tried))


def ends(pinned: ReleasePair, pairs: Sequence[ReleasePair]) -> tuple[str, ReleasePair, ReleasePair]:
    """The package to go along, and the two pairs to go between, oldest first. With a single one asked for,
    the pinned pair is the other.

    Raises:
        ConfigError: it is not two pairs that have either release in common.
    """
    both = list(pairs) if len(pairs) > 1 else [pinned, *pairs]
    differing = [name for name in ("litellm", "openai") if len({getattr(p, name) for p in both}) > 1]
    if len(both) != 2 or len(differing) != 1:  # noqa: PLR2004 - two ends
        raise ConfigError(
            "--bisect goes between two releases of one package: --litellm 1.93.2,1.101.0. "
            f"Asked for: {'; '.join(map(str, pairs))}."
        )
    low, high = sorted(both, key=lambda pair: by_age(getattr(pair, differing[0])))
    return differing[0], low, high


def run_bisection(
    run: MatrixRun,
    request: MatrixRequest,
    kind: Kind,
    found_ends: tuple[str, ReleasePair, ReleasePair],
    say: Callable[[str], None],
) -> tuple[BisectTarget, Bracket] | str:
    """Check both `ends`, and then what lies between on the scenarios in question; a sentence where there is
    nothing to find. `say` is called with what is being done, and what came of it.

    Raises:
        ConfigError: an end cannot be tried.
    """
    package, low, high = found_ends
    whole = replace(run, reports=run.reports / "bisect")
    cells = []
    for pair in (low, high):
        say(f"{pair} …")
        cells.append(whole.one(pair))
        if not cells[-1].ran:
            raise ConfigError(
                f"{pair} cannot be tried, so there is nothing to go between. {cells[-1].reason}"
            )
    goal = target(kind, *cells)
    if goal is None:
        same = count(len({d.item for d in cells[0].differences if d.kind is kind}), "scenario")
        return f"{low} and {high} show {kind} in the same {same}: there is nothing to find."
    narrow = replace(
        whole, arguments=request.check_arguments(goal.scenarios), reports=whole.reports / "narrowed"
    )

    def probe(version: str) -> bool | None:
        pair = ReleasePair(**{"litellm": low.litellm, "openai": low.openai, package: version})
        say(f"{pair} …")
        cell = narrow.one(pair)
        shown = goal.shown_by(cell)
        outcome = f"cannot be tried: {cell.reason}" if shown is None else f"shows {kind}"
        say(f"{cell.pair} {f'does not show {kind}' if shown is False else outcome}")
        return shown

    say(f"{count(len(goal.scenarios), 'scenario')} to look at; listing the releases of {package} …")
    releases = Releases(package=package, newest=run.builder.newest)
    return goal, bisect((getattr(low, package), getattr(high, package)), goal, probe, releases)
