"""Several runs of two clients over the same bytes, put together.

What depends on time is a difference only if every look shows it; anything else if one does. A client that
fails at every second call is found by that, and a busy machine is not. Of waiting, only what all looks share
counts: load delays a client now here, now there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from llm_contracts.clients.observation import HANG, Observation
from llm_contracts.parity.compare import Comparison
from llm_contracts.parity.compare.pauses import quietest
from llm_contracts.parity.divergence import Divergence, Kind, place

_NOT_NOISE = frozenset({Kind.UNFAITHFUL, Kind.SIDE_EFFECT})
"""Both runs of the reference show alike what is unfaithful: a finding, not noise. What a library does beside
answering it often does once in a process.
"""

_SEEN_LATE = 3  # looks; the last of them with nothing else playing

_UNWAITED = frozenset({Kind.DELTAS, Kind.CHUNK_COUNT, Kind.ORDER, Kind.ERROR_POSITION, Kind.UNFAITHFUL})


@dataclass(frozen=True, kw_only=True, slots=True)
class Looks:
    """The runs so far, each pair and each control compared once.

    Attributes:
        compare: takes two observations.
        references, candidates: what both did, in order.
        found: one comparison for each run of the candidate, with the reference's run of the same number.
        controls: each further run of the reference, compared with the one before.
        unwaited: a run of the candidate for which nobody waited, compared with the reference's first, and
            such a run of the reference. They say nothing about time, nor about where pieces end.
    """

    compare: Callable[[Observation, Observation], Comparison]
    references: tuple[Observation, ...] = ()
    candidates: tuple[Observation, ...] = ()
    found: tuple[Comparison, ...] = ()
    controls: tuple[Comparison, ...] = ()
    unwaited: tuple[Comparison, Comparison] | None = None

    def of(self, reference: Observation) -> Looks:
        """One more run of the reference."""
        controls = (self.compare(each, reference) for each in self.references[-1:])
        return replace(self, references=(*self.references, reference), controls=(*self.controls, *controls))

    def by(self, candidate: Observation) -> Looks:
        """One more run of the candidate; the reference has run as often before."""
        found = self.compare(self.references[len(self.candidates)], candidate)
        return replace(self, candidates=(*self.candidates, candidate), found=(*self.found, found))

    def beside(self, reference: Observation, candidate: Observation) -> Looks:
        """A run of both for which nobody waited."""
        first = self.references[0]
        return replace(self, unwaited=(self.compare(first, candidate), self.compare(first, reference)))

    @property
    def divergences(self) -> tuple[Divergence, ...]:
        """What differs between the two, as the first look that shows it has it."""
        if not any(d.where.startswith("pauses") for look in self.found for d in look.divergences):
            return tuple(_agreed(self.found, self._unwaited(0)))
        quiet = self.compare(quietest(self.references), quietest(self.candidates))
        agreed = _agreed((quiet, *self.found), self._unwaited(0))
        return (
            *(d for d in agreed if not _is_measured(d)),
            *(d for d in quiet.divergences if _is_measured(d)),
        )

    @property
    def noise(self) -> tuple[Divergence, ...]:
        """What differs between runs of the reference alone."""
        return tuple(d for d in _agreed(self.controls, self._unwaited(1)) if d.kind not in _NOT_NOISE)

    @property
    def doubtful(self) -> bool:
        """Whether something is left that one more look might show to be chance. Text that lockstep waited for
        in vain in each of several looks is late: each would wait for seconds, in every recording of a client
        that buffers. Nor is a client that hung in every look waited for again.
        """
        if self.hung:
            return False
        left = (d for d in (*self.divergences, *self.noise) if may_be_chance(d))
        if len(self.candidates) >= _SEEN_LATE:
            left = (d for d in left if d.kind is not Kind.DELIVERY_LAG or _is_measured(d))
        return any(left)

    @property
    def hung(self) -> bool:
        """Whether the candidate ended within the time limit in none of several runs."""
        ends = [run.failure.category if run.failure else "" for run in self.candidates]
        return len(ends) > 1 and set(ends) == {HANG}

    @property
    def normalised(self) -> Mapping[str, int]:
        """What the first look hid."""
        return self.found[0].normalised

    def _unwaited(self, side: int) -> tuple[Divergence, ...]:
        return () if self.unwaited is None else without_chance(self.unwaited[side].divergences)


def _agreed(looks: Iterable[Comparison], unwaited: tuple[Divergence, ...]) -> Iterator[Divergence]:
    each = [look.divergences for look in looks]
    always = [{(d.kind, place(d.where)) for d in found} for found in each]
    each.append(unwaited)
    seen: set[tuple[str, str]] = set()
    for number, found in enumerate(each):
        new = [d for d in found if (d.kind, place(d.where)) not in seen or number == 0]
        for divergence in new:
            key = (divergence.kind, place(divergence.where))
            # A library may print once, when it is first called. What only a later call prints is not set-up.
            later = number > 0 and divergence.where == "stdout"
            if later or not may_be_chance(divergence) or all(key in places for places in always):
                yield divergence
        seen |= {(d.kind, place(d.where)) for d in found}


def _is_measured(divergence: Divergence) -> bool:
    return divergence.where.startswith("pauses.")


def without_chance(found: Iterable[Divergence]) -> tuple[Divergence, ...]:
    """What does not hang on time, of a run for which nobody waited: a client that merges pieces hands on
    others each time. Faults that it shows in every run are not a change.
    """
    return tuple(d for d in found if d.kind not in _UNWAITED and not may_be_chance(d))


def may_be_chance(divergence: Divergence) -> bool:
    """Whether one look does not prove it: it hangs on time, or happens once in a process."""
    if divergence.kind is Kind.ATTEMPTS:
        return divergence.where.startswith("pauses")
    left = divergence.kind is Kind.SIDE_EFFECT and not divergence.where.startswith("call.")
    return divergence.kind is Kind.DELIVERY_LAG or left
