"""What else the network and the provider could have done with a recorded answer. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from llm_contracts.simulator.dialect import Dialect
from llm_contracts.simulator.dialects import dialect_at
from llm_contracts.simulator.openai import OPENAI
from llm_contracts.sweep.variants.early_ends import early_ends
from llm_contracts.sweep.variants.faults import faults
from llm_contracts.sweep.variants.recuts import recut_at, recuts
from llm_contracts.sweep.variants.variant import Family, Variant
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.protocols import BUILT_IN, Protocols
from llm_contracts.wire.streamed import Streamed

__all__ = ["Family", "Variant", "recut_at", "variants"]

_STALLS = 2  # places at which to stall, for each takes real time: before any event, and after text


def variants(
    interactions: tuple[Interaction, ...],
    dialect: Dialect = OPENAI,
    families: Collection[Family] = tuple(Family),
    *,
    every: bool = False,
    protocols: Protocols = BUILT_IN,
) -> Iterator[Variant]:
    """The variants of these families, one after the other. A recording without a whole answer in it, such as
    a refusal, can only be cut into other pieces.

    Args:
        interactions: the recording.
        dialect: the provider's dialect; faults are worded in it, or in that of the API that was asked.
        families: which kinds of change.
        protocols: how to read the recording.
        every: at every event and every byte; a long stream has thousands.
    """
    stream = Streamed.of(interactions, documents=True)
    if Family.RECUT in families:
        yield from recuts(interactions, stream, every=every)
    if stream is None or not {Family.ENDS, Family.FAULTS} & set(families):
        return
    places = tuple(range(len(stream.parts))) if every else _telling(stream, protocols)
    if Family.ENDS in families:
        yield from early_ends(stream, places)
    if Family.FAULTS in families:
        spoken = dialect_at(stream.interaction.request.uri, dialect)
        yield from faults(stream, spoken, places, stalls=places if every else places[:_STALLS])


def _telling(stream: Streamed, protocols: Protocols) -> tuple[int, ...]:
    """The places after which another kind of thing is known: 0 (nothing yet), the first text, the last of it,
    the arguments of a call, the finish reason, the totals. Between them streams only go on.
    """
    facts = tuple(enumerate(stream.each(protocols), 1))
    texts = [number for number, fact in facts if fact.whole_text or fact.reasoning]
    kinds = (
        texts,
        texts[::-1],
        [number for number, fact in facts if fact.arguments],
        [number for number, fact in facts if fact.finish_reasons],
        [number for number, fact in facts if fact.usage],
        [number for number, fact in facts if fact.error],
    )
    found = {0, *(numbers[0] for numbers in kinds if numbers)}
    return tuple(sorted(place for place in found if place < len(stream.parts)))
