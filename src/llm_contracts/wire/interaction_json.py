"""Exchanges as JSON values and back, for results that are kept: short, readable, nothing lost."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from llm_contracts.wire.interaction import End, Headers, Interaction, Piece, Request, Response


def interaction_to_json(interaction: Interaction) -> dict[str, Any]:
    """One exchange as JSON values."""
    return {
        "request": request_to_json(interaction.request),
        "response": response_to_json(interaction.response),
    }


def interaction_from_json(value: Mapping[str, Any]) -> Interaction:
    """The exchange again.

    Raises:
        KeyError, TypeError, ValueError: the value is none that `interaction_to_json` gives.
    """
    return Interaction(
        request=request_from_json(value["request"]), response=response_from_json(value["response"])
    )


def request_to_json(request: Request) -> dict[str, Any]:
    """One request as JSON values."""
    return {
        "method": request.method,
        "uri": request.uri,
        "headers": _pairs(request.headers),
        **_body(request.body),
    }


def request_from_json(value: Mapping[str, Any]) -> Request:
    """The request again. Raises as `interaction_from_json` does."""
    return Request(
        method=value["method"],
        uri=value["uri"],
        headers=_headers(value["headers"]),
        body=_bytes(value),
    )


def response_to_json(response: Response) -> dict[str, Any]:
    """One response as JSON values; pieces as `[bytes, ms]`, as cassettes have them."""
    pieces = response.pieces
    return {
        "status": response.status,
        "reason": response.reason,
        "headers": _pairs(response.headers),
        "end": str(response.end),
        "pieces": None if pieces is None else [[piece.size, piece.at_ms] for piece in pieces],
        **_body(response.body),
    }


def response_from_json(value: Mapping[str, Any]) -> Response:
    """The response again. Raises as `interaction_from_json` does."""
    pieces = value["pieces"]
    return Response(
        status=value["status"],
        reason=value["reason"],
        headers=_headers(value["headers"]),
        body=_bytes(value),
        end=End(value["end"]),
        pieces=None if pieces is None else tuple(Piece(size=size, at_ms=at) for size, at in pieces),
    )


def _pairs(headers: Headers) -> list[list[str]]:
    return [[name, value] for name, value in headers]


def _headers(value: Any) -> Headers:
    return tuple((name, text) for name, text in value)


def _body(data: bytes) -> dict[str, str]:
    """Text where it is text, so that a kept result can be searched; base64 where it is not."""
    try:
        return {"body": data.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(data).decode()}


def _bytes(value: Mapping[str, Any]) -> bytes:
    if "body" in value:
        return str(value["body"]).encode()
    return base64.b64decode(value["body_base64"], validate=True)
