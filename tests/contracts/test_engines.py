"""Two replay engines, one truth: whatever a client sees over a real socket, piece by piece, it sees inside
the process, in whole bodies.

A bare client is held against itself on every real stream; `test_contracts` does it with our clients on every
recording. What the engine inside cannot play is told by name and reason, and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llm_contracts import Interaction
from llm_contracts.corpus import CorpusStream, read_corpus
from llm_contracts.project.recorded_call import stream_call
from llm_contracts.run.engines import Engine, EngineName, UnplayableError, opened
from llm_contracts.run.streams import plain_address
from llm_contracts.wire.interaction import End
from tests.contracts.callers.played import observed, seen
from tests.contracts.recorded import RECORDED, recorded

pytestmark = pytest.mark.long

STREAMS = Path(__file__).parents[3] / "shared" / "real-streams"


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
