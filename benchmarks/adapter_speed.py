"""The adapter over LiteLLM against its legacy clients: processor time per call and per delta, first delta.

Recorded bytes come from a provider in another process over real sockets; totals, telemetry and the
translation of errors are on. For comparison: LiteLLM's own stream, as an application without this adapter
reads it. Calls are driven as by `check --cost`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from benchmarks.measure import Figure, Size, figure, race
from benchmarks.product import Caller, callers
from benchmarks.provider import provider
from llm_adapter import LLMError
from llm_adapter.backends.litellm import library
from llm_contracts.clients.call import Call, Client
from llm_contracts.cost.measure import Driver, MeasuringPlan, PlannedCall, garbage_frozen, timed

_SHORT, _LONG = 8, 1000  # chunks
_PROMISED = {"short": 1.2, "long": 0.5}
_ARRIVALS = (
    (f"{_LONG}x0x100", f"{_LONG} deltas in pieces of 100", 0.6),
    ("200x1", "200 deltas that arrive a millisecond apart", 0.5),
)


def run(size: Size) -> Iterable[Figure]:
    """Measure short calls, long streams, the way to the first delta, and a refusal."""
    rounds = 15 if size is Size.FULL else 5
    with provider() as address:
        short, long = (_call(f"{address}/{chunks}x0") for chunks in (_SHORT, _LONG))
        with callers(short.base_url) as few, callers(long.base_url) as many:
            plan = MeasuringPlan(
                clients={
                    **{way: _client({short.base_url: few[way], long.base_url: many[way]}) for way in few},
                    "LiteLLM itself": _litellm_itself,
                },
                short=PlannedCall(call=short, chunks=_SHORT, text=0),
                long=PlannedCall(call=long, chunks=_LONG, text=0),
            )
            with garbage_frozen():
                times = timed(plan, Driver(), rounds=rounds)
        for what, about in (("short", "a short call"), ("long", f"{_LONG} deltas")):
            took = {name: [getattr(each, what) for each in rows] for name, rows in times.items()}
            for name, at_most in (("litellm", _PROMISED[what]), ("LiteLLM itself", None)):
                ratios = [mine / legacy for mine, legacy in zip(took[name], took["legacy"], strict=True)]
                yield figure(f"processor time of {about}, {name} / legacy", ratios, at_most=at_most)
            yield figure(f"{about} over LiteLLM", [each * 1000 for each in took["litellm"]], unit="ms")
        pairs = zip(times["litellm"], times["legacy"], strict=True)
        later = [(ours.first - theirs.first) * 1000 for ours, theirs in pairs]
        yield figure("first delta later than legacy", later, unit="ms", at_most=3.0)
        with callers(f"{address}/refused") as ways:
            refused = {name: partial(_refused, caller) for name, caller in ways.items()}
            timing = race(refused, rounds=rounds, clock=time.process_time)
        yield timing.ratio("litellm", "legacy", about="processor time of a call that is refused", at_most=2.0)
        for form, about, at_most in _ARRIVALS:
            with callers(f"{address}/{form}") as ways:
                reads = {name: caller.read for name, caller in ways.items()}
                timing = race(reads, rounds=rounds, clock=time.process_time)
            yield timing.ratio("litellm", "legacy", about=f"processor time of {about}", at_most=at_most)


def _call(address: str) -> Call:
    return Call(base_url=address, api_key="sk-benchmark-nobody", provider="openai", model="gpt-4o")


def _client(by_address: dict[str, Caller]) -> Client:
    """The adapter as a client that `Driver` reads."""

    def client(call: Call) -> Iterator[Any]:
        for piece in by_address[call.base_url].stream():
            yield {"choices": [{"index": 0, "delta": {"content": piece.result}}]}

    return client


def _litellm_itself(call: Call) -> Iterator[Any]:
    """The same call without the adapter, by LiteLLM's documented means."""
    # A generator: LiteLLM's own object can be read asynchronously as well, and `Driver` would do so.
    yield from library().completion(
        model="openai/gpt-4o",
        api_base=f"{call.base_url}/v1",
        api_key=call.api_key,
        messages=[{"role": "user", "content": "Tell me about tea."}],
        stream=True,
        stream_options={"include_usage": True},
    )


def _refused(caller: Caller) -> None:
    with suppress(LLMError):
        caller.read()
        raise AssertionError
