"""After which events of a stream something is done to it."""

from __future__ import annotations

from collections.abc import Iterator

from llm_contracts.wire.facts import WireFacts
from llm_contracts.wire.protocols import BUILT_IN, Protocols
from llm_contracts.wire.streamed import Streamed


def telling(stream: Streamed, protocols: Protocols = BUILT_IN) -> tuple[int, ...]:
    """The places after which another kind of thing is known: 0 (nothing yet), the first text, the last of it,
    the finish reason, the totals. Between them streams only go on.
    """
    facts = stream.each(protocols)
    said = [number for number, fact in enumerate(facts, 1) if fact.whole_text or fact.reasoning]
    texts = {said[0], said[-1]} if said else set()
    found = {0, *texts, *_firsts(facts)}
    return tuple(sorted(place for place in found if place < len(stream.parts)))


def whole_range(stream: Streamed) -> tuple[int, ...]:
    """Every place but the end."""
    return tuple(range(len(stream.parts)))


def _firsts(facts: tuple[WireFacts, ...]) -> Iterator[int]:
    kinds = (
        [number for number, fact in enumerate(facts, 1) if fact.finish_reasons],
        [number for number, fact in enumerate(facts, 1) if fact.usage],
        [number for number, fact in enumerate(facts, 1) if fact.error],
    )
    return (numbers[0] for numbers in kinds if numbers)
