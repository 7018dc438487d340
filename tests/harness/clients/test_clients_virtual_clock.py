"""Pauses between attempts are noted and not waited for; everybody else's time goes on as ever."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from functools import partial

import pytest

from llm_contracts.clients.builtin import openai, openai_async
from llm_contracts.clients.call import Call, Client
from llm_contracts.clients.observation import Observation
from llm_contracts.clients.observe import observe
from llm_contracts.clients.session import SessionLike
from llm_contracts.clients.virtual_clock import SHORTEST, Pauses, virtual_time
from llm_contracts.wire.interaction import Interaction, Request, Response
from llm_contracts.wire.proxy.server import Edge

URL = "https://api.example.com/v1/chat/completions"
REQUEST = Request(method="POST", uri=URL)
CALL = Call(base_url="", api_key="sk-none", provider="x", model="m", messages=({"role": "user"},))
LONG = 30.0  # seconds; far more than any of these tests takes


class Session(SessionLike):
    """As many requests have arrived as the path says."""

    def __init__(self) -> None:
        self.sent = 0

    def requests(self) -> tuple[Request, ...]:
        return (REQUEST,) * self.sent

    def events_sent(self) -> int | None:
        return None

    def delivered(self, text: int, reasoning: int = 0, arguments: int = 0, others: int = 0, /) -> None:
        pass

    def abort(self) -> None:
        pass


def seen(path: Client, session: Session, *, skip_pauses: bool = True, timeout: float = 90.0) -> Observation:
    return observe(path, CALL, name="mine", session=session, timeout=timeout, skip_pauses=skip_pauses)


def backing_off(session: Session, *pauses: float) -> Client:
    """A request, and then each pause followed by another."""

    def path(_call: Call) -> Iterator[str]:
        session.sent += 1
        for pause in pauses:
            time.sleep(pause)
            session.sent += 1
        yield "Hello"

    return path


def test_pauses_are_what_was_asked_for_and_take_no_time() -> None:
    session = Session()
    observed = seen(backing_off(session, LONG, 0.5), session)
    assert (observed.pauses, observed.text) == ((LONG, 0.5), "Hello")
    assert observed.duration_ms < 1000 * LONG


def test_pauses_in_several_naps_are_one_and_one_without_any_is_nought() -> None:
    session = Session()

    def path(_call: Call) -> Iterator[str]:
        time.sleep(9)  # before the first request: no pause between attempts
        session.sent += 1
        time.sleep(1)
        time.sleep(2)
        session.sent += 2
        time.sleep(9)  # nothing is sent after it
        yield "Hello"

    assert seen(path, session).pauses == (3.0, 0.0)


def test_without_being_told_to_skip_a_path_sleeps_really_and_nothing_is_known() -> None:
    session = Session()
    observed = seen(backing_off(session, SHORTEST), session, skip_pauses=False)
    assert observed.pauses is None
    assert observed.duration_ms >= 1000 * SHORTEST


def test_polling_is_no_pause() -> None:
    session = Session()
    assert seen(backing_off(session, SHORTEST / 2), session).pauses == (0.0,)


def test_a_path_that_sleeps_for_ever_still_runs_into_its_limit() -> None:
    session = Session()
    ended = threading.Event()

    def path(_call: Call) -> Iterator[str]:
        time.sleep(1.5)
        ended.set()
        yield "late"

    failure = seen(path, session, timeout=0.1).failure
    assert failure is not None
    assert failure.category == "hang"
    assert ended.wait(60)


def test_other_threads_sleep_as_ever_and_in_the_end_nothing_is_replaced() -> None:
    really = time.sleep
    slept: list[float] = []
    pauses = Pauses(sent=lambda: 1, budget=LONG)

    def other() -> None:
        begun = time.monotonic()
        time.sleep(SHORTEST)
        slept.append(time.monotonic() - begun)

    with virtual_time(pauses):
        assert time.sleep is not really
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert time.sleep is really
    assert slept[0] >= SHORTEST
    assert pauses.between(2) == (0.0,)


def test_observations_may_overlap_and_nobody_puts_back_what_another_still_needs() -> None:
    really = time.sleep
    outer, inner = (Pauses(sent=lambda: 1, budget=LONG) for _ in range(2))
    first, second = virtual_time(outer), virtual_time(inner)
    first.__enter__()
    second.__enter__()
    time.sleep(1)
    second.__exit__(None, None, None)
    time.sleep(2)
    first.__exit__(None, None, None)
    assert (outer.between(2), inner.between(2)) == ((2.0,), (1.0,))
    assert time.sleep is really


def test_whoever_replaces_sleep_meanwhile_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    with virtual_time(Pauses(sent=lambda: 1, budget=LONG)):
        monkeypatch.setattr(time, "sleep", asked.append)
    time.sleep(LONG)
    assert asked == [LONG]


def test_what_runs_in_a_worker_with_the_context_of_the_path_is_part_of_it() -> None:
    session = Session()

    def path(_call: Call) -> Iterator[str]:
        session.sent += 1
        asyncio.run(asyncio.to_thread(partial(time.sleep, LONG)))
        session.sent += 1
        yield "Hello"

    assert seen(path, session).pauses == (LONG,)


def test_an_async_path_sleeps_on_a_virtual_clock_too() -> None:
    session = Session()

    async def path(_call: Call) -> AsyncIterator[str]:
        session.sent += 1
        await asyncio.sleep(LONG)
        await asyncio.sleep(0)
        session.sent += 1
        yield "Hello"

    observed = seen(path, session)
    assert (observed.pauses, observed.text) == ((LONG,), "Hello")
    assert observed.duration_ms < 1000 * LONG


def test_the_time_limits_of_an_async_path_are_real() -> None:
    """And no pauses: a client that gives up waiting does not mean to wait."""
    session = Session()

    async def path(_call: Call) -> AsyncIterator[str]:
        session.sent += 1
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * SHORTEST):
                await asyncio.Event().wait()
        session.sent += 1
        yield "Hello"

    observed = seen(path, session)
    assert observed.pauses == (0.0,)
    assert observed.duration_ms >= 2000 * SHORTEST


def test_an_async_path_that_is_not_to_skip_sleeps_really() -> None:
    async def path(_call: Call) -> AsyncIterator[str]:
        await asyncio.sleep(SHORTEST)
        yield "Hello"

    observed = seen(path, Session(), skip_pauses=False)
    assert observed.pauses is None
    assert observed.duration_ms >= 1000 * SHORTEST


@pytest.mark.parametrize("path", [openai, openai_async])
def test_the_sdk_s_own_pauses_are_seen_over_a_real_socket(path: Client) -> None:
    """One that the provider asks for, to the letter, and one of the SDK's own choosing."""
    refused = json.dumps({"error": {"message": "slow down"}}).encode()
    kind = ("content-type", "application/json")
    recorded = tuple(
        Interaction(request=REQUEST, response=Response(status=429, headers=(kind, *more), body=refused))
        for more in ((("retry-after", "20"),), (), ())
    )
    with Edge() as edge, edge.replay(recorded) as session:
        call = Call(base_url=session.origin + "/v1", api_key="sk-none", provider="x", model="m")
        observed = observe(path, call, name="sdk", session=session, timeout=60, skip_pauses=True)
    assert len(observed.requests) == 3
    assert observed.pauses is not None
    asked_for, own = observed.pauses
    assert asked_for == 20
    assert 0.75 <= own <= 1
    assert observed.duration_ms < 20_000
