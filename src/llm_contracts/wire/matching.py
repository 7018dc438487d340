"""Which recorded exchange answers a request.

What a client sends is compared elsewhere; here a difference never makes a request unanswerable as long as it
goes to the same place. A request to a place that was never recorded is answered with status 599 and the
nearest recording.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import parse_qsl, unquote, urlsplit

from llm_contracts.wire.interaction import Interaction, Request, Response
from llm_contracts.wire.request_diff import shared_segments
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
        self._by_host = by_host
        self._recorded = tuple((interaction, _Key(interaction.request)) for interaction in interactions)
        self._played: set[int] = set()

    def answer(self, request: Request) -> Interaction:
        """The exchange that answers the request.

        Among those with the same method and path: those with the same query if there are any, of these the
        first unplayed with the same body, else the first unplayed, else the last with the same body, else the
        last.
        """
        found = self._find(_Key(request))
        if found is None:
            return Interaction(request=request, response=self._refusal(request))
        self._played.add(found)
        return self._recorded[found][0]

    def _find(self, key: _Key) -> int | None:
        places = [
            index
            for index, (_, recorded) in enumerate(self._recorded)
            if recorded.place == key.place and (recorded.host == key.host or not self._by_host)
        ]
        places = [index for index in places if self._recorded[index][1].query == key.query] or places
        exact = [index for index in places if self._recorded[index][1].body == key.body]
        fresh = [index for index in (*exact, *places) if index not in self._played]
        return next(iter((*fresh, *reversed(exact), *reversed(places))), None)

    def _refusal(self, request: Request) -> Response:
        nearest = self._nearest(_Key(request))
        detail = {
            "request": f"{request.method} {scrub_query(request.uri)}",
            "nearest": None if nearest is None else f"{nearest.method} {scrub_query(nearest.uri)}",
            "differs": [] if nearest is None else _differences(request, nearest),
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

    def _nearest(self, key: _Key) -> Request | None:
        ranked = sorted(self._recorded, key=lambda entry: -entry[1].likeness(key))
        return ranked[0][0].request if ranked else None


class _Key:
    """What of a request is matched. The fragment and the values of credentials in the query take no part."""

    def __init__(self, request: Request) -> None:
        parts = urlsplit(scrub_query(request.uri))
        self.host = parts.netloc.rpartition("@")[2].lower()
        self.place = (request.method.upper(), unquote(parts.path))
        self.query = sorted(parse_qsl(parts.query, keep_blank_values=True))
        self.body = canonical_body(request.body)

    def likeness(self, other: _Key) -> int:
        """How many parts agree, the path counting by its segments from the end."""
        segments = shared_segments(self.place[1], other.place[1])
        return 2 * segments + (self.place[0] == other.place[0]) + (self.body == other.body)


def _differences(request: Request, recorded: Request) -> list[str]:
    mine, theirs = _Key(request), _Key(recorded)
    pairs = (
        ("method", mine.place[0], theirs.place[0]),
        ("host", mine.host, theirs.host),
        ("path", mine.place[1], theirs.place[1]),
        ("query", mine.query, theirs.query),
        ("body", mine.body, theirs.body),
    )
    return [name for name, left, right in pairs if left != right]
