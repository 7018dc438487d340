"""What a client does when an engine plays to it, without what only the engine makes differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from llm_contracts import Call, Interaction, Observation
from llm_contracts.clients.observe import observe
from llm_contracts.clients.resolve import resolve
from llm_contracts.run.engines import Engine
from llm_contracts.wire.matching import canonical_body
from tests.contracts.recorded import PROJECT

# Written by the part of a client that the engine inside the process takes the place of.
_TRANSPORT_HEADERS = {"accept-encoding", "connection", "content-length", "host"}


def seen(observation: Observation | None) -> Mapping[str, Any]:
    """Everything that a path did, but for times and for what the transport adds to a request."""
    assert observation is not None
    return {
        "text": observation.text,
        "deltas": observation.deltas,
        "finish": observation.finish_reasons,
        "usage": observation.reported_usage,
        "chunks": observation.chunks,
        "failure": observation.failure,
        "message": observation.failure and observation.failure.message,
        "generations": observation.generations,
        "attempts": len(observation.requests),
        "requests": [
            (request.method, request.uri, canonical_body(request.body), _headers(request.headers))
            for request in observation.requests
        ],
    }


def _headers(headers: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    named = ((name.lower(), value) for name, value in headers)
    return sorted(line for line in named if line[0] not in _TRANSPORT_HEADERS)


def observed(engine: Engine, interactions: tuple[Interaction, ...], call: Call, path: str) -> Observation:
    with engine(interactions) as play:
        here = replace(call, base_url=play.address(call.base_url))
        return observe(
            resolve(path, PROJECT.clients), here, name=path, session=play.session, skip_pauses=True
        )
