"""Two clients on one recording: how often each is played to, and what is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from types import FunctionType, MethodType, MethodWrapperType
from typing import Any

from llm_contracts.clients.call import Call, Client
from llm_contracts.clients.observation import Observation
from llm_contracts.clients.observe import observe
from llm_contracts.parity.compare import NO_RULES, Rules, compare
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.parity.looks import Looks
from llm_contracts.parity.result import Item
from llm_contracts.project.config import ConfigError
from llm_contracts.run.engines import Engine, UnplayableError
from llm_contracts.run.left_early import left_early_differences
from llm_contracts.run.recut import recut_differences
from llm_contracts.run.turns import Turns
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import Interaction, Request
from llm_contracts.wire.matching import NO_MATCH, Matcher
from llm_contracts.wire.protocols import BUILT_IN, Protocols
from llm_contracts.wire.scrub import scrub_query

_FURTHER_LOOKS = 4
_DEEPEST = 8  # of functions that hold functions
_CHEAP = 16_000  # bytes of a recording that is played twice in lockstep
_ASKS_OTHERWISE = frozenset({Kind.REQUEST_TARGET, Kind.ATTEMPTS})
"""Differences that say already that the candidate asks for what was not recorded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """A client under the name it was asked for."""

    name: str
    client: Client


@dataclass(frozen=True, kw_only=True, slots=True)
class Pairing:
    """Two clients, and how recordings are played to them and read. `timeout`: seconds per call; `recutting`:
    plays the pieces that it is given and waits for nobody; without it no recording is recut; `turns`: shared
    with whoever else plays in this process.
    """

    reference: Side
    candidate: Side
    engine: Engine
    timeout: float = 60.0
    protocols: Protocols = BUILT_IN
    rules: Rules = NO_RULES
    recutting: Engine | None = None
    turns: Turns = field(default_factory=Turns, compare=False)

    @property
    def sides(self) -> tuple[Side, Side]:
        """Reference and candidate."""
        return self.reference, self.candidate

    @property
    def _hurried(self) -> Pairing | None:
        """The same without waiting for either."""
        return None if self.recutting is None else replace(self, engine=self.recutting)

    def run(
        self,
        blank: Item,
        interactions: tuple[Interaction, ...],
        call: Call,
        *,
        own: bool = False,
        thoroughly: bool = False,
    ) -> Item:
        """Run one recording twice with each: to see what of the reference does not even agree with itself,
        and whether the candidate answers alike. A long one is played the second time without waiting.

        What depends on time (late deliveries, pauses, what is left behind) is believed only when it occurs
        every time, also while nothing else is played: a processor that is busy elsewhere delays any client.

        Args:
            blank: the item to fill; its id is the scope of fingerprints.
            interactions: what the provider sent.
            call: what to ask, with the provider's own address as base URL.
            own: whether the requests of the recording are those of this very call.
            thoroughly: whether the answer is played in other shapes, too (see `recut`), and to a caller who
                leaves early (see `left_early`).
        """
        comparing = partial(
            compare,
            facts=tuple(read_facts(interaction.response, self.protocols) for interaction in interactions),
            scope=blank.id,
            recorded=tuple(interaction.request for interaction in interactions) if own else (),
            rules=self.rules,
        )
        try:
            looks = self._looks(interactions, call, Looks(compare=comparing))
            further = thoroughly and not looks.hung
            more = tuple(self._thoroughly(interactions, call, looks, blank.id)) if further else ()
        except UnplayableError as error:
            return replace(blank, problem=f"{blank.id}: {error}")
        item = replace(
            blank,
            reference=looks.references[0],
            candidate=looks.candidates[0],
            exchanges=interactions,
            divergences=(*looks.divergences, *more),
            noise=looks.noise,
            normalised=looks.normalised,
        )
        problem = _unanswered(item, interactions)
        # What is not a comparison has no differences: clients that speak another protocol would have many.
        return item if problem is None else replace(item, problem=problem, divergences=(), noise=())

    def play(
        self,
        side: Side,
        interactions: tuple[Interaction, ...],
        call: Call,
        *,
        leaving: bool = False,
        alone: bool = False,
    ) -> Observation:
        """What one of the two does when these exchanges are played to it. What the recording itself takes at
        the engine's speed is added to the time limit.

        Args:
            side: one of the two.
            interactions: what the provider sent.
            call: what to ask, with the provider's own address as base URL.
            leaving: whether the caller leaves after the first piece.
            alone: while nothing else is played in this process.
        """
        turn = self.turns.alone() if alone else self.turns.beside_others()
        with turn, self.engine(interactions, self.protocols) as play:
            return observe(
                side.client,
                replace(call, base_url=play.address(call.base_url)),
                name=side.name,
                session=play.session,
                timeout=self.timeout + play.seconds,
                skip_pauses=True,
                protocols=self.protocols,
                leaving=leaving,
                again=alone and not leaving,
            )

    def play_both(self, interactions: tuple[Interaction, ...], call: Call) -> tuple[Observation, Observation]:
        """What the reference does, and then the candidate; see `play`."""
        reference, candidate = (self.play(side, interactions, call) for side in self.sides)
        return reference, candidate

    def _thoroughly(
        self, interactions: tuple[Interaction, ...], call: Call, looks: Looks, scope: str
    ) -> Iterator[Divergence]:
        reference, candidate = (
            partial(self.play, side, interactions, call, leaving=True) for side in self.sides
        )
        yield from left_early_differences(reference, candidate, looks)
        if (hurried := self._hurried) is not None:
            reference, candidate = (partial(hurried.play, side, call=call) for side in self.sides)
            yield from recut_differences(reference, candidate, interactions, looks, scope=scope)

    def _looks(self, interactions: tuple[Interaction, ...], call: Call, looks: Looks) -> Looks:
        reference, candidate = (partial(self.play, side, interactions, call) for side in self.sides)
        long = sum(len(interaction.response.body) for interaction in interactions) > _CHEAP
        if long and (hurried := self._hurried) is not None:
            looks = looks.of(reference()).by(candidate()).beside(*hurried.play_both(interactions, call))
        else:
            looks = looks.of(reference()).of(reference()).by(candidate()).by(candidate())
        for _ in range(_FURTHER_LOOKS):
            if not looks.doubtful:
                break
            looks = looks.of(reference(alone=True)).by(candidate(alone=True))
        return looks


