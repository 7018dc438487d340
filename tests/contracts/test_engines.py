"""Two replay engines, one truth: whatever a client sees over a real socket, piece by piece, it sees inside
the process, in whole bodies.

Held against each other: the reference on every recording, the candidate on three of each provider, a bare
client on every real stream. What the engine inside cannot play is told by name and reason, and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llm_contracts import Call, Interaction, Item, Observation
from llm_contracts.clients.observe import observe
from llm_contracts.clients.resolve import resolve
from llm_contracts.corpus import CorpusStream, read_corpus
from llm_contracts.project.recorded_call import stream_call
from llm_contracts.run.check import replay_call
from llm_contracts.run.engines import Engine, EngineName, UnplayableError, opened
from llm_contracts.run.streams import plain_address
from llm_contracts.wire.interaction import End
from llm_contracts.wire.matching import canonical_body
from tests.contracts.recorded import PROJECT, RECORDED, recorded

STREAMS = Path(__file__).parents[3] / "shared" / "real-streams"

# Written by the part of a client that the engine inside the process takes the place of.
_TRANSPORT_HEADERS = {"accept-encoding", "connection", "content-length", "host"}

WITH_BOTH_CLIENTS = [
    name for name in RECORDED if name.partition("/")[2] in {"plain-stream", "rate-limit", "mid-stream-error"}
]


@pytest.fixture(scope="module")
def inside() -> Iterator[Engine]:
    with opened(EngineName.VCR) as engine:
        yield engine


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


def replayed(engine: Engine, name: str, path: str) -> Observation:
    row = RECORDED[name]
    return observed(engine, recorded(name), replay_call(row, PROJECT.provider(row.provider)), path)


def unplayable(engine: Engine, recordings: Mapping[str, tuple[Interaction, ...]]) -> dict[str, str]:
    """Name → reason, for the recordings that an engine refuses."""
    reasons: dict[str, str] = {}
    for name, interactions in recordings.items():
        try:
            with engine(interactions):
                pass
        except UnplayableError as error:
            reasons[name] = str(error)
    return reasons


@pytest.mark.parametrize("name", RECORDED)
def test_the_reference_sees_the_same_in_both_engines(
    name: str, items: Mapping[str, Item], inside: Engine
) -> None:
    outside = items[name].reference
    assert outside is not None
    assert seen(replayed(inside, name, outside.path)) == seen(outside)


@pytest.mark.parametrize("name", WITH_BOTH_CLIENTS)
def test_the_candidate_sees_the_same_in_both_engines(
    name: str, items: Mapping[str, Item], inside: Engine
) -> None:
    outside = items[name].candidate
    assert outside is not None
    assert seen(replayed(inside, name, outside.path)) == seen(outside)


def test_what_the_engine_inside_cannot_play_is_exactly_what_did_not_end_well(
    inside: Engine, record_property: Callable[[str, object], None]
) -> None:
    recordings = {name: recorded(name) for name in RECORDED}
    reasons = unplayable(inside, recordings)
    broken = {name for name, found in recordings.items() if any(map(_ended_early, found))}
    record_property("unplayable", reasons)
    assert reasons.keys() == broken


def _ended_early(interaction: Interaction) -> bool:
    return interaction.response.end is not End.COMPLETE


def test_each_way_of_not_ending_well_is_told_with_its_reason(inside: Engine) -> None:
    """None of our recordings may end so; so the ends are put on a good one."""
    name = "openai/plain-stream"
    (whole,) = recorded(name)
    recordings = {str(end): (replace(whole, response=replace(whole.response, end=end)),) for end in End}
    reasons = unplayable(inside, recordings)
    assert reasons.keys() == set(End) - {End.COMPLETE}
    for end, reason in reasons.items():
        assert f"POST {whole.request.uri} ended as {end}: the vcr engine plays complete exchanges" in reason


@pytest.mark.real_streams
@pytest.mark.skipif(not STREAMS.is_dir(), reason="needs ../shared/real-streams")
def test_a_bare_client_sees_the_same_of_every_real_stream() -> None:
    streams = [entry for entry in read_corpus(STREAMS) if isinstance(entry, CorpusStream)]
    assert len(streams) >= 81
    found = {engine: _on_streams(engine, streams) for engine in EngineName}
    assert found[EngineName.WIRE] == found[EngineName.VCR]


def _on_streams(name: EngineName, streams: list[CorpusStream]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    with opened(name) as engine:
        for entry in streams:
            interaction = plain_address(entry.interaction)
            call = stream_call(entry.provider, interaction)
            found[entry.id] = seen(observed(engine, (interaction,), call, "openai"))
    return found
