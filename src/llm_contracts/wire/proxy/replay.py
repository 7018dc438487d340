"""A session that serves recorded exchanges."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

from aiohttp import web

from llm_contracts.wire.content import decoded
from llm_contracts.wire.interaction import Interaction, Request
from llm_contracts.wire.matching import Matcher
from llm_contracts.wire.proxy.lockstep import Delivery, Marks
from llm_contracts.wire.proxy.play import Player
from llm_contracts.wire.proxy.playback_options import PlaybackOptions
from llm_contracts.wire.proxy.session import Session


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
