"""A cassette as the plain values that its file holds, and their digest."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC
from typing import Any

from llm_contracts.wire.cassette.model import Cassette
from llm_contracts.wire.interaction import End, Headers, Request, Response


class Block(str):
    """Text to be written as a literal block."""

    __slots__ = ()


class Line(list[Any]):
    """A list to be written on one line, or as few as it takes."""

    __slots__ = ()


def document(cassette: Cassette) -> dict[str, Any]:
    """The file's values in its order. A recording has a digest of all of them: it tells what was recorded
    from what was edited later, and does not stop anybody who means to deceive.
    """
    values: dict[str, Any] = {}
    recording = cassette.recording
    if recording is not None:
        moment = recording.recorded_at.astimezone(UTC).replace(microsecond=0, tzinfo=None)
        values["recording"] = {
            "provenance": str(recording.provenance),
            "recorded_at": f"{moment.isoformat()}Z",
            "provider": recording.provider,
            "scenario": recording.scenario,
            "client": recording.client,
            "versions": dict(recording.versions),
            **({"address": recording.address} if recording.address else {}),
        }
    values["interactions"] = [
        {"request": _request(each.request), "response": _response(each.response)}
        for each in cassette.interactions
    ]
    # Last, as vcrpy has it: a file that was cut anywhere lacks it, and is refused for that.
    values["version"] = 1
    if recording is not None:
        text = json.dumps(values, default=lambda body: {"base64": base64.b64encode(body).decode()})
        values["recording"]["digest"] = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    return values


def _request(request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "uri": request.uri,
        "headers": _headers(request.headers),
        "body": _body(request.body) if request.body else None,
    }


def _response(response: Response) -> dict[str, Any]:
    written: dict[str, Any] = {
        "status": {"code": response.status, "message": response.reason},
        "headers": _headers(response.headers),
        "body": {"string": _body(response.body)},
    }
    wire: dict[str, Any] = {"end": str(response.end)}
    if response.pieces is not None:
        wire["chunks"] = Line(
            Line((size, int(at) if float(at).is_integer() else at)) for size, at in response.pieces
        )
    elif response.end is End.COMPLETE:
        return written
    return {**written, "wire": wire}


def _headers(headers: Headers) -> dict[str, list[str]]:
    """Lines of one name come together; among themselves they keep their order, as HTTP asks."""
    grouped: dict[str, list[str]] = {}
    for name, value in headers:
        grouped.setdefault(name, []).append(value)
    return grouped


def _body(body: bytes) -> str | bytes:
    try:
        return Block(body.decode("utf-8"))
    except UnicodeDecodeError:
        return body
