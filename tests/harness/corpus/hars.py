"""HAR files as Chrome, Firefox, mitmproxy and Playwright write them, as far as it matters here."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.harness.corpus.vcr_files import QUESTION, STREAM

URL = "https://api.openai.com/v1/chat/completions"
STARTED = "2026-01-31T12:00:00.250Z"


def har(*entries: dict[str, Any], creator: str = "WebInspector", version: str = "537.36") -> dict[str, Any]:
    """A whole file."""
    pages = [{"id": "page_1", "title": "t", "startedDateTime": STARTED, "pageTimings": {}}]
    log = {"version": "1.2", "creator": {"name": creator, "version": version}, "pages": pages}
    return {"log": {**log, "entries": list(entries)}}


def entry(content: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A chat completion, with changes to the entry, or with `request_` and `response_` to its halves."""
    posted = {"mimeType": "application/json", "text": json.dumps(QUESTION)}
    request: dict[str, Any] = {
        "method": "POST",
        "url": URL,
        "httpVersion": "HTTP/2.0",
        "headers": [{"name": "Content-Type", "value": "application/json"}],
        "queryString": [],
        "cookies": [],
        "headersSize": -1,
        "bodySize": -1,
        "postData": posted,
    }
    response: dict[str, Any] = {
        "status": 200,
        "statusText": "OK",
        "httpVersion": "HTTP/2.0",
        "headers": [{"name": "Content-Type", "value": "text/event-stream"}],
        "cookies": [],
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
        "content": as_text() if content is None else content,
    }
    whole: dict[str, Any] = {
        "startedDateTime": STARTED,
        "time": 5.0,
        "request": request,
        "response": response,
    }
    for name, value in changes.items():
        half, _, rest = name.partition("_")
        if rest and half in whole:
            whole[half][rest] = value
        else:
            whole[name] = value
    return whole


def as_text(body: bytes = STREAM) -> dict[str, Any]:
    """Chrome's and Firefox's."""
    return {"size": len(body), "mimeType": "text/event-stream", "text": body.decode()}


def as_base64(body: bytes = STREAM) -> dict[str, Any]:
    """Where the type is unknown to the browser."""
    text = base64.b64encode(body).decode()
    return {"size": len(body), "mimeType": "application/octet-stream", "text": text, "encoding": "base64"}


def mitmproxy_gzip(body: bytes = STREAM) -> dict[str, Any]:
    """Its size is that of the packed bytes; what unpacking adds stands apart."""
    packed = len(body) // 3
    kind = "text/event-stream"
    return {"size": packed, "compression": len(body) - packed, "mimeType": kind, "text": body.decode()}
