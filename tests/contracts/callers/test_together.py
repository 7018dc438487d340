"""Calls that are under way at the same time: nothing of one gets into another."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from typing import Any

from llm_adapter import Adapter
from tests.contracts.callers.calling import Ear, Played, said
from tests.contracts.callers.conftest import Calling, Play

ONE, OTHER = "openai/plain-stream", "deepseek/system-prompt"
THREADS = 8


def answered(adapter: Adapter, line: Played, span: Any = None) -> bool:
    return line.gave(adapter.chat_llm(None, "user-1", span, **line.question))


def sent_its_own(line: Played) -> bool:
    """Whether this provider has seen its own key and question, and no others."""
    sent = [(dict(request.headers), json.loads(request.body)) for request in line.session.requests()]
    keys = {{name.lower(): value for name, value in headers.items()}["authorization"] for headers, _ in sent}
    asked = [{"model": body["model"], "messages": body["messages"]} for _, body in sent]
    return keys == {f"Bearer {line.key}"} and asked == [line.question] * len(sent)


def test_a_caller_in_a_thread_is_answered(play: Play, calling: Calling) -> None:
    line, ear, answers = play(ONE), Ear(), list[bool]()
    adapter = calling(line)
    thread = threading.Thread(target=lambda: answers.append(answered(adapter, line, ear)))
    thread.start()
    thread.join(30)
    assert (answers, len(ear.ends)) == ([True], 1)


def test_two_providers_in_many_threads_are_kept_apart(play: Play, calling: Calling) -> None:
    """All threads begin together, on one adapter; each second one asks the other provider."""
    lines = (play(ONE), play(OTHER))
    adapter = calling(*lines)
    begin = threading.Barrier(THREADS, timeout=30)

    def ask(number: int) -> bool:
        begin.wait()
        return all(answered(adapter, lines[number % 2]) for _ in range(5))

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(ask, range(THREADS))) == [True] * THREADS
    assert lines[0].facts.text != lines[1].facts.text
    assert [sent_its_own(line) for line in lines] == [True, True]


def test_two_streams_read_in_turns_by_one_caller_are_kept_apart(play: Play, calling: Calling) -> None:
    lines, ears = (play(ONE), play(OTHER)), (Ear(), Ear())
    adapter = calling(*lines)
    streams = [
        adapter.chat_llm(None, "user-1", ear, **line.question) for line, ear in zip(lines, ears, strict=True)
    ]
    heard = zip(*zip_longest(*streams), strict=True)
    texts = [said(filter(None, pieces)) for pieces in heard]
    assert texts == [line.facts.text for line in lines]
    assert [ear.ends[0]["output"] for ear in ears] == texts


def test_a_sync_call_inside_a_coroutine_is_answered(play: Play, calling: Calling) -> None:
    """It blocks the loop, as it always did, and needs no loop of its own (R03)."""
    line, ear = play(ONE), Ear()
    adapter = calling(line)

    async def caller() -> bool:
        return answered(adapter, line, ear)

    assert asyncio.run(caller())
    assert len(ear.ends) == 1


def test_calls_in_worker_threads_of_a_running_loop_are_kept_apart(play: Play, calling: Calling) -> None:
    lines = (play(ONE), play(OTHER))
    adapter = calling(*lines)

    async def caller() -> list[bool]:
        asked = (asyncio.to_thread(answered, adapter, lines[number % 2]) for number in range(THREADS))
        return await asyncio.gather(*asked)

    assert asyncio.run(caller()) == [True] * THREADS
    assert [sent_its_own(line) for line in lines] == [True, True]


def test_a_stream_may_be_advanced_by_a_different_thread_each_time(play: Play, calling: Calling) -> None:
    """As web frameworks do that put each step of a sync generator into their pool."""
    line, ear = play(ONE), Ear()
    stream = calling(line).chat_llm(None, "user-1", ear, **line.question)

    def advance() -> Any:
        heard: list[Any] = []
        thread = threading.Thread(target=lambda: heard.append(next(stream, None)))
        thread.start()
        thread.join(30)
        return heard[0]

    assert line.gave(iter(advance, None))
    assert len(ear.ends) == 1
