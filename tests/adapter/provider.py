"""A provider on loopback: says what it is told to, over a real socket, and remembers what it was asked."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

KEY = "sk-provider-0123456789"

EVENT_STREAM = "text/event-stream; charset=utf-8"


class End(StrEnum):
    """What happens after the last piece."""

    COMPLETE = "complete"
    CUT = "cut"  # the connection is closed in the middle of the body
    RESET = "reset"
    STALL = "stall"  # nothing more comes until the client leaves
    SILENCE = "silence"  # not even a head


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """One answer."""

    pieces: tuple[bytes, ...] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": EVENT_STREAM})
    end: End = End.COMPLETE


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One request as it arrived."""

    target: str
    headers: Mapping[str, str]
    body: dict[str, Any]


def event(data: object) -> bytes:
    """One server-sent event."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"data: {text}\n\n".encode()


DONE = event("[DONE]")


def chunk(
    text: str | None = None,
    *,
    finish: str | None = None,
    usage: Mapping[str, Any] | None = None,
    **delta: Any,
) -> bytes:
    """One chunk in OpenAI's shape; usage alone makes the usage chunk."""
    given = {**({"content": text} if text is not None else {}), **delta}
    choices = [{"index": 0, "delta": given, "finish_reason": finish}] if given or finish else []
    body = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "served-1"}
    return event({**body, "choices": choices, **({"usage": dict(usage)} if usage is not None else {})})


USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 40}
"""Totals that do not add up, as real ones need not: whoever adds them up himself is found out."""


def answer(*texts: str, usage: Mapping[str, Any] | None = None, finish: str = "stop") -> Reply:
    """A good answer: role, texts, finish, usage if given, [DONE]."""
    totals = (chunk(usage=usage),) if usage is not None else ()
    said = (chunk("", role="assistant"), *(chunk(text) for text in texts))
    return Reply(pieces=(*said, chunk(finish=finish), *totals, DONE))


def document(body: object, *, status: int = 200, **headers: str) -> Reply:
    """A JSON document."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(
        pieces=(json.dumps(body).encode(),),
        status=status,
        headers={"content-type": "application/json", **told},
    )


def error(message: str = "no", **more: Any) -> dict[str, Any]:
    """OpenAI's envelope of an error."""
    return {"error": {"message": message, **more}}


def refusal(status: int, message: str = "no", **more: Any) -> Reply:
    """A refusal in OpenAI's envelope; what is retried is retried at once."""
    return document(error(message, **more), status=status, retry_after_ms="1")


@dataclass(slots=True)
class Provider:
    """What a test holds of the server.

    Attributes:
        url: the API's base URL.
        asked: the requests, in order.
        left: set when a client has gone before the end of a stalled answer.
        on_stall: called when an answer stalls.
        peak: how many exchanges were open at once, at most.
    """

    url: str
    asked: list[Asked] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)
    on_stall: Callable[[], None] = lambda: None
    peak: int = 0
    open: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    _replies: deque[Reply] = field(default_factory=deque)

    def say(self, *replies: Reply) -> None:
        """Answer so from now on, in this order; the last answer is repeated."""
        self._replies = deque(replies)

    def next_reply(self) -> Reply:
        """The answer to give now."""
        with self.lock:
            return self._replies.popleft() if len(self._replies) > 1 else self._replies[0]

    @property
    def body(self) -> dict[str, Any]:
        """The body of the last request."""
        return self.asked[-1].body


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    provider: Provider

    def handle_error(self, *_: object) -> None:
        """Clients may leave when they like."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        provider = cast("_Server", self.server).provider
        raw = self.rfile.read(int(self.headers.get("content-length", "0")))
        with provider.lock:
            headers = {name.lower(): value for name, value in self.headers.items()}
            provider.asked.append(
                Asked(target=self.path, headers=headers, body=json.loads(raw) if raw else {})
            )
            provider.open += 1
            provider.peak = max(provider.peak, provider.open)
        try:
            self._write(provider.next_reply(), provider)
        finally:
            with provider.lock:
                provider.open -= 1

    def _write(self, reply: Reply, provider: Provider) -> None:
        if reply.end is End.SILENCE:
            self._finish(reply.end, provider)
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status == HTTPStatus.NO_CONTENT:
            self.end_headers()
            return
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in reply.pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
        self._finish(reply.end, provider)

    def _finish(self, end: End, provider: Provider) -> None:
        if end is End.COMPLETE:
            self.wfile.write(b"0\r\n\r\n")
            return
        self.close_connection = True
        if end in {End.STALL, End.SILENCE}:
            provider.on_stall()
            self.connection.settimeout(20)
            with suppress(ConnectionResetError):
                self.connection.recv(1)
            provider.left.set()
        if end is End.RESET:  # closing with unsent data thrown away is what sends RST
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


@contextmanager
def running(*, tls: ssl.SSLContext | None = None) -> Iterator[Provider]:
    """A provider for as long as the block lasts; over TLS if told how."""
    server = _Server(("127.0.0.1", 0), _Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    scheme = "http" if tls is None else "https"
    server.provider = Provider(url=f"{scheme}://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
