"""The session that takes every request to a replay server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from aiohttp import web

from llm_contracts.wire.content import decoded
from llm_contracts.wire.edge.manner import Manner
from llm_contracts.wire.edge.play import Player
from llm_contracts.wire.edge.redirects import kept_at_the_edge
from llm_contracts.wire.edge.replay import origin_of
from llm_contracts.wire.edge.serving.address import RUN_KEY, Address, parsed
from llm_contracts.wire.edge.serving.answers import base_urls, missed, overview, state
from llm_contracts.wire.edge.serving.log import Entry
from llm_contracts.wire.edge.serving.runs import Runs
from llm_contracts.wire.edge.session import Session
from llm_contracts.wire.interaction import End, Interaction, Request
from llm_contracts.wire.matching import NO_MATCH
from llm_contracts.wire.scrub import Scrubber, scrub_query
from llm_contracts.wire.shelf import Miss, Reason, Shelf

_HERE = "http://serve.invalid"
"""What stands for scheme and host until the provider is known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """How requests are answered.

    Attributes:
        manner: how recordings are played.
        any_body: whether a scenario that is named answers whatever the query and the body are.
        scrubber: takes the secrets out of a request before it is compared, told about or logged.
        log: told of each request to a provider when its answer is over.
    """

    manner: Manner
    any_body: bool
    scrubber: Scrubber
    log: Callable[[Entry], None]


class ServeSession(Session):
    """Answers from recordings, strictly, and never calls anybody."""

    def __init__(
        self, shelves: Sequence[Shelf], rules: Rules, *, loop: asyncio.AbstractEventLoop, origin: str
    ) -> None:
        super().__init__(loop=loop, origin=origin, public=_HERE)
        self.shelves: Mapping[str, Shelf] = {shelf.provider: shelf for shelf in shelves}
        self._rules = rules
        self._runs = Runs()
        self._requested = 0
        self._unmatched = 0

    @property
    def counts(self) -> tuple[int, int]:
        """How many requests to providers there were, and how many of these had no answer."""
        return self._requested, self._unmatched

    async def _answer(
        self, incoming: web.BaseRequest, transport: asyncio.Transport, request: Request
    ) -> web.StreamResponse:
        # Scrubbed before anything is made of it: a key in a path would end up in logs and messages.
        target = self._rules.scrubber.text(request.uri.removeprefix(_HERE))
        address = parsed(target)
        if (said := self._about_itself(request.method, target, address)) is not None:
            return said
        entry = Entry(
            run=address.run,
            provider=address.provider,
            method=request.method,
            path=scrub_query(address.target),
        )
        self._requested += 1
        began = self._loop.time()
        try:
            return await self._from_recordings(incoming, transport, request, address, entry)
        except asyncio.CancelledError:
            # A recorded cut or reset ends the handler likewise, and has said so before.
            if entry.end is None:
                entry.ended(End.CLIENT_LEFT)
            raise
        finally:
            entry.ms = round((self._loop.time() - began) * 1000, 1)
            self._rules.log(entry)

    def _about_itself(self, method: str, target: str, address: Address) -> web.Response | None:
        path = target.partition("?")[0]
        if path == "/health" and method in {"GET", "HEAD"}:
            recordings = sum(len(shelf.tapes) for shelf in self.shelves.values())
            counted = {"requests": self._requested, "unmatched": self._unmatched, "runs": len(self._runs)}
            return web.json_response({"status": "ok", "recordings": recordings, **counted})
        if path == "/" and method in {"GET", "HEAD"}:
            return web.json_response(overview(self.origin, self.shelves))
        if path == "/run" and method == "POST":
            return self._run_state(self._runs.new_key(), status=201)
        if path == f"/run/{address.run}" and RUN_KEY.fullmatch(address.run):
            if method == "DELETE":
                self._runs.reset(address.run)
            return self._run_state(address.run) if method in {"GET", "HEAD", "DELETE"} else None
        return None

    def _run_state(self, key: str, *, status: int = 200) -> web.Response:
        urls = base_urls(self.origin, self.shelves, key)
        return web.json_response(state(key, self._runs.seen(key), urls), status=status)

    async def _from_recordings(
        self,
        incoming: web.BaseRequest,
        transport: asyncio.Transport,
        request: Request,
        address: Address,
        entry: Entry,
    ) -> web.StreamResponse:
        shelf = self.shelves.get(address.provider)
        asked = self._rules.scrubber.request(replace(request, uri=_uri(shelf, address)))
        found = self._found(shelf, asked, address, entry)
        if isinstance(found, Miss):
            self._unmatched += 1
            entry.status, entry.reason = NO_MATCH, str(found.reason)
            entry.differs = tuple(each.where for each in found.differences)
            return missed(found, asked, address, tuple(self.shelves))
        response = decoded(found.response)
        entry.status = response.status
        headers = kept_at_the_edge(
            response.headers,
            uri=found.request.uri,
            own=frozenset({origin_of(found.request.uri)}),
            origin=self.origin + address.prefix,
        )
        player = Player(manner=self._rules.manner, on_sent=entry.sent, on_end=entry.ended)
        return await player.play(incoming, transport, replace(response, headers=headers))

    def _found(
        self, shelf: Shelf | None, asked: Request, address: Address, entry: Entry
    ) -> Interaction | Miss:
        if not RUN_KEY.fullmatch(address.run):
            return Miss(reason=Reason.NO_RUN)
        run = self._runs.run(address.run)
        run.requests += 1
        found = (
            Miss(reason=Reason.NO_PROVIDER)
            if shelf is None
            else shelf.find(asked, name=address.scenario, any_body=self._rules.any_body)
        )
        if isinstance(found, Miss):
            run.unmatched += 1
            return found
        place, interaction = run.next(address.provider, found)
        entry.scenario, entry.file, entry.exchange = found.tape.name, found.tape.file, place
        entry.differs = tuple(each.where for each in found.differences)
        return interaction


def _uri(shelf: Shelf | None, address: Address) -> str:
    """The address as the provider would have been asked, for messages and for matching."""
    if shelf is None or not shelf.tapes or not shelf.tapes[0].interactions:
        return f"{_HERE}/{address.provider}{address.target}"
    return origin_of(shelf.tapes[0].interactions[0].request.uri) + address.target
