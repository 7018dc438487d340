"""What becomes of the copies: a thread of its own makes recordings of those that are worth it."""

from __future__ import annotations

import errno
import os
import queue
import shutil
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit, urlunsplit

from llm_contracts.capture.coverage import CaptureCoverage, write_coverage
from llm_contracts.capture.keeper import CapturedCall, CaptureOptions, Change, Keeper
from llm_contracts.project.endpoint import Endpoint
from llm_contracts.project.recorded_scenarios import CAPTURED
from llm_contracts.project.secrets import secrets_in
from llm_contracts.util.versions import versions
from llm_contracts.wire.cassette import Cassette, Recording, save
from llm_contracts.wire.cassette.render import render
from llm_contracts.wire.content import unpacked
from llm_contracts.wire.interaction import Interaction, Response
from llm_contracts.wire.protocols.protocol import words
from llm_contracts.wire.scrub import Scrubber

if TYPE_CHECKING:
    from llm_contracts.project.config import Project
    from llm_contracts.util.processes import ProcessPool

_EVERY = 1.0  # seconds between two writings of what was seen
_LARGEST_REQUEST = 64 * 2**20  # bytes to unpack a request to; memory is to stay bounded
_LARGE = 64 * 1024  # bytes of bodies
_CHAT = "/chat/completions"
_ASKED = words("accept content-type anthropic-version anthropic-beta openai-beta")
_ANSWERED = tuple(
    words(
        "cache-control content-encoding content-type connection content-length date location openai-model "
        "openai-processing-ms openai-version request-id retry-after transfer-encoding x-ratelimit- "
        "x-request-id x-should-retry"
    )
)
"""What of headers says something about the call; the rest may say who asked, and over which way."""


class Room:
    """How many bytes of copies there may be in memory, those under way and those to be written."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Whether there is room for so many bytes more; they are taken if so."""
        with self._lock:
            if size > self._free:
                return False
            self._free -= size
            return True

    def give(self, size: int) -> None:
        """So many bytes are free again."""
        with self._lock:
            self._free += size


class Writer:
    """The thread. A context manager: at its end all that waits is written.

    Attributes:
        room: the memory for copies.
        seen: what was seen of each provider.
        written: the names of the recordings.
        trouble: what went wrong, each once.

    Args:
        project: whose providers' keys are secrets, and by whose protocols a call's API is known.
        options: how to capture.
        endpoints: provider → where it is really called.
    """

    def __init__(self, project: Project, options: CaptureOptions, endpoints: Mapping[str, Endpoint]) -> None:
        self.room = Room(options.memory)
        self.seen: defaultdict[str, CaptureCoverage] = defaultdict(CaptureCoverage)
        self.written: list[str] = []
        self.trouble: dict[str, None] = {}
        self._options = options
        self._endpoints = endpoints
        self._secrets = secrets_in(options.environ, project.providers)
        self._began = datetime.now(UTC)
        self._run = f"{self._began:%Y%m%d}-{token_hex(4)}"
        self._clean = Scrubber(self._secrets).text
        self._queue: queue.SimpleQueue[tuple[str, Interaction | str, int] | None] = queue.SimpleQueue()
        self._keeper = Keeper(options, self._write, self.seen, project.protocols)
        self._process: ProcessPool | None = None
        self._thread = threading.Thread(target=self._work, name="llm-contracts-capture", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._queue.put(None)
        self._thread.join()
        if self._process is not None:
            self._process.close()  # type: ignore[no-untyped-call]
            self._process.join()

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
                self.room.give(size)
        elif item:
            self.seen[provider].calls += 1
            self.seen[provider].not_looked_at[item] += 1

    def _save_coverage(self) -> None:
        for provider, coverage in self.seen.items():
            file = self._options.folder / provider / f"{CAPTURED}{self._run}.json"
            write_coverage(file, coverage, self._clean, first=self._began, last=datetime.now(UTC))

    def _write(self, call: CapturedCall) -> None:
        folder = self._options.folder
        there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
        if shutil.disk_usage(there).free < self._options.reserve:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        endpoint = self._endpoints[call.provider]
        recording = Recording(
            provenance=endpoint.provenance,
            recorded_at=datetime.now(UTC).replace(microsecond=0),
            provider=call.provider,
            scenario=call.name,
            client="capture",
            versions={"llm-contracts": versions().get("llm-contracts", "")},
        )
        cassette = Cassette(interactions=tuple(call.interactions), recording=recording)
        file = folder / call.provider / f"{call.name}.yaml"
        work = partial(_save, file, cassette, endpoint, self._secrets, self._options.change)
        if call.size > _LARGE:
            self._elsewhere(work)
        else:
            work()
        self.written.append(f"{call.provider}/{call.name}")

    def _elsewhere(self, work: Callable[[], None]) -> None:
        """Do it in a process of its own: to search a megabyte would keep calls waiting for seconds."""
        from llm_contracts.util.processes import SPAWN, ProcessPool, result_of

        if self._process is None or not self._process.active:  # a killed process takes its pool with it
            if self._process is not None:
                self._process.join()
            self._process = ProcessPool(1, context=SPAWN)
        result_of(self._process.schedule(work), self._process)


def _save(file: Path, seen: Cassette, endpoint: Endpoint, secrets: Mapping[str, str], change: Change) -> None:
    """Write a recording of what was seen, in any process: without secrets, changed, at the provider's own
    address.
    """
    scrubber = Scrubber(secrets)
    scrubber.learn(seen.interactions)
    clean = tuple(_with_telling_headers(scrubber.interaction(one)) for one in seen.interactions)
    address, public = _at_the_provider(clean, endpoint)
    bases = (endpoint.address, endpoint.upstream)
    base = next((each for each in bases if f"{address}/".startswith(f"{each}/")), address)
    if own := address.removeprefix(base):  # of this call alone, so it may name somebody
        bare = replace(clean[-1].request, uri=f"https://provider.invalid{own}", body=b"")
        (changed,) = change((Interaction(request=bare, response=Response(status=200, body=b"")),))
        address = base + urlsplit(changed.request.uri).path
    recording = seen.recording and replace(seen.recording, address=address)
    cassette = Cassette(interactions=change(public), recording=recording)
    scrubber.refuse(file.stem, render(cassette), cassette.interactions)
    save(file, cassette)


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
