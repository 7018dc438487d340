"""A recorded body cut into the steps in which it is sent. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise

from llm_contracts.wire.events import events
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import Interaction, Response, arrival_times
from llm_contracts.wire.protocols import Protocols
from llm_contracts.wire.proxy.lockstep import NOTHING, Marks
from llm_contracts.wire.proxy.playback_options import Fragmentation, Pieces


@dataclass(frozen=True, kw_only=True, slots=True)
class TimedBytes:
    """Bytes that are sent in one go.

    Attributes:
        data: the bytes.
        events: how many events are complete once they are sent.
        at_ms: when the last of these bytes had arrived in the recording, in milliseconds after the request;
            None where that was not recorded.
        marks: what the client has got by then, if this step adds any; else None.
    """

    data: bytes
    events: int
    at_ms: float | None = None
    marks: Marks | None = None


def steps(response: Response, pieces: Pieces, *, texts: Protocols | None = None) -> Iterator[TimedBytes]:
    """The body in steps; together they are the body.

    Args:
        response: the recording, without a content coding.
        pieces: where to cut.
        texts: by which protocols steps say how much text there is, which takes reading every event; None
            leaves it out.
    """
    ends, after = _read(response.body, texts) if texts else (_ends(response.body), ())
    arrival = arrival_times(response)
    marks = NOTHING
    size = len(response.body)
    cuts = sorted({offset for offset in (*_wanted(response, pieces, ends), size) if 0 < offset <= size})
    for start, stop in pairwise((0, *cuts)):
        complete = bisect_right(ends, stop)
        reached = after[complete - 1] if complete and after else NOTHING
        yield TimedBytes(
            data=response.body[start:stop],
            events=complete,
            at_ms=arrival(stop),
            marks=reached if reached != marks else None,
        )
        marks = reached


@lru_cache(maxsize=4)  # a recording is played several times in a row; reading takes longer than sending
def _read(body: bytes, protocols: Protocols) -> tuple[Sequence[int], Sequence[Marks]]:
    """Where events end, and how much there is to hand on by then."""
    return _ends(body), read_facts(Response(status=0, body=body), protocols).progress


def _ends(body: bytes) -> Sequence[int]:
    return [event.end for event in events(body)]


def seconds(interactions: Iterable[Interaction]) -> float:
    """How long the recorded bodies took to arrive, one after the other."""
    last = (i.response.pieces[-1].at_ms for i in interactions if i.response.pieces)
    return sum(last) / 1000


def _wanted(response: Response, pieces: Pieces, ends: Sequence[int]) -> Iterable[int]:
    """The offsets after which a piece ends; the end of the body is always one."""
    if isinstance(pieces, int):
        return range(pieces, len(response.body), pieces)
    if pieces is Fragmentation.ONE:
        return ()
    if pieces is Fragmentation.EVENTS and ends:
        return ends
    return accumulate(piece.size for piece in response.pieces or ())
