"""Every variant of a recording that was asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from llm_contracts.simulator.dialect import Dialect
from llm_contracts.simulator.openai import OPENAI
from llm_contracts.sweep.variants.early_ends import early_ends
from llm_contracts.sweep.variants.faults import faults
from llm_contracts.sweep.variants.places import telling, whole_range
from llm_contracts.sweep.variants.recuts import recuts
from llm_contracts.sweep.variants.variant import Family, Variant
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.protocols import BUILT_IN, Protocols
from llm_contracts.wire.streamed import Streamed

_STALLS = (
    2  # places of a stream at which to stall, for each takes real time: before any event, and after text
)


def variants(
    interactions: tuple[Interaction, ...],
    dialect: Dialect = OPENAI,
    families: Collection[Family] = tuple(Family),
    *,
    every: bool = False,
    protocols: Protocols = BUILT_IN,
) -> Iterator[Variant]:
    """The variants of these families, one after the other. A recording without a whole stream in it, such as
    a refusal, can only be cut into other pieces.

    Args:
        interactions: the recording.
        dialect: in whose words faults are told.
        families: which kinds of change.
        protocols: how to read the recording.
        every: at every event and every byte; a long stream has thousands.
    """
    stream = Streamed.of(interactions)
    if Family.RECUT in families:
        yield from recuts(interactions, stream, every=every)
    if stream is None or not {Family.ENDS, Family.FAULTS} & set(families):
        return
    places = whole_range(stream) if every else telling(stream, protocols)
    if Family.ENDS in families:
        yield from early_ends(stream, places)
    if Family.FAULTS in families:
        yield from faults(stream, dialect, places, stalls=places if every else places[:_STALLS])
