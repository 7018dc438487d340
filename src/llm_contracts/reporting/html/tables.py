"""What is shown in tables: requests, totals, ends, telemetry; the two clients beside what was on the wire."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from llm_contracts.clients.chunks import to_usage
from llm_contracts.clients.observation import Observation, Usage
from llm_contracts.parity.compare import ABSENT
from llm_contracts.reporting.align import align
from llm_contracts.wire.facts import WireFacts
from llm_contracts.wire.interaction import Request

Table = list[dict[str, Any]]
_OK = 200


def requests(reference: Observation, candidate: Observation) -> Table:
    """One entry for each request that either client made."""
    pairs = zip_longest(reference.requests, candidate.requests)
    return [_request(one, other) for one, other in pairs]


def _request(one: Request | None, other: Request | None) -> dict[str, Any]:
    sides = [None if request is None else f"{request.method} {request.uri}" for request in (one, other)]
    headers = [_headers(request) for request in (one, other)]
    return {
        "target": sides,
        "headers": [
            [name, *(side.get(name) for side in headers)]
            for name in sorted(headers[0].keys() | headers[1].keys())
        ],
        "body": list(merged(_body(one), _body(other))),
    }


def _headers(request: Request | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in request.headers if request else ():
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def _body(request: Request | None) -> list[str]:
    if request is None or not request.body:
        return []
    try:
        value = json.loads(request.body)
    except (ValueError, RecursionError):
        return request.body.decode("utf-8", "replace").splitlines()
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2).splitlines()


def merged(left: Sequence[str], right: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The lines of both: `=` shared, `<` of the left one alone, `>` of the right one alone."""
    for block in align(left, right):
        ours, theirs = left[block.left_from : block.left_to], right[block.right_from : block.right_to]
        if block.equal:
            yield from (("=", line) for line in ours)
        else:
            yield from (("<", line) for line in ours)
            yield from ((">", line) for line in theirs)


def usage(facts: WireFacts | None, reference: Observation, candidate: Observation) -> list[list[Any]]:
    """Name, then the number on the wire, of the reference and of the candidate; null where there is none."""
    sides = [
        _numbers(to_usage(facts.usage) if facts and facts.usage else None),
        *(
            _numbers(side.reported_usage[-1] if side.reported_usage else None)
            for side in (reference, candidate)
        ),
    ]
    return [[name, *(side.get(name) for side in sides)] for name in _names(sides)]


def _numbers(found: Usage | None) -> dict[str, Any]:
    if found is None:
        return {}
    totals = {
        "prompt_tokens": found.prompt_tokens,
        "completion_tokens": found.completion_tokens,
        "total_tokens": found.total_tokens,
    }
    return {name: value for name, value in {**totals, **found.details}.items() if value is not None}


def _names(sides: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for side in sides for name in side))


def ends(facts: WireFacts | None, reference: Observation, candidate: Observation) -> list[list[Any]]:
    """How it ended: name, then what the wire says, the reference, the candidate."""
    sides = [_wire_end(facts), _path_end(reference), _path_end(candidate)]
    return [[name, *(side.get(name) for side in sides)] for name in _names(reversed(sides))]


def _wire_end(facts: WireFacts | None) -> dict[str, Any]:
    if facts is None:
        return {}
    error = facts.error or {}
    return {
        "finish reason": ", ".join(facts.finish_reasons) or None,
        "characters": len(facts.whole_text),
        "error": error.get("message"),
        "status": facts.status,
        "provider's code": error.get("code"),
        "connection": f"{facts.end}{', with [DONE]' if facts.done else ''}",
    }


def _path_end(seen: Observation) -> dict[str, Any]:
    failure = seen.failure
    return {
        "finish reason": ", ".join(seen.finish_reasons) or None,
        "characters": len(seen.text),
        "pieces of text": len(seen.deltas),
        "requests made": len(seen.requests),
        "waits between them, seconds": ", ".join(f"{pause:g}" for pause in seen.pauses or ()) or None,
        "error": failure.message if failure else None,
        "category": failure.category if failure else None,
        "status": failure.status if failure else None,
        "code": failure.code if failure else None,
        "provider's code": failure.provider_code if failure else None,
        "attempts, as told": failure.attempts if failure else None,
    }


def telemetry(reference: Observation, candidate: Observation) -> list[list[list[Any]]]:
    """For each generation: name, value of the reference, value of the candidate."""
    found = []
    nothing: Mapping[str, Any] = {}
    for one, other in zip_longest(reference.generations, candidate.generations, fillvalue=nothing):
        sides = [_told(one, reference), _told(other, candidate)]
        found.append([[name, *(side.get(name, ABSENT) for side in sides)] for name in sorted(_names(sides))])
    return found


def _told(generation: Mapping[str, Any], seen: Observation) -> dict[str, Any]:
    """The output is nearly always what the lanes show already."""
    return {
        name: "(the joined text)" if name == "output" and value and value == seen.text else value
        for name, value in generation.items()
    }


def decisive(facts: Sequence[WireFacts]) -> WireFacts | None:
    """The answer that counts: the last success, else the last of all."""
    successes = [each for each in facts if each.status == _OK]
    seen = successes or list(facts)
    return seen[-1] if seen else None
