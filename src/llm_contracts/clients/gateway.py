"""A gateway between an application and its provider, as a client: the application's own client in front of
it, the recordings behind it. Compared is what the application sees, and what the gateway asks upstream.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BufferedReader
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlsplit

from llm_contracts.clients.call import Call
from llm_contracts.util.environ import variables

_START_SECONDS = 180.0
_LAST_WORDS = 2_000  # characters of its output that a failure to start shows


class GatewayError(Exception):
    """A gateway does not run. The message has the end of its output."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunningGateway:
    """Where a gateway answers, and the key that it takes."""

    origin: str
    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Gateway:
    """A gateway that is started once for a run, and stopped after it. Register it in `CLIENTS`.

    Attributes:
        command: how it is started. In its words, in `files` and in `environ`, `{port}` is where it must
            listen on 127.0.0.1, `{key}` a made-up key that it may ask for, and `{upstream}` the provider's
            address, for a gateway that is configured with it. Where that stands, calls are made one by one.
        health: the path that answers with 200 once it can be asked.
        in_front: makes the application's call, given the gateway's address and key, and the call, whose
            `base_url` and `api_key` are the provider's. A gateway that is told its upstream by each request
            is told it here.
        files: names of files in its working folder → what they hold.
        environ: variables in addition to the caller's.
    """

    command: tuple[str, ...]
    health: str
    in_front: Callable[[RunningGateway, Call], Iterable[Any]]
    files: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, call: Call, /) -> Iterator[Any]:
        """One call, for which the gateway is started by itself.

        Raises:
            GatewayError: it does not start.
        """
        with self.started() as client:
            yield from client(call)

    @contextmanager
    def started(self) -> Iterator[StartedGateway]:
        """A client that asks a gateway that runs while the block lasts.

        Raises:
            GatewayError: it does not start.
        """
        key, port = f"sk-{secrets.token_hex(16)}", _free_port()
        said = {"port": str(port), "key": key}
        texts = (*self.command, *self.files.values(), *self.environ.values())
        forwarder = _Forwarder() if any("{upstream}" in text for text in texts) else None
        if forwarder is not None:
            said["upstream"] = forwarder.origin
        with TemporaryDirectory(prefix="gateway-") as folder:
            for name, text in self.files.items():
                Path(folder, name).write_text(_filled(text, said), encoding="utf-8")
            environ = {name: _filled(value, said) for name, value in self.environ.items()}
            log = Path(folder, "gateway.log")
            with log.open("wb") as output:
                process = subprocess.Popen(  # noqa: S603 - the project's own words
                    [_filled(word, said) for word in self.command],
                    cwd=folder,
                    env={**variables(os.environ), **environ},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            try:
                origin = f"http://127.0.0.1:{port}"
                _await(process, origin + self.health, log)
                running = RunningGateway(origin=origin, key=key)
                yield StartedGateway(gateway=self, running=running, forwarder=forwarder)
            finally:
                if forwarder is not None:
                    forwarder.close()
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@dataclass(frozen=True, kw_only=True, slots=True)
class StartedGateway:
    """The client that asks a gateway that runs.

    Attributes:
        forwarder: where it finds its upstream, if it is configured with it.
        outlives_calls: its connections to the provider are those of a process that goes on: none of them is
            left behind by a call.
    """

    gateway: Gateway
    running: RunningGateway
    forwarder: _Forwarder | None = None
    outlives_calls: bool = True

    @property
    def address(self) -> str:
        """Host and port that the application's client talks to."""
        return urlsplit(self.running.origin).netloc

    def __call__(self, call: Call, /) -> Iterator[Any]:
        """What the application's client hands on."""
        if self.forwarder is None:
            yield from self.gateway.in_front(self.running, call)
        else:
            with self.forwarder.to(call.base_url):
                yield from self.gateway.in_front(self.running, call)


def _filled(text: str, said: Mapping[str, str]) -> str:
    for name, value in said.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with opener.open(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    words = log.read_text(encoding="utf-8", errors="replace").strip()[-_LAST_WORDS:]
    why = "it does not answer" if process.poll() is None else f"it ended with {process.poll()}"
    raise GatewayError(f"the gateway {process.args!r} cannot be used: {why}\n{words}")


class _Forwarder:
    """Where a configured gateway finds its upstream: a port on loopback, from which each request is handed on
    to the address of the call that is being made. Bytes go through as they come.
    """

    def __init__(self) -> None:
        self._turn = Lock()
        self._upstream = ""
        self._server = socket.create_server(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        Thread(target=self._serve, daemon=True, name="gateway upstream").start()

    @contextmanager
    def to(self, base_url: str) -> Iterator[None]:
        """While the block lasts, that is where connections go; other calls wait."""
        with self._turn:
            self._upstream = base_url
            yield

    def close(self) -> None:
        """Take no more connections."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _serve(self) -> None:
        with suppress(OSError):  # it was closed
            while True:
                near, _ = self._server.accept()
                Thread(target=self._hand_on, args=(near,), daemon=True, name="gateway upstream").start()

    def _hand_on(self, near: socket.socket) -> None:
        upstream = urlsplit(self._upstream)
        with near, suppress(OSError), near.makefile("rb") as given:
            line, *headers = [*takewhile(bytes.strip, given)] or [b""]
            if not line:  # nothing was asked
                return
            method, _, rest = line.partition(b" ")
            head = [b"%b %b%b" % (method, upstream.path.encode(), rest), b"Connection: close\r\n"]
            head += [header for header in headers if not header.lower().startswith(b"connection:")]
            with socket.create_connection((upstream.hostname or "", upstream.port or 80)) as far:
                far.sendall(b"".join(head) + b"\r\n")
                Thread(target=_pump, args=(given, far), daemon=True, name="gateway upstream").start()
                try:
                    while piece := far.recv(65536):
                        near.sendall(piece)
                finally:
                    near.shutdown(socket.SHUT_RDWR)  # ends the other thread


def _pump(given: BufferedReader, far: socket.socket) -> None:
    with suppress(OSError, ValueError):  # one of the two was closed
        while piece := given.read1():
            far.sendall(piece)
