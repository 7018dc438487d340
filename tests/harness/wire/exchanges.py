"""Exchanges to test with, and clients that know nothing but sockets."""

from __future__ import annotations

import http.client
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from llm_contracts.wire.cassette import Cassette, Provenance, Recording
from llm_contracts.wire.interaction import End, Headers, Interaction, Piece, Request, Response

REAL_STREAMS = Path(__file__).resolve().parents[4] / "shared" / "real-streams"
PUBLIC = "https://api.openai.com"
TARGET = "/v1/chat/completions"
EVENT_STREAM: Headers = (("content-type", "text/event-stream; charset=utf-8"),)
JSON: Headers = (("content-type", "application/json"),)
DONE = b"data: [DONE]\n\n"


def event(data: Any) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


def text_event(text: str) -> bytes:
    """An event that adds text."""
    return event({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]})


def stream(*texts: str) -> bytes:
    """A whole stream of text."""
    finish = event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return b"".join(text_event(text) for text in texts) + finish + DONE


def streamed(body: bytes, *, end: End = End.COMPLETE, pieces: tuple[Piece, ...] | None = None) -> Interaction:
    """A chat completion that was answered with this stream."""
    return exchange(
        Response(status=200, reason="OK", headers=EVENT_STREAM, body=body, end=end, pieces=pieces)
    )


def exchange(
    response: Response, *, body: bytes = b"{}", target: str = TARGET, method: str = "POST"
) -> Interaction:
    """A request to OpenAI with this answer."""
    return Interaction(
        request=Request(method=method, uri=PUBLIC + target, headers=JSON, body=body), response=response
    )


def cassette(*interactions: Interaction) -> Cassette:
    """A cassette with everything that can be said about it."""
    recording = Recording(
        provenance=Provenance.SCRIPTED,
        recorded_at=datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC),
        provider="openai",
        scenario="plain-stream",
        client="adapter-legacy",
        versions={"openai": "2.54.0"},
    )
    return Cassette(interactions=interactions, recording=recording)


@contextmanager
def asking(
    origin: str,
    *,
    target: str = TARGET,
    body: bytes = b"{}",
    headers: dict[str, str] | None = None,
    method: str = "POST",
) -> Iterator[http.client.HTTPResponse]:
    """The answer to one request, its body not yet read."""
    parts = urlsplit(origin)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    try:
        connection.request(method, parts.path + target, body, headers or {})
        yield connection.getresponse()
    finally:
        connection.close()


def ask(
    origin: str, *, target: str = TARGET, body: bytes = b"{}", headers: dict[str, str] | None = None
) -> bytes:
    """The body of one answer."""
    with asking(origin, target=target, body=body, headers=headers) as response:
        return response.read()


def frame(name: str, payload: bytes, kind: bytes = b":event-type") -> bytes:
    """One of AWS's frames (smithy.io, the event stream specification)."""
    value = name.encode()
    header = bytes([len(kind)]) + kind + b"\x07" + len(value).to_bytes(2, "big") + value
    prelude = (16 + len(header) + len(payload)).to_bytes(4, "big") + len(header).to_bytes(4, "big")
    start = prelude + zlib.crc32(prelude).to_bytes(4, "big") + header + payload
    return start + zlib.crc32(start).to_bytes(4, "big")
