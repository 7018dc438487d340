"""The one stream of events in a recording, or its whole answer: its parts as bytes, and putting in others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Self

from llm_contracts.util.json_values import read_json
from llm_contracts.wire.content import decoded
from llm_contracts.wire.events import are_server_sent, events, text_of
from llm_contracts.wire.facts import WireFacts, read_facts
from llm_contracts.wire.interaction import End, Interaction, Piece, Response, without
from llm_contracts.wire.protocols import BUILT_IN, Protocols
from llm_contracts.wire.sse import LINE_END

_OK = 200
_CONTINUES = range(0x80, 0xC0)  # bytes that go on with a character of UTF-8


@dataclass(frozen=True, kw_only=True, slots=True)
class Streamed:
    """A recording that has a stream in it, which is the last exchange with events and a good status.

    Attributes:
        interactions: the whole recording.
        index: which of them holds the stream.
        parts: the body, one event a part; what follows the last event belongs to it. A document is one part.
        document: whether it is one, and no stream.
    """

    interactions: tuple[Interaction, ...]
    index: int
    parts: tuple[bytes, ...]
    document: bool = False

    @classmethod
    def of(cls, interactions: tuple[Interaction, ...], *, documents: bool = False) -> Self | None:
        """The stream of a recording; None where there is none, or where it did not come to its end.

        `documents`: where the last answer is whole and JSON, it will do.
        """
        for index, interaction in reversed(tuple(enumerate(interactions))):
            response = decoded(interaction.response)
            found = [event.end for event in events(response.body)]
            last = documents and interaction is interactions[-1]
            document = last and not found and read_json(text_of(response.body)) is not None
            found = [len(response.body)] if document else found
            if found and response.status == _OK and response.end is End.COMPLETE:
                ends = [0, *found[:-1], len(response.body)]
                parts = tuple(response.body[a:b] for a, b in pairwise(ends))
                return cls(interactions=interactions, index=index, parts=parts, document=document)
        return None

    @property
    def interaction(self) -> Interaction:
        """The exchange that holds the stream."""
        return self.interactions[self.index]

    @property
    def newline(self) -> bytes:
        """How its lines end."""
        first = self.parts[0]
        return b"\r\n" if b"\r\n" in first else b"\n" if b"\n" in first else b"\r"

    @property
    def server_sent(self) -> bool:
        """Whether its events are server-sent ones: other framings have no other spellings here."""
        return not self.document and are_server_sent(self.parts[0])

    def each(self, protocols: Protocols = BUILT_IN) -> tuple[WireFacts, ...]:
        """What each event says by itself."""
        response = self.interaction.response
        return tuple(read_facts(replace(response, body=part, pieces=None), protocols) for part in self.parts)

    def with_parts(
        self, parts: Iterable[bytes], *, end: End = End.COMPLETE, cuts: Iterable[int] = ()
    ) -> tuple[Interaction, ...]:
        """The recording with other events in its stream, each in a piece of its own or several: `cuts` are
        offsets in the body at which pieces end, too.
        """
        given = tuple(parts)
        response = replace(decoded(self.interaction.response), body=b"".join(given), end=end)
        return self.with_response(cut_at(response, (*accumulate(map(len, given)), *cuts)))

    def with_response(self, response: Response) -> tuple[Interaction, ...]:
        """The recording with another answer in the stream's place."""
        changed = replace(self.interaction, response=without_length(response))
        return (*self.interactions[: self.index], changed, *self.interactions[self.index + 1 :])

    def preceded_by(self, response: Response) -> tuple[Interaction, ...]:
        """The recording with one more answer to the same request before the stream."""
        earlier = replace(self.interaction, response=response)
        return (*self.interactions[: self.index], earlier, *self.interactions[self.index :])


def without_length(response: Response) -> Response:
    """The response without the length of what was there before."""
    return replace(response, headers=without(response.headers, ("content-length",)))


def cut_at(response: Response, offsets: Iterable[int]) -> Response:
    """The same body in pieces that end at these offsets; offsets outside of it count for nothing."""
    size = len(response.body)
    ends = sorted({offset for offset in offsets if 0 < offset < size} | ({size} if size else set()))
    pieces = tuple(Piece(size=b - a, at_ms=0.0) for a, b in pairwise([0, *ends]))
    return replace(response, pieces=pieces)


def inside_characters(body: bytes) -> Iterator[int]:
    """The offsets within characters of several bytes."""
    return (at for at, byte in enumerate(body) if byte in _CONTINUES)


def with_crlf(part: bytes) -> bytes:
    """The same lines, each ended by CRLF."""
    return LINE_END.sub(b"\r\n", part)