def _unanswered(item: Item, interactions: tuple[Interaction, ...]) -> str | None:
    """Why nothing was found out: who asked nobody cannot agree, nor who asked for what was not recorded."""
    reference, candidate = item.reference, item.candidate
    assert reference is not None
    assert candidate is not None
    if not reference.requests and not candidate.requests and (interactions or reference.failure):
        ends = [
            f"{side.client}: {side.failure.category}: {side.failure.message}"
            if side.failure
            else f"{side.client}: no error"
            for side in (reference, candidate)
        ]
        return f"{item.id}: neither client sent a request ({'; '.join(ends)})"
    shown = {d.kind for d in item.divergences}
    for side in (reference, *(() if shown & _ASKS_OTHERWISE else (candidate,))):
        matcher = Matcher(interactions)
        for request in side.requests:
            if matcher.answer(request).response.status == NO_MATCH:
                recorded = _method_and_uri(interactions[0].request) if interactions else "nothing"
                asked = (
                    f"what {side.client} asks: {_method_and_uri(request)}; the recording answers {recorded}"
                )
                return f"{item.id}: nothing was recorded for {asked}"
    return None


def _method_and_uri(request: Request) -> str:
    return f"{request.method} {scrub_query(request.uri)}"


def check_distinct(reference: Side, candidate: Side) -> None:
    """Refuse a candidate that is the reference: the two would agree about everything.

    Raises:
        ConfigError: they have one name, or are one function, also if it was imported twice.
    """
    one, other = (_made_of(side.client) for side in (reference, candidate))
    if reference.name == candidate.name or one == other:
        raise ConfigError(
            f"The candidate {candidate.name!r} is the reference itself: nothing would be compared. "
            "Name another client ([tool.llm_contracts] candidate, or --candidate)."
        )


def _made_of(client: Any, depth: int = 0) -> object:
    """What says that two clients are one, however often their module was imported or their class made: of a
    function its code and all that it holds, of an object its class and its attributes.
    """
    deeper = partial(_made_of, depth=depth + 1)
    if isinstance(client, partial):
        bare = not (client.args or client.keywords)
        return deeper(client.func) if bare else (deeper(client.func), client.args, client.keywords)
    if isinstance(client, MethodWrapperType) and client.__name__ == "__call__":
        return deeper(client.__self__)
    if isinstance(client, MethodType):
        return deeper(client.__func__), deeper(client.__self__)
    if isinstance(client, FunctionType):
        cells = client.__closure__ or () if depth < _DEEPEST else ()
        held = [deeper(cell.cell_contents) for cell in cells]
        code = client.__code__
        given = client.__defaults__, client.__kwdefaults__
        return code.co_filename, client.__qualname__, code, held, given
    attributes = getattr(client, "__dict__", None)
    is_object = attributes is not None and callable(client) and not isinstance(client, type)
    return (type(client), attributes) if is_object else client
