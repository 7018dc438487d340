"""A session that serves recorded exchanges."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from aiohttp import HttpVersion11, web

from llm_contracts.wire.content import decoded
from llm_contracts.wire.edge.headers import multi, without
from llm_contracts.wire.edge.lockstep import Delivery, Lockstep
from llm_contracts.wire.edge.session import Session, fall_silent, hang_up, reset
from llm_contracts.wire.edge.timeline import as_recorded, event_by_event
from llm_contracts.wire.interaction import End, Interaction, Request, Response
from llm_contracts.wire.matching import Matcher

_FRAMING = ("content-length", "transfer-encoding", "connection", "keep-alive")


@dataclass(frozen=True, kw_only=True, slots=True)
class Manner:
    """How to replay.

    Attributes:
        lockstep: send event by event and wait for the consumer after each that adds text.
        patience: seconds to wait for the consumer at most.
        silence: seconds for which a provider that stopped sending, or whose client left, stays connected.
    """

    lockstep: bool = False
    patience: float = 0.25
    silence: float = 10.0


class ReplaySession(Session):
    """Serves the given exchanges; see `Matcher` for which one answers what."""

    def __init__(
        self,
        interactions: Sequence[Interaction],
        *,
        loop: asyncio.AbstractEventLoop,
        origin: str,
        manner: Manner,
    ) -> None:
        public = origin_of(interactions[0].request.uri) if interactions else "http://nothing.invalid"
        super().__init__(loop=loop, origin=origin, public=public)
        self._matcher = Matcher(interactions)
        self._manner = manner
        self._delivery = Delivery()

    def delivered(self, chars: int) -> None:
        """The consumer has handed on so many characters of text in all; lockstep goes on by it."""
        if self._manner.lockstep:
            self.call(partial(self._delivery.progress, chars))

    async def _answer(
        self, incoming: web.BaseRequest, transport: asyncio.Transport, request: Request
    ) -> web.StreamResponse:
        self._requests.append(request)
        recorded = decoded(self._matcher.answer(request).response)
        self._sent = 0
        if not recorded.status:
            return await self._end(transport, recorded.end)
        response = prepared(incoming, recorded, recorded.headers)
        await response.prepare(incoming)
        await self._send(response, recorded)
        if recorded.end is not End.COMPLETE:
            return await self._end(transport, recorded.end)
        await response.write_eof()
        return response

    async def _send(self, response: web.StreamResponse, recorded: Response) -> None:
        gate = Lockstep(self._delivery, self._manner.patience)
        steps = event_by_event(recorded) if self._manner.lockstep else as_recorded(recorded)
        for step in steps:
            # Counted first: the consumer may have the bytes before this thread goes on.
            self._sent = step.events
            await response.write(step.data)
            if step.text is not None:
                await gate.after(step.text)

    async def _end(self, transport: asyncio.Transport, end: End) -> web.StreamResponse:
        if end in {End.TIMEOUT, End.CLIENT_LEFT}:
            await fall_silent(transport, self._manner.silence)
        if end is End.CUT:
            await hang_up(transport)
        await reset(transport)


def origin_of(uri: str) -> str:
    """Scheme and host of a URI."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"


def prepared(
    incoming: web.BaseRequest, recorded: Response, headers: tuple[tuple[str, str], ...]
) -> web.StreamResponse:
    """An answer with the recorded head: streams and broken bodies in chunks, all else by its length."""
    response = web.StreamResponse(
        status=recorded.status, reason=recorded.reason or None, headers=multi(without(headers, _FRAMING))
    )
    is_stream = recorded.header("content-type").lower().startswith("text/event-stream")
    if not is_stream and recorded.end is End.COMPLETE:
        response.content_length = len(recorded.body)
    elif incoming.version >= HttpVersion11:
        response.enable_chunked_encoding()
    return response
