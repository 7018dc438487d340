"""The adapter over LiteLLM against its legacy clients: processor time per call and per delta, first delta.

Recorded bytes come from a provider in another process over real sockets; totals, telemetry and the
translation of errors are on. For comparison: LiteLLM's own stream, as an application without this adapter
reads it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from benchmarks.measure import Figure, Size, figure, race
from benchmarks.product import Caller, callers
from benchmarks.provider import provider
from llm_adapter import LLMError
from llm_adapter.backends.litellm import library

_LONG = 1000  # chunks


def run(size: Size) -> Iterable[Figure]:
    """Measure short calls, long streams, and the way to the first delta."""
    rounds = 15 if size is Size.FULL else 5
    with provider() as address:
        yield from _short(address, rounds)
        yield from _long(address, rounds)
        yield from _first(address, 40 * rounds)
        yield from _refused(address, rounds)


def _short(address: str, rounds: int) -> Iterator[Figure]:
    with callers(f"{address}/8x0") as ways:
        timed = _race(ways, rounds, _litellm_itself(f"{address}/8x0/v1"))
        yield timed.ratio("litellm", "legacy", about="processor time of a short call", at_most=2.5)
        yield timed.ratio("LiteLLM itself", "legacy", about="the same")
        yield figure("a short call over LiteLLM", _milliseconds(timed.seconds["litellm"]), unit="ms")


def _long(address: str, rounds: int) -> Iterator[Figure]:
    with callers(f"{address}/{_LONG}x0") as ways:
        timed = _race(ways, rounds, _litellm_itself(f"{address}/{_LONG}x0/v1"))
        yield timed.ratio("litellm", "legacy", about=f"processor time of {_LONG} deltas", at_most=2.0)
        yield timed.ratio("LiteLLM itself", "legacy", about="the same")
        per_delta = [seconds / _LONG * 1e6 for seconds in timed.seconds["litellm"]]
        yield figure("one delta over LiteLLM", per_delta, unit="µs")


def _refused(address: str, rounds: int) -> Iterator[Figure]:
    with callers(f"{address}/refused") as ways:
        refused: dict[str, Callable[[], object]] = {
            name: partial(_refusal, caller) for name, caller in ways.items()
        }
        timed = race(refused, rounds=rounds, clock=time.process_time)
        yield timed.ratio("litellm", "legacy", about="processor time of a call that is refused")


def _refusal(caller: Caller) -> LLMError:
    try:
        caller.read()
    except LLMError as error:
        return error
    raise AssertionError


def _race(ways: Any, rounds: int, other: Callable[[], int]) -> Any:
    contenders: dict[str, Callable[[], object]] = {name: caller.read for name, caller in ways.items()}
    return race({**contenders, "LiteLLM itself": other}, rounds=rounds, clock=time.process_time)


def _litellm_itself(base_url: str) -> Callable[[], int]:
    """The same call without the adapter, by LiteLLM's documented means."""
    litellm = library()

    def read() -> int:
        stream = litellm.completion(
            model="openai/gpt-4o",
            api_base=base_url,
            api_key="sk-benchmark-nobody",
            messages=[{"role": "user", "content": "Tell me about tea."}],
            stream=True,
            stream_options={"include_usage": True},
        )
        return sum(1 for _ in stream)

    return read


def _first(address: str, calls: int) -> Iterator[Figure]:
    with callers(f"{address}/8x0") as ways:
        waits: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(calls):
            for name, caller in ways.items():
                waits[name].append(_until_first(caller))
        later = [ours - theirs for ours, theirs in zip(waits["litellm"], waits["legacy"], strict=True)]
        yield figure("first delta later than legacy", later, unit="ms", at_most=3.0)


def _until_first(caller: Caller) -> float:
    start = time.perf_counter()
    stream = caller.stream()
    next(stream)
    waited = (time.perf_counter() - start) * 1000
    for _ in stream:
        pass
    return waited


def _milliseconds(seconds: Iterable[float]) -> list[float]:
    return [each * 1000 for each in seconds]
