"""What becomes of the copies: a thread of its own makes recordings of those that are worth it."""

from __future__ import annotations

import errno
import os
import queue
import secrets
import shutil
import signal
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from llm_contracts.capture.coverage import CaptureCoverage, write_coverage
from llm_contracts.capture.keeper import CapturedCall, Keeper, KeeperLimits
from llm_contracts.capture.session import Room
from llm_contracts.capture.shape import shape_of
from llm_contracts.project.captured import PREFIX, captured_files
from llm_contracts.project.endpoint import Endpoint
from llm_contracts.util.versions import versions
from llm_contracts.wire.cassette import Cassette, CassetteError, Recording, load, save
from llm_contracts.wire.cassette.render import render
from llm_contracts.wire.content import unpacked
from llm_contracts.wire.interaction import Interaction, Response
from llm_contracts.wire.protocols import BUILT_IN, Protocols
from llm_contracts.wire.scrub import Scrubber

_EVERY = 1.0  # seconds between two writings of what was seen
_LARGEST_REQUEST = 64 * 2**20  # bytes to unpack a request to; memory is to stay bounded
_LARGE = 64 * 1024  # bytes of bodies
_CHAT = "/chat/completions"
_ASKED = frozenset({"accept", "content-type", "anthropic-version", "anthropic-beta", "openai-beta"})
_ANSWERED = (
    "cache-control",
    "content-encoding",
    "content-type",
    "connection",
    "content-length",
    "date",
    "location",
    "openai-model",
    "openai-processing-ms",
    "openai-version",
    "request-id",
    "retry-after",
    "transfer-encoding",
    "x-ratelimit-",
    "x-request-id",
    "x-should-retry",
)
"""What of headers says something about the call; the rest may say who asked, and over which way."""

