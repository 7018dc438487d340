"""A caller that wants no more, however it shows that: the provider is rid of it at once."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from tests.contracts.callers.calling import Ear, Played
from tests.contracts.callers.conftest import Calling, Play

Stream = Generator[Any, None, None]


@pytest.fixture(autouse=True)
def _only_what_is_new_is_collected() -> Iterator[None]:
    """Everything that the process has loaded need not be looked through for one lost stream."""
    gc.freeze()
    yield
    gc.unfreeze()


PATIENCE = 60.0
"""Seconds for which the provider would go on holding the line: far longer than "at once"."""


def break_off(held: list[Stream]) -> None:
    for piece in held.pop():
        assert piece.result
        break


def raise_in_the_loop(held: list[Stream]) -> None:
    """As an application whose own work on a piece fails."""
    with pytest.raises(LookupError):
        work_on(held.pop())


def work_on(stream: Stream) -> None:
    for piece in stream:
        raise LookupError(piece.id)


def forget(held: list[Stream]) -> None:
    next(held[0])
    held.clear()


def close(held: list[Stream]) -> None:
    next(held[0])
    held[0].close()


def throw(held: list[Stream]) -> None:
    next(held[0])
    with pytest.raises(KeyboardInterrupt):
        held[0].throw(KeyboardInterrupt())


def forget_in_a_cycle(held: list[Stream]) -> None:
    """As an object that refers to itself and holds the stream: only the garbage collector frees it.

    A full collection finalises its generations in the order 2, 0, 1. Where a small one has run since the
    stream was made, the stream is in 1 and its socket in 0, which then complains that nobody has closed it.
    So the stream is made the eldest.
    """
    gc.collect()
    knot: list[Any] = [held.pop()]
    knot.append(knot)
    next(knot[0])
    del knot
    gc.collect()


def close_in_another_thread(held: list[Stream]) -> None:
    next(held[0])
    thread = threading.Thread(target=held[0].close)
    thread.start()
    thread.join()


LEAVING = (break_off, raise_in_the_loop, forget, close, throw, forget_in_a_cycle, close_in_another_thread)


def rid_of(line: Played) -> bool:
    """Whether the provider has nobody on the line, soon."""
    deadline = time.monotonic() + PATIENCE / 6
    while line.session.exchanges_open() and time.monotonic() < deadline:
        time.sleep(0.005)
    return not line.session.exchanges_open()


# One provider for each way to send a request: by the SDK, and by what speaks to those it cannot speak to.
PROVIDERS = ("openai", "ernie_v1", "dify", "gemini")


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("leave", LEAVING, ids=lambda leave: leave.__name__)
def test_a_caller_that_stops_after_the_first_piece_frees_the_provider_at_once(
    play: Play, calling: Calling, provider: str, leave: Callable[[list[Stream]], None]
) -> None:
    """And telemetry hears of one end: that of a call that was left."""
    line, ear = play(f"{provider}/plain-stream", patience=PATIENCE), Ear()
    leave([calling(line).chat_llm(None, "user-1", ear, **line.question)])
    assert rid_of(line)
    assert 0 < line.session.events_sent() < line.facts.events
    assert len(line.asked) == 1
    assert (ear.begun, [end["level"] for end in ear.ends]) == (1, ["WARNING"])
    assert line.facts.text.startswith(ear.ends[0]["output"])
    assert ear.ends[0]["output"]


def test_a_stream_that_is_held_but_not_read_keeps_the_line(play: Play, calling: Calling) -> None:
    """What the tests above see is the leaving, not some end of the stream by itself."""
    line, ear = play("openai/plain-stream", patience=PATIENCE), Ear()
    stream = calling(line).chat_llm(None, "user-1", ear, **line.question)
    next(stream)
    time.sleep(0.1)
    assert (line.session.exchanges_open(), ear.ends) == (1, [])
    stream.close()


@pytest.mark.parametrize("name", ["invoke_llm", "chat_llm"])
@pytest.mark.parametrize(("closed", "ends"), [(True, ["WARNING"]), (False, [])])
def test_a_stream_that_is_never_advanced_sends_nothing_and_is_a_call_only_if_it_is_closed(
    play: Play, calling: Calling, name: str, closed: bool, ends: list[str]
) -> None:
    line, ear = play("openai/plain-stream"), Ear()
    adapter = calling(line)
    question = line.question if name == "chat_llm" else {"model": line.scenario.model, "message": "hi"}
    stream = getattr(adapter, name)(None, "user-1", ear, **question)
    if closed:
        stream.close()
    del stream
    assert line.session.requests() == ()
    assert (ear.begun, [end["level"] for end in ear.ends]) == (len(ends), ends)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_after_a_caller_has_left_the_next_call_is_answered_whole(
    play: Play, calling: Calling, provider: str
) -> None:
    """The connection that was left in mid-answer is not used again with the rest of that answer in it."""
    line = play(f"{provider}/plain-stream")
    adapter = calling(line)
    for _ in range(3):
        stream = adapter.chat_llm(None, "user-1", None, **line.question)
        next(stream)
        stream.close()
        assert line.gave(adapter.chat_llm(None, "user-1", None, **line.question))
