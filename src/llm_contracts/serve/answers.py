"""What a replay server says of itself, as JSON: addresses, runs, and why there is no answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from aiohttp import web

from llm_contracts.serve.address import DEFAULT_RUN, Address
from llm_contracts.serve.index import Miss, Reason, RecordingIndex
from llm_contracts.wire.interaction import Request
from llm_contracts.wire.matching import NO_MATCH
from llm_contracts.wire.scrub import scrub_query


def base_urls(origin: str, indexes: Mapping[str, RecordingIndex], run: str = DEFAULT_RUN) -> dict[str, str]:
    """What an application is given as base URL, by provider."""
    return {
        name: origin + Address(run=run, provider=name).prefix + index.base_path
        for name, index in indexes.items()
    }


def overview(origin: str, indexes: Mapping[str, RecordingIndex]) -> dict[str, Any]:
    """Everything that is served, and where."""
    return {
        "base_urls": base_urls(origin, indexes),
        "scenarios": {
            name: [recording.name for recording in index.recordings] for name, index in indexes.items()
        },
    }


def missed(miss: Miss, request: Request, address: Address, known: Sequence[str]) -> web.Response:
    """The answer to a request that has none. Status 599, which no provider uses."""
    uri = f"/{address.provider}{address.target}" if miss.reason in _NOWHERE else request.uri
    asked = f"{request.method} {scrub_query(uri)}"
    nearest = miss.nearest and {
        "scenario": f"{address.provider}/{miss.nearest[0]}",
        "request": f"{miss.nearest[1].method} {scrub_query(miss.nearest[1].uri)}",
    }
    message = _SENTENCES[miss.reason].format(
        asked=asked,
        provider=address.provider,
        scenario=address.scenario,
        names=_some(address, miss, known),
        differs=", ".join(each.where for each in miss.differences) or "everything",
        nearest="" if nearest is None else nearest["scenario"],
    )
    error = {"message": message, "type": "llm_contracts", "param": None, "code": str(miss.reason)}
    differs = [{"where": d.where, "sent": d.sent, "recorded": d.recorded} for d in miss.differences]
    document = {"error": error, "request": asked, "nearest": nearest, "differs": differs}
    # Clients must not try again: the next attempt would find nothing either.
    return web.json_response(
        document | ({"scenarios": list(miss.names)} if miss.names else {}),
        status=NO_MATCH,
        reason="Nothing Recorded",
        headers={"x-should-retry": "false"},
    )


_NOWHERE = (Reason.NO_PROVIDER, Reason.NO_RUN)
_SENTENCES = {
    Reason.NOTHING: "Nothing was recorded for {asked}. The nearest recording is {nearest}, from which the "
    "request differs in: {differs}.",
    Reason.SEVERAL: "Several recordings answer {asked}, each differently. Put /scenario/NAME before "
    "/{provider} in the base URL; there are {names}.",
    Reason.NO_SCENARIO: "{provider} has no recording named {scenario}. {names}",
    Reason.NO_PROVIDER: "Nothing of {provider!r} is served here ({asked}). {names}",
    Reason.NO_RUN: "A run's key is up to 100 letters, digits and . _ ~ -, and begins with no sign.",
}


def _some(address: Address, miss: Miss, known: Sequence[str]) -> str:
    if miss.reason is Reason.SEVERAL:
        return ", ".join(miss.names)
    wanted, names = (address.scenario, miss.names) if miss.reason is Reason.NO_SCENARIO else (None, known)
    near = get_close_matches(wanted or address.provider, names, n=3)
    return f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(names) or 'none'}."