Change = Callable[[tuple[Interaction, ...]], tuple[Interaction, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Writing:
    """How copies become recordings.

    Attributes:
        folder: the cassettes folder.
        endpoints: provider → where it is really called.
        secrets: the values that must not reach a file, by the variable.
        limits: how much is kept.
        change: what is done to the exchanges of a call before they are written, after secrets were taken out.
        protocols: those of the project, by which a call's API is known.
        now: the clock.
    """

    folder: Path
    endpoints: Mapping[str, Endpoint]
    secrets: Mapping[str, str] = field(repr=False)
    limits: KeeperLimits
    change: Change = tuple
    protocols: Protocols = BUILT_IN
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


class Writer:
    """The thread. A context manager: at its end all that waits is written."""

    def __init__(self, writing: Writing, room: Room) -> None:
        self.seen: dict[str, CaptureCoverage] = {}
        self.written: list[str] = []
        self.trouble: dict[str, None] = {}
        self._writing = writing
        self._room = room
        self._run = f"{writing.now():%Y%m%d}-{secrets.token_hex(4)}"
        self._began = writing.now()
        self._clean = Scrubber(writing.secrets).text
        self._queue: queue.SimpleQueue[tuple[str, Interaction | str, int] | None] = queue.SimpleQueue()
        self._keeper = Keeper(
            writing.limits,
            self._write,
            _recorded(writing.folder, writing.protocols),
            self._coverage,
            writing.protocols,
        )
        self._process: ProcessPoolExecutor | None = None
        self._thread = threading.Thread(target=self._work, name="llm-contracts-capture", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._queue.put(None)
        self._thread.join()
        if self._process is not None:
            self._process.shutdown()

    def copied(self, provider: str, interaction: Interaction, size: int) -> None:
        """An exchange has ended; returns at once."""
        self._queue.put((provider, interaction, size))

    def lost(self, provider: str, why: str) -> None:
        """An exchange was passed on of which there is no copy; returns at once."""
        self._queue.put((provider, why, 0))

    def _work(self) -> None:
        due, saved = time.monotonic() + _EVERY, (0, 0)
        while True:
            try:
                item = self._queue.get(timeout=max(0.0, due - time.monotonic()))
            except queue.Empty:
                item = ("", "", 0)
            if item is None:
                self._guarded(self._keeper.give_up)
                self._guarded(self._save_coverage)
                return
            self._guarded(lambda: self._take(*item))  # noqa: B023 - called before the next one comes
            counts = (
                sum(len(each.shapes) for each in self.seen.values()),
                sum(each.calls for each in self.seen.values()),
            )
            late = time.monotonic() >= due
            # What was counted may be lost with the process, but no shape: it keeps an answer from being a GO.
            if counts[0] > saved[0] or (late and counts != saved):
                saved, late = counts if self._guarded(self._save_coverage) else saved, True
            due = time.monotonic() + _EVERY if late else due

    def _guarded(self, action: Callable[[], None]) -> bool:
        """Whether it worked. A failure here must cost a recording and never a call."""
        try:
            action()
        except Exception as error:  # noqa: BLE001 - see above
            said = error.strerror if isinstance(error, OSError) else None
            self.trouble[f"{type(error).__name__}{f': {said}' if said else ''}"] = None
            return False
        return True

    def _take(self, provider: str, item: Interaction | str, size: int) -> None:
        if isinstance(item, Interaction):
            try:
                self._keeper.take(provider, _with_plain_request(item), time.monotonic())
            finally:
                self._room.give(size)
        elif item:
            seen = self._coverage(provider)
            seen.calls += 1
            seen.not_looked_at[item] += 1

    def _coverage(self, provider: str) -> CaptureCoverage:
        return self.seen.setdefault(provider, CaptureCoverage())

    def _save_coverage(self) -> None:
        for provider, coverage in self.seen.items():
            file = self._writing.folder / provider / f"{PREFIX}{self._run}.json"
            write_coverage(file, coverage, self._clean, first=self._began, last=self._writing.now())

    def _write(self, call: CapturedCall) -> None:
        writing = self._writing
        there = next(each for each in (writing.folder, *writing.folder.absolute().parents) if each.exists())
        if shutil.disk_usage(there).free < writing.limits.reserve:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        page = _Page(
            folder=writing.folder,
            provider=call.provider,
            name=call.name,
            endpoint=writing.endpoints[call.provider],
            secrets=dict(writing.secrets),
            change=writing.change,
            at=writing.now().replace(microsecond=0),
        )
        if call.size > _LARGE:
            self._elsewhere(page, tuple(call.interactions))
        else:
            _save(page, tuple(call.interactions))
        self.written.append(f"{call.provider}/{call.name}")

    def _elsewhere(self, page: _Page, interactions: tuple[Interaction, ...]) -> None:
        """Save it in a process of its own: to search a megabyte would keep calls waiting for seconds."""
        if self._process is None:
            self._process = ProcessPoolExecutor(1, get_context("spawn"), _follow)
        try:
            self._process.submit(_save, page, interactions).result()
        except BrokenProcessPool:
            self._process.shutdown()
            self._process = None
            raise


@dataclass(frozen=True, kw_only=True, slots=True)
class _Page:
    """What it takes to write a recording, in any process; see `Writing`."""

    folder: Path
    provider: str
    name: str
    endpoint: Endpoint
    secrets: Mapping[str, str] = field(repr=False)
    change: Change
    at: datetime


def _follow() -> None:
    """End with the process that captures, however that ends. Ctrl-C reaches all processes of a terminal, and
    is for that one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def end() -> None:
        if (parent := parent_process()) is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=end, daemon=True).start()


def _save(page: _Page, interactions: tuple[Interaction, ...]) -> None:
    scrubber = Scrubber(page.secrets)
    scrubber.learn(interactions)
    clean = tuple(_with_telling_headers(scrubber.interaction(one)) for one in interactions)
    address, public = _at_the_provider(clean, page.endpoint)
    bases = (page.endpoint.address, page.endpoint.upstream)
    base = next((each for each in bases if f"{address}/".startswith(f"{each}/")), address)
    if own := address.removeprefix(base):  # of this call alone, so it may name somebody
        bare = replace(clean[-1].request, uri=f"https://provider.invalid{own}", body=b"")
        (changed,) = page.change((Interaction(request=bare, response=Response(status=200, body=b"")),))
        address = base + urlsplit(changed.request.uri).path
    cassette = Cassette(
        interactions=page.change(public),
        recording=Recording(
            provenance=page.endpoint.provenance,
            recorded_at=page.at,
            provider=page.provider,
            scenario=page.name,
            client="capture",
            versions={"llm-contracts": versions().get("llm-contracts", "")},
            address=address,
        ),
    )
    scrubber.refuse(page.name, render(cassette), cassette.interactions)
    save(page.folder / page.provider / f"{page.name}.yaml", cassette)


def _recorded(folder: Path, protocols: Protocols) -> Mapping[str, int]:
    """How many recordings there are of each shape."""
    counts: dict[str, int] = {}
    for file in captured_files(folder):
        try:
            key = shape_of(load(file).interactions, protocols).key
        except (CassetteError, ValueError):
            continue  # `check` says what is wrong with it
        counts[key] = counts.get(key, 0) + 1
    return counts


def _with_plain_request(interaction: Interaction) -> Interaction:
    """The exchange without the coding that its request was packed in."""
    request = interaction.request
    packed = Response(status=0, headers=request.headers, body=request.body)
    plain = unpacked(packed, largest=_LARGEST_REQUEST).response
    return replace(interaction, request=replace(request, headers=plain.headers, body=plain.body))


def _with_telling_headers(interaction: Interaction) -> Interaction:
    """The exchange with the headers that say something about the call."""
    request, response = interaction.request, interaction.response
    return Interaction(
        request=replace(request, headers=tuple(one for one in request.headers if one[0].lower() in _ASKED)),
        response=replace(
            response, headers=tuple(one for one in response.headers if one[0].lower().startswith(_ANSWERED))
        ),
    )


def _at_the_provider(
    interactions: tuple[Interaction, ...], endpoint: Endpoint
) -> tuple[str, tuple[Interaction, ...]]:
    """The base URL that was really called, and the exchanges at the provider's own.

    A path of its own before a chat completion's (a deployment, a gateway's route) belongs to the address: a
    client that is given a base URL calls it there. The query goes.
    """
    parts = urlsplit(interactions[-1].request.uri)
    if not parts.path.endswith(_CHAT):
        return endpoint.address, tuple(map(endpoint.made_public, interactions))
    called = urlsplit(endpoint.address)
    address = urlunsplit((called.scheme, called.netloc, parts.path.removesuffix(_CHAT), "", ""))
    uri = endpoint.public_url.rstrip("/") + _CHAT
    return address, tuple(replace(one, request=replace(one.request, uri=uri)) for one in interactions)
