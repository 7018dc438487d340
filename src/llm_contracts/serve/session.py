"""The session that takes every request to a replay server."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from aiohttp import web

from llm_contracts.serve.address import RUN_KEY, Address, parsed
from llm_contracts.serve.answers import base_urls, missed, overview
from llm_contracts.serve.index import Fit, Miss, Reason, RecordingIndex
from llm_contracts.wire.content import decoded
from llm_contracts.wire.interaction import End, Interaction, Request
from llm_contracts.wire.matching import NO_MATCH
from llm_contracts.wire.proxy.headers import kept_at_the_edge
from llm_contracts.wire.proxy.playback_options import PlaybackOptions
from llm_contracts.wire.proxy.replay import Player, origin_of
from llm_contracts.wire.proxy.session import Session
from llm_contracts.wire.scrub import Scrubber, scrub_query

MOST_RUNS = 10_000
"""Runs that are remembered; beyond that the one that was used longest ago is forgotten and starts anew."""

_HERE = "http://serve.invalid"
"""What stands for scheme and host until the provider is known."""


@dataclass(kw_only=True, slots=True)
class Entry:
    """One request to a provider. No header and no body is part of it: these hold keys and people's words.

    Attributes:
        time: when the request had arrived, in UTC.
        run: the run's key.
        provider: as named in the address.
        method, path: the request, the path with its query but without credentials.
        scenario, file, exchange: the recording that answered, and the place of the exchange in it.
        status: what was answered; 0 if the connection was ended without an answer.
        events: how many server-sent events were sent.
        ms: how long it took to answer.
        end: how the answer ended: as recorded, or `client_left`.
        reason: why there was no answer (status 599).
        differs: the places in which the request differs from the recorded one, or from the nearest.
    """

    time: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))
    run: str
    provider: str
    method: str
    path: str
    scenario: str | None = None
    file: str | None = None
    exchange: int | None = None
    status: int = 0
    events: int = 0
    ms: float = 0.0
    end: End | None = None
    reason: str | None = None
    differs: tuple[str, ...] = ()

    def line(self) -> str:
        """The entry as one line of JSON; what is not known is left out."""
        known = {name: value for name, value in asdict(self).items() if value not in (None, ())}
        return json.dumps(known, ensure_ascii=False)


@dataclass(kw_only=True, slots=True)
class ClientRun:
    """One run's position in everything it has asked for.

    Attributes:
        requests: how many requests to providers it has made.
        unmatched: how many of these had no answer.
        answered: how many each recording has answered, by `provider/scenario`.
    """

    requests: int = 0
    unmatched: int = 0
    answered: Counter[str] = field(default_factory=Counter)
    _played: dict[str, set[int]] = field(default_factory=dict)

    def next(self, provider: str, fit: Fit) -> tuple[int, Interaction]:
        """The exchange that answers now, and its place in the recording: each that fits once, in order, then
        the last one for ever.
        """
        name = f"{provider}/{fit.recording.name}"
        played = self._played.setdefault(name, set())
        place = next((each for each in fit.places if each not in played), fit.places[-1])
        played.add(place)
        self.answered[name] += 1
        return place, fit.recording.interactions[place]


class ClientRuns(OrderedDict[str, ClientRun]):
    """All runs by their keys: concurrent ones do not use up each other's recordings."""

    def __init__(self, most: int = MOST_RUNS) -> None:
        super().__init__()
        self._most = most

    def used(self, key: str) -> ClientRun:
        """The run of this key; it begins with its first request."""
        run = self.setdefault(key, ClientRun())
        self.move_to_end(key)
        if len(self) > self._most:
            self.popitem(last=False)
        return run


@dataclass(frozen=True, kw_only=True, slots=True)
class ServingRules:
    """How requests are answered.

    Attributes:
        playback: how recordings are played.
        scrubber: takes the secrets out of a request before it is compared, described or logged.
        any_body: whether a scenario that is named answers whatever the query and the body are.
        log: called with each request to a provider when its answer is over.
    """

    playback: PlaybackOptions
    scrubber: Scrubber
    any_body: bool = False
    log: Callable[[Entry], None] = lambda _entry: None


class ServeSession(Session):
    """Answers from recordings, strictly, and never calls anybody."""

    def __init__(
        self,
        indexes: Sequence[RecordingIndex],
        rules: ServingRules,
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
        entry = Entry(
            run=address.run,
            provider=address.provider,
            method=request.method,
            path=scrub_query(address.target),
        )
        over = partial(self._over, entry, self._loop.time())
        asked = self._as_recorded(request, address)
        found = self._found(asked, address, entry)
        if isinstance(found, Miss):
            self._unmatched += 1
            entry.status, entry.reason = NO_MATCH, str(found.reason)
            over(None)
            return missed(found, asked, address, tuple(self.indexes))
        response = decoded(found.response)
        entry.status = response.status
        headers = kept_at_the_edge(
            response.headers,
            uri=found.request.uri,
            own=frozenset({origin_of(found.request.uri)}),
            origin=self.origin + address.prefix,
        )
        player = Player(
            options=self._rules.playback,
            on_sent=lambda events: setattr(entry, "events", events),
            on_end=over,
        )
        try:
            return await player.play(incoming, transport, replace(response, headers=headers))
        except (asyncio.CancelledError, ConnectionResetError):
            if entry.end is None:  # a recorded cut or reset ends the handler likewise
                over(End.CLIENT_LEFT)
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

    def _found(self, asked: Request, address: Address, entry: Entry) -> Interaction | Miss:
        self._requested += 1
        if not RUN_KEY.fullmatch(address.run):
            return Miss(reason=Reason.NO_RUN)
        run = self._runs.used(address.run)
        run.requests += 1
        index = self.indexes.get(address.provider)
        found: Fit | Miss = Miss(reason=Reason.NO_PROVIDER)
        if index is not None:
            found = index.find(asked, name=address.scenario, any_body=self._rules.any_body)
        entry.differs = tuple(each.where for each in found.differences)
        if isinstance(found, Miss):
            run.unmatched += 1
            return found
        place, interaction = run.next(address.provider, found)
        entry.scenario, entry.file, entry.exchange = found.recording.name, found.recording.file, place
        return interaction

    def _over(self, entry: Entry, began: float, end: End | None) -> None:
        """Write the request down: before a client of a stream can know that it is over, so that whoever reads
        the log then finds it there.
        """
        entry.end = end
        entry.ms = round((self._loop.time() - began) * 1000, 1)
        self._rules.log(entry)
