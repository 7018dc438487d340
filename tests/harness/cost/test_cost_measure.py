"""Rounds of two clients, with a meter that says what each call takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from llm_contracts.clients.call import Call, Client
from llm_contracts.cost.measure import CallCost, MeasuringPlan, PlannedCall, measured
from llm_contracts.cost.model import Measure, ProviderCost
from tests.harness.cost.samples import FakeMeter


def old(_call: Call) -> Iterator[Any]:
    yield "never called"


def new(_call: Call) -> Iterator[Any]:
    yield "never called"


def answer(model: str, chunks: int) -> PlannedCall:
    call = Call(base_url="http://127.0.0.1:9", api_key="k", provider="acme", model=model)
    return PlannedCall(call=call, chunks=chunks, text=chunks * 10)


CLIENTS = {"reference": old, "candidate": new}
ROW = ProviderCost(provider="acme", reference="old")
PLAN = MeasuringPlan(clients=CLIENTS, short=answer("short", 8), long=answer("long", 108))
TEXTS = {"short": 80, "long": 1080}


def takes(path: Client, model: str) -> CallCost:
    """5 and 10 ms a call; 100 and 400 µs a chunk beyond those of the short answer."""
    per_call, per_chunk = (0.005, 100e-6) if path is old else (0.010, 400e-6)
    return CallCost(cpu=per_call + (100 * per_chunk if model == "long" else 0.0), first=per_call / 2)


def meter(**rules: Any) -> FakeMeter:
    return FakeMeter(**{"takes": takes, "texts": lambda _path, model: TEXTS[model], **rules})


def test_a_chunk_costs_what_the_long_answer_takes_more_than_the_short_one() -> None:
    found = measured(ROW, PLAN, meter(), rounds=3).found
    chunk, call = found[Measure.CPU_PER_CHUNK], found[Measure.CPU_PER_CALL]
    assert chunk.reference == pytest.approx(100.0)
    assert chunk.candidate == pytest.approx(400.0)
    assert call.ratio.median == pytest.approx(2.0)
    assert found[Measure.FIRST_DELTA].reference == pytest.approx(2.5)


def test_memory_is_the_peak_of_the_long_answer_and_counted_apart_from_time() -> None:
    used = meter(bytes=lambda path, _model: 200_000.0 if path is old else 1_400_000.0)
    peak = measured(ROW, PLAN, used, rounds=2).found[Measure.PEAK_MEMORY]
    assert (peak.reference, peak.ratio.median) == (200.0, 7.0)
    kinds = [kind for kind, _, _ in used.log]
    assert "cost" not in kinds[kinds.index("peak") :]
    assert {model for kind, _, model in used.log if kind == "peak"} == {"long"}


def test_each_round_is_begun_by_the_other_path() -> None:
    used = meter()
    measured(ROW, PLAN, used, rounds=3)
    began = [path for kind, path, _ in used.log if kind == "peak"]
    assert began == [old, new, new, old]


def test_cheap_calls_are_made_more_often_so_that_noise_does_not_swallow_them() -> None:
    used = meter()
    measured(ROW, PLAN, used, rounds=1)
    calls = [(path, model) for kind, path, model in used.log if kind == "cost"]
    assert calls.count((old, "short")) > calls.count((new, "short")) > calls.count((new, "long")) > 1


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (40, "the candidate cannot be measured: it hands on 40 of 80 characters"),
        ("it fails: server, oops", "the candidate cannot be measured: it fails: server, oops"),
    ],
)
def test_a_path_that_does_not_hand_on_the_text_is_not_cheap_but_not_measured(
    said: int | str, reason: str
) -> None:
    used = meter(texts=lambda path, model: said if path is new else TEXTS[model])
    found = measured(ROW, PLAN, used, rounds=2)
    assert not found.found
    assert found.missing == dict.fromkeys(Measure, reason)
    assert {kind for kind, _, _ in used.log} == {"text"}


def test_without_a_long_answer_calls_are_measured_and_chunks_are_not() -> None:
    course = MeasuringPlan(clients=CLIENTS, short=answer("short", 8), long=None, why="it is too short")
    found = measured(ROW, course, meter(), rounds=2)
    assert found.missing == {Measure.CPU_PER_CHUNK: "it is too short"}
    assert set(found.found) == set(Measure) - {Measure.CPU_PER_CHUNK}


def test_a_chunk_that_costs_less_than_the_noise_has_no_ratio() -> None:
    used = meter(takes=lambda _path, _model: CallCost(cpu=0.01, first=0.001))
    found = measured(ROW, PLAN, used, rounds=2)
    assert list(found.missing) == [Measure.CPU_PER_CHUNK]
    assert "noise" in found.missing[Measure.CPU_PER_CHUNK]
