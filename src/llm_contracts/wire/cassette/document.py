"""A cassette as the plain values that its file holds, and their digest."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC
from typing import Any

from llm_contracts.wire.cassette.model import Cassette, Recording
from llm_contracts.wire.interaction import End, Headers, Interaction, Request, Response


class Block(str):
    """Text to be written as a literal block."""

    __slots__ = ()


class Line(list[Any]):
    """A list to be written on one line, or as few as it takes."""

    __slots__ = ()


def document(cassette: Cassette) -> dict[str, Any]:
    """The file's values in its order. The digest in them is that of what they are now."""
    values = _document(cassette)
    if cassette.recording is not None:
        values["recording"]["digest"] = _digest(values)
    return values


def digest(cassette: Cassette) -> str:
    """The digest of all that a file holds but the digest itself. It tells what was recorded from what was
    edited later; it is not a signature, and does not stop anybody who means to deceive.
    """
    return _digest(_document(cassette))


def _digest(values: dict[str, Any]) -> str:
    text = json.dumps(values, ensure_ascii=True, default=_as_text)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _as_text(body: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(body).decode()}


def _document(cassette: Cassette) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if cassette.recording is not None:
        values["recording"] = _recording(cassette.recording)
    values["interactions"] = [_interaction(interaction) for interaction in cassette.interactions]
    # Last, as vcrpy has it: a file that was cut anywhere lacks it, and is refused for that.
    values["version"] = 1
    return values


def _recording(recording: Recording) -> dict[str, Any]:
    moment = recording.recorded_at.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    written: dict[str, Any] = {
        "provenance": str(recording.provenance),
        "recorded_at": f"{moment.isoformat()}Z",
        "provider": recording.provider,
        "scenario": recording.scenario,
        "client": recording.client,
        "versions": dict(recording.versions),
    }
    if recording.address:
        written["address"] = recording.address
    return written


def _interaction(interaction: Interaction) -> dict[str, Any]:
    return {"request": _request(interaction.request), "response": _response(interaction.response)}


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
    wire = _wire(response)
    return {**written, "wire": wire} if wire else written


def _wire(response: Response) -> dict[str, Any] | None:
    if response.pieces is None:
        return None if response.end is End.COMPLETE else {"end": str(response.end)}
    chunks = Line(Line((piece.size, _number(piece.at_ms))) for piece in response.pieces)
    return {"end": str(response.end), "chunks": chunks}


def _number(milliseconds: float) -> float:
    return int(milliseconds) if float(milliseconds).is_integer() else milliseconds


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
