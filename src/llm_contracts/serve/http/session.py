"""The session that takes every request to a replay server."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from aiohttp import web

from llm_contracts.serve.http.address import RUN_KEY, Address, parsed
from llm_contracts.serve.http.answers import base_urls, missed, overview
from llm_contracts.serve.http.log import Entry
from llm_contracts.serve.http.runs import ClientRun, ClientRuns
from llm_contracts.serve.index import Fit, Miss, Reason, RecordingIndex
from llm_contracts.wire.content import decoded
from llm_contracts.wire.interaction import End, Interaction, Request
from llm_contracts.wire.matching import NO_MATCH
from llm_contracts.wire.proxy.headers import kept_at_the_edge
from llm_contracts.wire.proxy.playback_options import PlaybackOptions
from llm_contracts.wire.proxy.replay import Player, origin_of
from llm_contracts.wire.proxy.session import Session
from llm_contracts.wire.scrub import Scrubber, scrub_query

_HERE = "http://serve.invalid"
"""What stands for scheme and host until the provider is known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServingRules:
    """How requests are answered.

    Attributes:
        playback: how recordings are played.
        any_body: whether a scenario that is named answers whatever the query and the body are.
        scrubber: takes the secrets out of a request before it is compared, described or logged.
        log: called with each request to a provider when its answer is over.
    """

    playback: PlaybackOptions
    any_body: bool
    scrubber: Scrubber
    log: Callable[[Entry], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pending:
    """A request to a provider, and what will be written down of it."""

    address: Address
    request: Request
    began: float
    entry: Entry


class ServeSession(Session):
    """Answers from recordings, strictly, and never calls anybody."""

    def __init__(
        self,
        indexes: Sequence[RecordingIndex],
        rules: ServingRules,
        *,
        loop: asyncio.AbstractEventLoop,
        origin: str,
    ) -> None:
        super().__init__(loop=loop, origin=origin, public=_HERE)
        self.indexes: Mapping[str, RecordingIndex] = {index.provider: index for index in indexes}
        self._rules = rules
        self._runs = ClientRuns()
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
        if (answer := self._about_itself(request.method, target, address)) is not None:
            return answer
        pending = _Pending(
            address=address,
            request=self._as_recorded(request, address),
            began=self._loop.time(),
            entry=Entry(
                run=address.run,
                provider=address.provider,
                method=request.method,
                path=scrub_query(address.target),
            ),
        )
        found = self._found(pending)
        if isinstance(found, Miss):
            self._unmatched += 1
            pending.entry.status, pending.entry.reason = NO_MATCH, str(found.reason)
            self._over(pending, None)
            return missed(found, pending.request, address, tuple(self.indexes))
        try:
            return await self._played(pending, found, incoming, transport)
        except (asyncio.CancelledError, ConnectionResetError):
            if pending.entry.end is None:  # a recorded cut or reset ends the handler likewise
                self._over(pending, End.CLIENT_LEFT)
            raise

    def _about_itself(self, method: str, target: str, address: Address) -> web.Response | None:
        path = target.partition("?")[0]
        if path == "/health" and method in {"GET", "HEAD"}:
            recordings = sum(len(index.recordings) for index in self.indexes.values())
            counted = {"requests": self._requested, "unmatched": self._unmatched, "runs": len(self._runs)}
            return web.json_response({"status": "ok", "recordings": recordings, **counted})
        if path == "/" and method in {"GET", "HEAD"}:
            return web.json_response(overview(self.origin, self.indexes))
        if path == "/run" and method == "POST":
            return self._run_state(secrets.token_hex(8), status=201)
        if path == f"/run/{address.run}" and RUN_KEY.fullmatch(address.run):
            if method == "DELETE":
                self._runs.pop(address.run, None)
            return self._run_state(address.run) if method in {"GET", "HEAD", "DELETE"} else None
        return None

    def _run_state(self, key: str, *, status: int = 200) -> web.Response:
        run = self._runs.get(key) or ClientRun()  # looking at a run does not begin it
        document = {
            "run": key,
            "requests": run.requests,
            "unmatched": run.unmatched,
            "answered": run.answered,
            "base_urls": base_urls(self.origin, self.indexes, key),
        }
        return web.json_response(document, status=status)

    def _as_recorded(self, request: Request, address: Address) -> Request:
        """The request as the provider would have got it, without secrets, as the recordings are."""
        index = self.indexes.get(address.provider)
        recordings = index.recordings if index is not None else ()
        first = next((each.request.uri for recording in recordings for each in recording.interactions), None)
        origin = f"{_HERE}/{address.provider}" if first is None else origin_of(first)
        return self._rules.scrubber.request(replace(request, uri=origin + address.target))

    def _found(self, pending: _Pending) -> Interaction | Miss:
        address, entry = pending.address, pending.entry
        self._requested += 1
        if not RUN_KEY.fullmatch(address.run):
            return Miss(reason=Reason.NO_RUN)
        run = self._runs.used(address.run)
        run.requests += 1
        index = self.indexes.get(address.provider)
        found: Fit | Miss = Miss(reason=Reason.NO_PROVIDER)
        if index is not None:
            found = index.find(pending.request, name=address.scenario, any_body=self._rules.any_body)
        entry.differs = tuple(each.where for each in found.differences)
        if isinstance(found, Miss):
            run.unmatched += 1
            return found
        place, interaction = run.next(address.provider, found)
        entry.scenario, entry.file, entry.exchange = found.recording.name, found.recording.file, place
        return interaction

    async def _played(
        self, pending: _Pending, found: Interaction, incoming: web.BaseRequest, transport: asyncio.Transport
    ) -> web.StreamResponse:
        response = decoded(found.response)
        pending.entry.status = response.status
        headers = kept_at_the_edge(
            response.headers,
            uri=found.request.uri,
            own=frozenset({origin_of(found.request.uri)}),
            origin=self.origin + pending.address.prefix,
        )
        player = Player(
            options=self._rules.playback,
            on_sent=lambda events: setattr(pending.entry, "events", events),
            on_end=partial(self._over, pending),
        )
        return await player.play(incoming, transport, replace(response, headers=headers))

    def _over(self, pending: _Pending, end: End | None) -> None:
        """Write the request down: before a client of a stream can know that it is over, so that whoever reads
        the log then finds it there.
        """
        pending.entry.end = end
        pending.entry.ms = round((self._loop.time() - pending.began) * 1000, 1)
        self._rules.log(pending.entry)
