"""One recording, varied in every way that networks and providers know, through both clients.

Where nothing may change (`recut`), each client is held against what it did with the recording itself. Where
something is missing or wrong (`ends`, `faults`), the two clients are held against each other and against the
bytes; what already differs on the recording itself is reported there, once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from llm_contracts.clients.call import Call
from llm_contracts.parity.compare import compare
from llm_contracts.parity.compare.finding import canonical
from llm_contracts.parity.divergence import Divergence
from llm_contracts.parity.looks import may_be_chance
from llm_contracts.parity.result import Item
from llm_contracts.parity.variant_names import varied
from llm_contracts.run.engines import PATIENCE, Engine, Play
from llm_contracts.run.pairing import Pairing
from llm_contracts.simulator.dialect import Dialect
from llm_contracts.simulator.openai import OPENAI
from llm_contracts.sweep.changed import Sides, compare_change, shown_as_whole
from llm_contracts.sweep.variants import Family, Variant, variants
from llm_contracts.wire.facts import WireFacts, read_facts
from llm_contracts.wire.interaction import End, Interaction
from llm_contracts.wire.protocols import BUILT_IN, Protocols
from llm_contracts.wire.proxy.playback_options import Fragmentation, PlaybackOptions
from llm_contracts.wire.proxy.server import Edge
from llm_contracts.wire.request_diff import place_of

SILENCE = 1.2
"""Seconds for which a provider that stalls stays connected; a client without a limit of its own sees a reset
then. Longer than the patience that clients are given.
"""

_LONGEST = 1.0  # seconds; less than `SILENCE`

_LOOKS = 4
"""Further looks at what may hang on how fast a client is: it may have had no time to ask."""

_SETTLING = 0.1
"""Seconds for which a client may read what came before a reset."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweeper:
    """Runs the variants of one recording after the other.

    Attributes:
        match: the two clients, an engine (see `opened_pieces`), and how to read what is sent.
        families: which kinds of variant.
        every: leave no place out.
        decided: puts the reasons of waivers into an item.
        dialect: in which faults are worded.
    """

    match: Pairing
    families: Collection[Family] = tuple(Family)
    every: bool = False
    decided: Callable[[Item], Item] = lambda item: item
    dialect: Dialect = OPENAI

    def run(self, blank: Item, interactions: tuple[Interaction, ...], call: Call) -> Iterator[Item]:
        """The recording itself, then each variant, as items.

        Args:
            blank: the recording's own item, to be filled.
            interactions: what the provider sent.
            call: what to ask, with the provider's own address as base URL.
        """
        match = self.match
        match.play_both(interactions, call)  # imports libraries: a client's own time limit may be short
        recorded = match.play_both(interactions, call)
        facts = _facts(interactions, match.protocols)
        own = compare(*recorded, facts, scope=blank.id, rules=match.rules).divergences
        yield self.decided(_filled(blank, recorded, _proven(own, attempts=False)))
        baseline = _Baseline(match=match, sides=recorded, facts=facts, known=frozenset(map(_identity, own)))
        for variant in variants(
            interactions, self.dialect, self.families, every=self.every, protocols=match.protocols
        ):
            yield self._varied(blank, variant, call, baseline)

    def _varied(self, blank: Item, variant: Variant, call: Call, baseline: _Baseline) -> Item:
        named = replace(
            blank, id=varied(blank.id, variant.name), scenario=varied(blank.scenario, variant.name)
        )

        def asked(look: int) -> Call:
            """Each look has a longer limit: on a busy machine the first may end before anything is asked."""
            if variant.patience is None:
                return call
            return replace(call, params={**call.params, "timeout": min(look * variant.patience, _LONGEST)})

        sides = self.match.play_both(variant.interactions, asked(1))
        found = baseline.judge(variant, sides, named.id)
        item = self.decided(_filled(named, sides, found))
        for look in range(_LOOKS if variant.hurried else 1):
            if item.unwaived:
                item = self._looked_at_again(item, variant, asked(look + 2), baseline, sides)
        return item

    def _looked_at_again(
        self, item: Item, variant: Variant, call: Call, baseline: _Baseline, sides: Sides
    ) -> Item:
        """What hangs on time is believed only when it occurs again; of all else, what does not is noise."""
        again = self.match.play_both(variant.interactions, call)
        places = {(d.kind, d.where) for d in baseline.judge(variant, again, item.id)}
        repeated = tuple(
            d
            for d in item.divergences
            if (d.kind, d.where) in places or not (variant.hurried or d.where.startswith("pauses"))
        )
        changed = compare_change(sides, again, (), scope=item.id, rules=self.match.rules)
        noise = () if variant.hurried else _proven(changed, attempts=False)
        return self.decided(replace(item, divergences=repeated, noise=noise))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Baseline:
    """What is known of the recording itself, against which its variants are judged."""

    match: Pairing
    sides: Sides
    facts: tuple[WireFacts, ...]
    known: frozenset[str]

    def judge(self, variant: Variant, sides: Sides, scope: str) -> tuple[Divergence, ...]:
        rules = self.match.rules
        if variant.family is Family.RECUT:
            changed = compare_change(self.sides, sides, self.facts, scope=scope, rules=rules)
            return _proven(changed, attempts=False)
        facts = _facts(variant.interactions, self.match.protocols)
        found = _proven(compare(*sides, facts, scope=scope, rules=rules).divergences)
        new = tuple(d for d in found if _identity(d) not in self.known)
        if variant.family is Family.FAULTS:
            return new
        return (*new, *shown_as_whole(sides, facts[-1], self.facts[-1], found, scope=scope))


