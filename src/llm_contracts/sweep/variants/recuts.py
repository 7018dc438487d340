"""The same answer in other pieces, or in another spelling that means the same to whoever reads event streams.

The rules are those of the WHATWG event-stream format: lines end in LF, CRLF or CR alike; a line that begins
with a colon is a comment; an event without data is not given to anybody. No client may show a difference.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from llm_contracts.run.recut import SHAPES
from llm_contracts.sweep.variants.variant import Family, Variant
from llm_contracts.wire.content import decoded
from llm_contracts.wire.events import events, text_of
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.sse import LINE_END
from llm_contracts.wire.streamed import Streamed, cut_at, inside_characters, with_crlf

SHORT = 3_000
"""Bytes up to which a body is cut at every one of them."""

_DRAWS, _MORE_DRAWS = 1, 5
_MEAN = 40  # bytes of a drawn piece: a few to an event

Offsets = Callable[[bytes], Iterable[int]]


def recuts(
    interactions: tuple[Interaction, ...], stream: Streamed | None, *, every: bool = False
) -> Iterator[Variant]:
    """All of them that change something.

    Args:
        interactions: the recording.
        stream: what of it is a stream of events, if anything is.
        every: at every byte, however long the body.
    """
    seen = {_pieces(interactions)}
    ways = {**_ways(every=every), **(_ways_of_streams() if stream else {})}
    for name, offsets in ways.items():
        cut = recut_at(interactions, offsets)
        if _pieces(cut) not in seen:
            seen.add(_pieces(cut))
            yield _variant(name, cut)
    if stream is not None and stream.server_sent:
        yield from _spellings(stream)
    if stream is not None and stream.document:
        yield from _other_json(stream)


def recut_at(interactions: tuple[Interaction, ...], offsets: Offsets) -> tuple[Interaction, ...]:
    """Every body of the recording, cut at the offsets that are chosen for it."""
    whole = ((i, decoded(i.response)) for i in interactions)
    return tuple(replace(i, response=cut_at(response, offsets(response.body))) for i, response in whole)


def _ways(*, every: bool) -> Mapping[str, Offsets]:
    draws = range(1, (_MORE_DRAWS if every else _DRAWS) + 1)
    return {
        "whole": lambda _: (),
        "bytes": lambda body: range(len(body)) if every or len(body) <= SHORT else (),
        **{f"drawn@{seed}": _random_offsets(seed) for seed in draws},
    }


def _ways_of_streams() -> Mapping[str, Offsets]:
    return {
        "events": _event_ends,
        "blank-lines": lambda body: (end - 1 for end in _event_ends(body)),
        "fields": lambda body: (end + 2 for end in (0, *_event_ends(body))),
        "characters": inside_characters,
    }


def _event_ends(body: bytes) -> list[int]:
    return [event.end for event in events(body)]


def _random_offsets(seed: int) -> Offsets:
    def offsets(body: bytes) -> Iterator[int]:
        chance = random.Random(seed * len(body))  # noqa: S311 - repeatable on purpose
        return (at for at in range(1, len(body)) if chance.random() < 1 / _MEAN)

    return offsets


def _pieces(interactions: tuple[Interaction, ...]) -> tuple[object, ...]:
    return tuple(
        tuple(piece.size for piece in interaction.response.pieces or ()) for interaction in interactions
    )


def _spellings(stream: Streamed) -> Iterator[Variant]:
    line = stream.newline
    comment, ping = b": keep-alive" + line * 2, b"event: ping" + line * 2
    inside = b": here I am" + line
    for name, ending in (("crlf", b"\r\n"), ("cr", b"\r")):
        parts = [LINE_END.sub(ending, part) for part in stream.parts]
        if tuple(parts) != stream.parts:
            yield _variant(name, stream.with_parts(parts))
    yield _variant("crlf-apart", _between_cr_and_lf(stream))
    yield _variant("comments", stream.with_parts(comment + inside + part for part in stream.parts))
    for name in ("bom", "control-only", "bare-data"):
        yield _variant(name, stream.with_parts(SHAPES[name](list(stream.parts))))
    yield _variant("pings", stream.with_parts(ping + part for part in stream.parts))


def _other_json(stream: Streamed) -> Iterator[Variant]:
    """The same JSON with blanks and escapes in other places (RFC 8259, 2 and 7)."""
    text = text_of(stream.parts[0])
    value = json.loads(text)
    spellings = {"indented": json.dumps(value, ensure_ascii=False, indent=2), "escaped": json.dumps(value)}
    for name, spelt in spellings.items():
        if spelt != text:
            yield _variant(name, stream.with_parts((spelt.encode(),)))


def _between_cr_and_lf(stream: Streamed) -> tuple[Interaction, ...]:
    parts = [with_crlf(part) for part in stream.parts]
    cuts = (at + 1 for at, byte in enumerate(b"".join(parts)) if byte == ord("\r"))
    return stream.with_parts(parts, cuts=cuts)


def _variant(name: str, interactions: tuple[Interaction, ...]) -> Variant:
    return Variant(name=name, family=Family.RECUT, interactions=interactions)
