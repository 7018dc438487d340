"""Whoever plays alone has nobody beside it, and everybody else goes on afterwards."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from llm_contracts.run.turns import Turns

_SOON = 10.0


def test_turns_beside_others_run_at_once() -> None:
    turns, both = Turns(), Barrier(2, timeout=_SOON)

    def play() -> None:
        with turns.beside_others():
            both.wait()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(play), pool.submit(play)]:
            done.result(_SOON)


def test_a_turn_alone_waits_for_those_that_play_and_holds_up_those_that_come_later() -> None:
    turns, order = Turns(), list[str]()
    playing, end, asked = Event(), Event(), Event()

    def first() -> None:
        with turns.beside_others():
            playing.set()
            assert end.wait(_SOON)
            order.append("first")

    def alone() -> None:
        playing.wait(_SOON)
        asked.set()
        with turns.alone():
            order.append("alone begins")
            late.append(pool.submit(later))
            order.append("alone ends")

    def later() -> None:
        with turns.beside_others():
            order.append("later")

    with ThreadPoolExecutor(3) as pool:
        late = list[object]()
        started = [pool.submit(first), pool.submit(alone)]
        assert asked.wait(_SOON)
        end.set()
        for done in started:
            done.result(_SOON)
    assert order == ["first", "alone begins", "alone ends", "later"]


def test_whoever_fails_alone_or_beside_others_gives_the_turn_back() -> None:
    turns = Turns()
    for turn in (turns.alone, turns.beside_others, turns.alone):
        with pytest.raises(ValueError, match="as it was"), turn():
            raise ValueError("as it was")
