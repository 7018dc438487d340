"""One exchange while it is recorded.

What is kept is kept in memory until the cassette is written, because a cassette is written whole or not at
all. So it is limited: an answer beyond the limit still reaches the client, byte by byte and at the client's
own pace, but is not kept, and asking for it is an error. A part of an answer would be taken for the answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from llm_contracts.wire.content import Unpacker, UnpackingError
from llm_contracts.wire.interaction import End, Interaction, Piece, Request, Response
from llm_contracts.wire.proxy.access_check import HEAD_WITHIN

_MIB = 2**20


class UnkeepableError(Exception):
    """An exchange took place and cannot be kept whole and readable; nothing of it is handed out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How much the edge takes.

    Attributes:
        request: bytes of a request's body; a larger one is refused with status 413.
        answer: bytes of an answer's body that is kept.
        pieces: pieces of an answer that is kept; each costs memory however small it is.
        head_within: seconds in which a request's line and headers must have arrived; else status 408.
        body_within: seconds in which its body must have arrived, and one more for each KiB; else status 408.
    """

    request: int = 64 * _MIB
    answer: int = 64 * _MIB
    pieces: int = 500_000
    head_within: float = HEAD_WITHIN
    body_within: float = 30.0


@dataclass(kw_only=True, slots=True)
class Exchange:
    """What has been seen so far.

    Attributes:
        head: the answer without its body.
        unpack: takes a coding off the copy; None where there is none.
        flaw: why the exchange cannot be kept; empty while it can.
    """

    request: Request
    started: float
    limits: Limits
    head: Response = field(default_factory=lambda: Response(status=0))
    unpack: Unpacker | None = None
    body: bytearray = field(default_factory=bytearray)
    pieces: list[Piece] = field(default_factory=list)
    flaw: str = ""

    def take(self, data: bytes, now: float) -> Iterator[bytes]:
        """The pieces that are kept of what has arrived; they are kept as they are taken."""
        try:
            for piece in (data,) if self.unpack is None or self.flaw else self.unpack(data):
                self.add(piece, now)
                if self.flaw:
                    return
                yield piece
        except UnpackingError as error:
            self.spoil(f"the answer {error}")

    def add(self, data: bytes, now: float) -> None:
        """Bytes have arrived, and are plain."""
        if self.flaw:
            return
        self.body += data
        self.pieces.append(Piece(size=len(data), at_ms=round((now - self.started) * 1000, 1)))
        if len(self.body) > self.limits.answer:
            self.spoil(f"the answer is larger than {self.limits.answer / _MIB:.3g} MiB")
        elif len(self.pieces) > self.limits.pieces:
            self.spoil(f"the answer came in more than {self.limits.pieces:,} pieces")

    def spoil(self, flaw: str) -> None:
        """The exchange cannot be kept: let go of what there was."""
        self.flaw = flaw
        self.body, self.pieces = bytearray(), []

    def finished(self, end: End) -> Interaction:
        """The exchange as a value, secrets included."""
        response = replace(self.head, body=bytes(self.body), end=end, pieces=tuple(self.pieces))
        return Interaction(request=self.request, response=response)
