"""The two engines as a run opens them."""

from __future__ import annotations

import sys
from datetime import date

import pytest

from llm_contracts.project.config import ConfigError
from llm_contracts.run.engines import EngineName, opened
from llm_contracts.run.options import Options
from llm_contracts.wire.interaction import Piece
from llm_contracts.wire.proxy.playback_options import Fragmentation, Pieces
from tests.harness.wire.exchanges import ask, stream, streamed

TODAY = date(2026, 11, 22)
BODY = stream("a", "b")
SLOW = streamed(BODY, pieces=(Piece(size=10, at_ms=20_000), Piece(size=len(BODY) - 10, at_ms=60_000)))


@pytest.mark.parametrize(("speed", "seconds"), [(None, 0), (1, 60), (10, 6), (float("inf"), 0)])
def test_the_time_a_recording_takes_is_no_part_of_a_path_s_time_limit(
    speed: float | None, seconds: float
) -> None:
    with opened(EngineName.WIRE, speed=speed) as engine, engine((SLOW,)) as play:
        assert play.seconds == pytest.approx(seconds)


def test_the_vcr_engine_without_vcrpy_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vcr", None)
    with pytest.raises(ConfigError, match=r"pip install 'llm-contracts\[vcr\]'"), opened(EngineName.VCR):
        pass


def test_pieces_and_speed_reach_the_socket() -> None:
    with opened(EngineName.WIRE, pieces=Fragmentation.ONE, speed=1e9) as engine, engine((SLOW,)) as play:
        assert play.origin is not None
        assert ask(play.origin) == BODY
        assert play.session.events_sent() == 4


@pytest.mark.parametrize(
    ("engine", "pieces", "caveats"),
    [
        (EngineName.WIRE, None, 0),
        (EngineName.WIRE, 1, 1),
        (EngineName.WIRE, Fragmentation.ONE, 1),
        (EngineName.VCR, None, 1),
    ],
)
def test_a_run_that_cannot_see_lateness_says_so(
    engine: EngineName, pieces: Pieces | None, caveats: int
) -> None:
    said = Options(today=TODAY, engine=engine, pieces=pieces).caveats
    assert len(said) == caveats
    assert all("delivery_lag" in sentence for sentence in said)
