"""One HTTP exchange as it was on the wire: what was asked, what came back, when, and how it ended."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import NamedTuple

Headers = tuple[tuple[str, str], ...]
"""Header lines in the order they were sent; a name may occur twice."""


class End(StrEnum):
    """How an exchange ended. Everything but `COMPLETE` means that bytes may be missing."""

    COMPLETE = "complete"
    CUT = "cut"  # the provider closed the connection before the body was whole
    RESET = "reset"  # the connection was reset
    TIMEOUT = "timeout"  # the provider stopped sending
    REFUSED = "refused"  # no connection, so no response: status 0
    CLIENT_LEFT = "client_left"  # the caller hung up first


class Piece(NamedTuple):
    """One run of body bytes that arrived together: its size, and milliseconds since the request was sent. A
    tuple, because a recording has thousands of them.
    """

    size: int
    at_ms: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What a client sent. `uri` is absolute and names the provider, never the loopback edge."""

    method: str
    uri: str
    headers: Headers = ()
    body: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """What the provider answered. `pieces` is None where the timeline was not recorded (plain VCR files);
    otherwise the sizes add up to `len(body)`.
    """

    status: int
    reason: str = ""
    headers: Headers = ()
    body: bytes = b""
    end: End = End.COMPLETE
    pieces: tuple[Piece, ...] | None = None

    def header(self, name: str) -> str:
        """The first value of a header, whatever its case."""
        return header_of(self.headers, name)


def arrival_times(response: Response) -> Callable[[int], float | None]:
    """A function that says when the bytes before an offset had all arrived; None without a timeline."""
    pieces = response.pieces
    if not pieces:
        return lambda _end: None
    ends = list(accumulate(piece.size for piece in pieces))
    return lambda end: pieces[min(bisect_left(ends, end), len(ends) - 1)].at_ms


def header_of(headers: Headers, name: str) -> str:
    """The first value of a header, whatever its case."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), "")


def without(headers: Headers, names: Iterable[str]) -> Headers:
    """The headers but those of the given (lower-case) names."""
    unwanted = frozenset(names)
    return tuple(line for line in headers if line[0].lower() not in unwanted)


@dataclass(frozen=True, kw_only=True, slots=True)
class Interaction:
    """One request with its response."""

    request: Request
    response: Response
