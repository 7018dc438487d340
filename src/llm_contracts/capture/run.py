"""Composition: providers → a proxy with an address for each, and recordings of what passes it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web

from llm_contracts.capture.keeper import CaptureOptions
from llm_contracts.capture.session import CaptureSession
from llm_contracts.capture.writer import Writer
from llm_contracts.project.config import ConfigError
from llm_contracts.project.endpoint import Endpoint
from llm_contracts.project.scenario import Provider
from llm_contracts.project.well_known import AZURE, FURTHER_VARIABLES, WELL_KNOWN, known_at
from llm_contracts.serve.address import RESERVED
from llm_contracts.wire.interaction import Request
from llm_contracts.wire.proxy import exchange
from llm_contracts.wire.proxy.network import network_from
from llm_contracts.wire.proxy.server import Edge
from llm_contracts.wire.proxy.session import Session
from llm_contracts.wire.proxy.upstream import Upstream

if TYPE_CHECKING:
    from llm_contracts.project.config import Project

_MIB = 2**20
_LARGEST_REQUEST = 512 * _MIB  # OpenAI takes files of this size; none is turned away here
_LARGEST_COPY = 16 * _MIB
_TURN = 0.0005  # seconds
_SILENCE = 900.0  # seconds; longer than any SDK waits, so that it is the application who gives up


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A provider as an application finds it.

    Attributes:
        provider: its name.
        endpoint: where it is called, and the base URL that recordings name.
        variables: variable → the path that a base URL in it has.
    """

    provider: str
    endpoint: Endpoint
    variables: Mapping[str, str]

    def addresses(self, origin: str) -> dict[str, str]:
        """Variable → the base URL to set it to, where the edge has this origin."""
        return {name: f"{origin}/{self.provider}{path}" for name, path in self.variables.items()}


@dataclass(kw_only=True, slots=True)
class Capture:
    """A capture that runs. `variables`: what an application is started with; `sessions`: by provider."""

    origin: str
    targets: tuple[Target, ...]
    writer: Writer
    sessions: tuple[CaptureSession, ...] = ()
    draining: bool = False

    @property
    def variables(self) -> dict[str, str]:
        """Variable → base URL."""
        return {name: url for each in self.targets for name, url in each.addresses(self.origin).items()}


def targets_of(project: Project, environ: Mapping[str, str]) -> tuple[Target, ...]:
    """Whom an application may call: the project's providers, and the well-known ones that an SDK's variable
    leads to. A variable that is set already says where its provider really is.

    Raises:
        ConfigError: a provider's name is one of the server's own addresses.
    """
    azure = environ.get(AZURE, "").strip()
    name = {"key_variable": "AZURE_OPENAI_API_KEY", "base_url_variable": AZURE}
    customers = [Provider(name="azure", base_url=azure, **name)] if azure else []
    rows = WELL_KNOWN | {row.name: row for row in (*customers, *project.providers)}
    own = {row.base_url.strip().rstrip("/"): row.name for row in project.providers}
    targets = [_target(row, environ) for row in rows.values()]
    for each in targets:
        if each.provider in RESERVED or "/" in each.provider:
            raise ConfigError(f"No provider can be captured as {each.provider!r}: that address is taken.")
    # What an SDK's variable leads to may be a provider of another name in the project.
    owners = {each.provider: own.get(each.endpoint.base_url, each.provider) for each in targets}
    variables: dict[str, dict[str, str]] = defaultdict(dict)
    for each in sorted(targets, key=lambda each: owners[each.provider] == each.provider):
        variables[owners[each.provider]] |= each.variables
    return tuple(
        replace(each, variables=variables[each.provider])
        for each in targets
        if owners[each.provider] == each.provider
    )


def _target(row: Provider, environ: Mapping[str, str]) -> Target:
    """A row may have a variable of its own beside that of the provider's usual SDK."""
    usual = known_at(row.base_url) or row
    bases = dict.fromkeys((usual.base_url_variable, *FURTHER_VARIABLES.get(usual.name, ())), usual.base_url)
    bases[row.base_url_variable] = row.base_url
    named = {name: base for name, base in bases.items() if name}
    given = {name: environ.get(name, "").strip().rstrip("/") for name in named}
    called = {name: given[name] for name in named if given[name]}
    base = next(iter(called.values()), row.base_url)
    public = next((named[name] for name in called), row.base_url)
    # Where one variable says that the provider is elsewhere, the others lead there, too.
    variables = {
        name: urlsplit(called.get(name) or (base if called else own)).path.rstrip("/")
        for name, own in named.items()
    }
    return Target(
        provider=row.name,
        endpoint=Endpoint(base_url=base.strip().rstrip("/"), public_url=public, key=""),
        variables=variables,
    )


@contextmanager
def capturing(project: Project, options: CaptureOptions) -> Iterator[Capture]:
    """A proxy for as long as the context is open, and what is then still under way.

    Raises:
        ConfigError: a provider cannot be captured.
        EdgeError: the port cannot be opened, or the network's settings cannot be used.
    """
    targets = targets_of(project, options.environ)
    network = network_from(options.environ)
    writer = Writer(project, options, {each.provider: each.endpoint for each in targets})
    limits = exchange.Limits(request=_LARGEST_REQUEST, answer=_LARGEST_COPY)
    with _in_short_turns(), writer, Edge(options.port, limits=limits) as edge:
        capture = Capture(origin=f"http://127.0.0.1:{edge.port}", targets=targets, writer=writer)
        for each in targets:
            make = partial(
                CaptureSession,
                provider=each.provider,
                upstream=Upstream(origin=each.endpoint.upstream, timeout=_SILENCE, network=network),
                public=each.endpoint.public,
                sample=options.sample,
                writer=writer,
            )
            session = edge.mount(make, key=each.provider)
            capture.sessions = (*capture.sessions, session)
        edge.mount(partial(_Status, capture))
        try:
            yield capture
        finally:
            capture.draining = True
            until = time.monotonic() + options.drain
            for session in capture.sessions:
                session.wait_idle(max(0.0, until - time.monotonic()))


@contextmanager
def _in_short_turns() -> Iterator[None]:
    """Calls come first: the thread that writes gives way after half a millisecond, not after five."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


class _Status(Session):
    """What the proxy says of itself."""

    def __init__(self, capture: Capture, loop: asyncio.AbstractEventLoop, origin: str) -> None:
        super().__init__(loop=loop, origin=origin, public="http://capture.invalid")
        self._capture = capture

    async def _answer(
        self, incoming: web.BaseRequest, transport: asyncio.Transport, request: Request
    ) -> web.StreamResponse:
        del transport, request
        capture = self._capture
        writer = capture.writer
        if incoming.path not in ("/", "/health"):
            return web.json_response(
                {"error": {"message": "No provider has this address.", "type": "llm_contracts"}}, status=404
            )
        seen = tuple(writer.seen.values())
        document = {
            "status": "draining" if capture.draining else "ok",
            "base_urls": capture.variables,
            "open": sum(each.exchanges_open() for each in capture.sessions),
            "calls": sum(each.calls for each in seen),
            "recordings": len(writer.written),
            "not_kept": sum((each.not_looked_at.copy() for each in seen), Counter()),
            "trouble": list(writer.trouble),
        }
        return web.json_response(document, status=503 if capture.draining else 200)
