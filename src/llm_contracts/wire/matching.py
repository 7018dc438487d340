"""Which recorded exchange answers a request.

What a client sends is compared elsewhere; here a difference never makes a request unanswerable as long as it
goes to the same place. A request to a place that was never recorded is answered with status 599 and the
nearest recording.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from llm_contracts.wire.interaction import Interaction, Request, Response
from llm_contracts.wire.request_diff import likeness
from llm_contracts.wire.scrub import scrub_query

NO_MATCH = 599
"""The status that no provider uses: nothing was recorded for this method and path."""


def canonical_body(body: bytes) -> bytes:
    """The same bytes for the same JSON value, whatever the order of its keys and its blanks."""
    try:
        return json.dumps(json.loads(body), sort_keys=True).encode()
    except (ValueError, RecursionError):
        return body


class Matcher:
    """Hands out the recorded exchanges of one cassette, each once, the last fitting one again after that.

    Args:
        interactions: what was recorded.
        by_host: whether the host must agree as well. Behind the edge every client calls the same host.
    """

    def __init__(self, interactions: Sequence[Interaction], *, by_host: bool = False) -> None:
        self._place = ("method", "path", *(["host"] if by_host else []))
        self._recorded = tuple((interaction, _parts(interaction.request)) for interaction in interactions)
        self._played: set[int] = set()

    def answer(self, request: Request) -> Interaction:
        """The exchange that answers the request.

        Among those with the same method and path: those with the same query if there are any, of these the
        first unplayed with the same body, else the first unplayed, else the last with the same body, else the
        last.
        """
        asked = _parts(request)

        def rank(index: int) -> tuple[bool, bool, bool, int]:
            parts, played = self._recorded[index][1], index in self._played
            differs = (parts["query"] != asked["query"], played, parts["body"] != asked["body"])
            return *differs, -index if played else index

        places = (
            index
            for index, (_, parts) in enumerate(self._recorded)
            if all(parts[name] == asked[name] for name in self._place)
        )
        found = min(places, key=rank, default=None)
        if found is None:
            return Interaction(request=request, response=self._refusal(request, asked))
        self._played.add(found)
        return self._recorded[found][0]

    def _refusal(self, request: Request, asked: Mapping[str, Any]) -> Response:
        nearest, parts = max(
            self._recorded, key=lambda each: likeness(request, each[0].request), default=(None, asked)
        )
        detail = {
            "request": f"{request.method} {scrub_query(request.uri)}",
            "nearest": nearest and f"{nearest.request.method} {scrub_query(nearest.request.uri)}",
            "differs": [name for name, value in parts.items() if value != asked[name]],
        }
        message = (
            f"Nothing was recorded for {detail['request']}; the nearest recording is {detail['nearest']}."
        )
        error = {"message": message, "type": "llm_contracts", "param": None, "code": "nothing_recorded"}
        return Response(
            status=NO_MATCH,
            reason="Nothing Recorded",
            # Clients must not try again: the next attempt would find nothing either.
            headers=(("content-type", "application/json"), ("x-should-retry", "false")),
            body=json.dumps({"error": error, **detail}, ensure_ascii=False).encode(),
        )


def _parts(request: Request) -> dict[str, Any]:
    """What of a request is matched. The fragment and the values of credentials in the query take no part."""
    parts = urlsplit(scrub_query(request.uri))
    return {
        "method": request.method.upper(),
        "host": parts.netloc.rpartition("@")[2].lower(),
        "path": unquote(parts.path),
        "query": sorted(parse_qsl(parts.query, keep_blank_values=True)),
        "body": canonical_body(request.body),
    }