def _proven(found: tuple[Divergence, ...], *, attempts: bool = True) -> tuple[Divergence, ...]:
    """Without waiting, lateness and what is left behind: a variant is played once, where nobody waits, and a
    check sees these. `attempts`: whether the pauses between attempts count, which are announced and not
    measured.
    """
    return tuple(d for d in found if (attempts and d.where.startswith("pauses[")) or not may_be_chance(d))


def _facts(interactions: tuple[Interaction, ...], protocols: Protocols) -> tuple[WireFacts, ...]:
    """What the answers say that came from the same place as the last: a token that was sold beforehand is no
    answer to the question.
    """
    place = place_of(interactions[-1].request)
    return tuple(read_facts(i.response, protocols) for i in interactions if place_of(i.request) == place)


def _filled(blank: Item, sides: Sides, found: tuple[Divergence, ...]) -> Item:
    return replace(blank, reference=sides[0], candidate=sides[1], divergences=found)


def _identity(divergence: Divergence) -> str:
    """The same difference in a recording and its variants has other fingerprints: these are an item's own."""
    return canonical([divergence.kind, divergence.where, divergence.reference, divergence.candidate])


@contextmanager
def opened_pieces() -> Iterator[Engine]:
    """An engine that sends the very pieces of a recording.

    Where nothing goes wrong it waits for nobody. Before a fault it waits until the consumer has what was
    sent, so that the place of the fault is the same in every run.
    """
    with Edge() as edge:

        @contextmanager
        def play(interactions: tuple[Interaction, ...], protocols: Protocols = BUILT_IN) -> Iterator[Play]:
            ends = {interaction.response.end for interaction in interactions}
            silence = _SETTLING if End.RESET in ends else SILENCE
            with edge.replay(
                tuple(map(_silent_before_reset, interactions)),
                PlaybackOptions(
                    lockstep=bool(ends - {End.COMPLETE}),
                    patience=PATIENCE,
                    pieces=Fragmentation.RECORDED,
                    silence=silence,
                    protocols=protocols,
                ),
            ) as session:
                yield Play(session=session, origin=session.origin)

        yield play


def _silent_before_reset(interaction: Interaction) -> Interaction:
    """A reset throws away what the client has not read yet: it is given a moment of silence before."""
    response = interaction.response
    if response.end is not End.RESET or not response.status:
        return interaction
    return replace(interaction, response=replace(response, end=End.TIMEOUT))
