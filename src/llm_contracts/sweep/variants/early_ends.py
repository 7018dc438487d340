"""Answers that are over too early: the connection is closed or reset in mid-message, or the body ends in good
order and much is missing, as behind a proxy that closes for a provider that has gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from llm_contracts.sweep.variants.variant import Family, Variant
from llm_contracts.wire.interaction import End, Interaction
from llm_contracts.wire.streamed import Streamed

_ENDS = {"cut": End.CUT, "reset": End.RESET, "silent": End.COMPLETE}


def early_ends(stream: Streamed, places: Iterable[int]) -> Iterator[Variant]:
    """Every way to end after so many events, or within the next.

    `cut@3` ends after the third event, `cut-within@3` in its middle, `cut-in-character@3` within a character.
    """
    for place in places:
        before, following = stream.parts[:place], stream.parts[place]
        for name, end in _ENDS.items():
            yield _variant(f"{name}@{place}", stream.with_parts(before, end=end))
        half = following[: len(following) // 2]
        yield _variant(f"cut-within@{place + 1}", stream.with_parts((*before, half), end=End.CUT))
        yield _variant(f"silent-within@{place + 1}", stream.with_parts((*before, half)))
        inside = _within_a_character(following)
        if inside:
            name = f"cut-in-character@{place + 1}"
            yield _variant(name, stream.with_parts((*before, following[:inside]), end=End.CUT))


def _within_a_character(part: bytes) -> int:
    """The offset of the first byte that goes on with a character; 0 where all are ASCII."""
    return next((at for at, byte in enumerate(part) if 0x80 <= byte < 0xC0), 0)  # noqa: PLR2004 - UTF-8


def _variant(name: str, interactions: tuple[Interaction, ...]) -> Variant:
    return Variant(name=name, family=Family.ENDS, interactions=interactions)
