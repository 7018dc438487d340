"""Recorded exchanges on their way to a client: a session that serves them, and the player that sends each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NoReturn
from urllib.parse import urlsplit

from aiohttp import web

from llm_contracts.wire.content import decoded
from llm_contracts.wire.interaction import End, Interaction, Request, Response, without
from llm_contracts.wire.matching import Matcher
from llm_contracts.wire.proxy.framing import is_marked, marked, streaming
from llm_contracts.wire.proxy.headers import FRAMING
from llm_contracts.wire.proxy.lockstep import NOTHING, Delivery, Lockstep, Marks
from llm_contracts.wire.proxy.pace import Reach, paced
from llm_contracts.wire.proxy.playback_options import PlaybackOptions
from llm_contracts.wire.proxy.session import Session, hang_up, reset
from llm_contracts.wire.proxy.timeline import TimedBytes, steps


class ReplaySession(Session):
    """Serves the given exchanges; see `Matcher` for which one answers what."""

    def __init__(
        self,
        interactions: Sequence[Interaction],
        *,
        loop: asyncio.AbstractEventLoop,
        origin: str,
        options: PlaybackOptions,
    ) -> None:
        public = origin_of(interactions[0].request.uri) if interactions else "http://nothing.invalid"
        super().__init__(loop=loop, origin=origin, public=public)
        self._matcher = Matcher(interactions)
        self._options = options
        self._delivery = Delivery()
        self._reported: Marks = ()
        self._player = Player(options=options, delivery=self._delivery, on_sent=self._count)

    def delivered(self, text: int, reasoning: int = 0, arguments: int = 0, others: int = 0, /) -> None:
        """The consumer has handed on so many characters of each; lockstep goes on by it."""
        handed = (text, reasoning, arguments, others, text + others)
        if self._options.lockstep and handed != self._reported:  # a thread is woken for it
            self._reported = handed
            self.call(partial(self._delivery.progress, handed))

    def patience_spent(self) -> float:
        """The seconds for which the edge waited in vain for the consumer."""
        return self._delivery.spent

    async def _answer(
        self, incoming: web.BaseRequest, transport: asyncio.Transport, request: Request
    ) -> web.StreamResponse:
        self._requests.append(request)
        if self.exchanges_open() > 1 and any(one.body != request.body for one in self._requests):
            self._delivery.give_up()  # how far several answers have come together says nothing about any
        recorded = decoded(self._matcher.answer(request).response)
        shown = replace(recorded, headers=self.at_the_edge(recorded.headers, request))
        return await self._player.play(incoming, transport, shown)

    def _count(self, events: int) -> None:
        self._sent = events


def origin_of(uri: str) -> str:
    """Scheme and host of a URI."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Player:
    """Sends recorded answers, all with the same options.

    Attributes:
        options: how.
        on_sent: called with how many events are out, each time before more bytes leave.
        on_end: called with how an exchange ends, just before it does; not if the client leaves.
        delivery: how much text the consumer has handed on, for lockstep.
    """

    options: PlaybackOptions
    on_sent: Callable[[int], None]
    on_end: Callable[[End], None] = lambda _end: None
    delivery: Delivery = field(default_factory=Delivery)

    async def play(
        self, incoming: web.BaseRequest, transport: asyncio.Transport, recorded: Response
    ) -> web.StreamResponse:
        """Answer a request: the recorded head, the body in steps, and the end as it was.

        When the head arrived was not recorded: it goes out with the first bytes, as it mostly does.
        """
        reach = paced(self.options.speed)
        self.on_sent(0)
        if not recorded.status:
            return await self._end(transport, recorded.end)
        response = _prepared(incoming, recorded)
        protocols = self.options.protocols if self.options.lockstep else None
        timeline = tuple(steps(recorded, self.options.cutting, texts=protocols))
        await reach(timeline[0].at_ms if timeline else None)
        await response.prepare(incoming)
        await self.send(timeline, response.write, reach)
        if recorded.end is not End.COMPLETE:
            return await self._end(transport, recorded.end)
        self.on_end(End.COMPLETE)
        await response.write_eof()
        return response

    async def send(
        self, timeline: tuple[TimedBytes, ...], write: Callable[[bytes], Awaitable[None]], reach: Reach
    ) -> None:
        """Send the steps, each when its time has come and, in lockstep, when the consumer is ready for it."""
        tracks = [Lockstep(self.delivery, number, self.options.patience) for number in range(len(NOTHING))]
        for step in timeline:
            await reach(step.at_ms)
            # Counted first: the consumer may have the bytes before this thread goes on.
            self.on_sent(step.events)
            await write(step.data)
            for track, mark in zip(tracks, step.marks or (), strict=False):
                await track.after(mark)

    async def _end(self, transport: asyncio.Transport, end: End) -> NoReturn:
        self.on_end(end)
        if end in {End.TIMEOUT, End.CLIENT_LEFT}:
            await asyncio.sleep(self.options.silence)  # nothing more, until the client leaves
        if end is End.CUT:
            await hang_up(transport)
        await reset(transport)


def _prepared(incoming: web.BaseRequest, recorded: Response) -> web.StreamResponse:
    """An answer with the recorded head: streams and broken bodies in chunks, all else by its length.

    A body that ended with its connection does so again, unless it is known to have been cut: nobody could
    see that.
    """
    headers = without(recorded.headers, FRAMING)
    is_stream = recorded.header("content-type").lower().startswith("text/event-stream")
    if not is_stream and recorded.end is End.COMPLETE:
        headers = (*headers, ("content-length", str(len(recorded.body))))
    elif is_marked(recorded.headers) and recorded.end is not End.CUT:
        headers = marked(headers)
    return streaming(incoming, status=recorded.status, reason=recorded.reason or None, headers=headers)
