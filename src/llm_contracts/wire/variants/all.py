"""Every variant of a recording that was asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.variants.early_ends import early_ends
from llm_contracts.wire.variants.faults import faults
from llm_contracts.wire.variants.recuts import recuts
from llm_contracts.wire.variants.variant import Family, Variant


def variants(
    interactions: tuple[Interaction, ...],
    provider: str,
    families: Collection[Family] = tuple(Family),
    *,
    every: bool = False,
) -> Iterator[Variant]:
    """The variants of these families, one after the other.

    Args:
        interactions: the recording.
        provider: in whose dialect faults are told.
        families: which kinds of change.
        every: at every event and every byte; a long stream has thousands.
    """
    if Family.RECUT in families:
        yield from recuts(interactions, every=every)
    if Family.ENDS in families:
        yield from early_ends(interactions, every=every)
    if Family.FAULTS in families:
        yield from faults(interactions, provider, every=every)
