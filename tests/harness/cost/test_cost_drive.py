"""One call and its clocks. Time is made up, except where a path hangs."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from llm_contracts.clients.call import Call
from llm_contracts.cost.measure import CannotMeasureError, Driver

CALL = Call(base_url="http://127.0.0.1:9", api_key="sk-secret-key", provider="acme", model="m")


@dataclass
class Machine:
    """A processor that works only when told to, and a wall clock that goes with it."""

    used: float = 0.0
    now: float = 0.0
    backlog: float = 0.0  # work of other threads, done while somebody sleeps

    def work(self, seconds: float) -> None:
        self.used += seconds
        self.now += seconds

    def sleep(self, seconds: float) -> None:
        done = min(seconds, self.backlog)
        self.backlog -= done
        self.used += done
        self.now += seconds

    @property
    def driver(self) -> Driver:
        return Driver(cpu=lambda: self.used, wall=lambda: self.now, sleep=self.sleep)


def text(content: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": content}}]}


def test_a_call_takes_the_processor_time_until_its_end_and_until_its_first_text() -> None:
    machine = Machine()

    def path(_call: Call) -> Iterator[Any]:
        machine.work(0.25)
        yield text("")
        machine.work(0.25)
        yield text("tea")
        machine.work(0.5)

    taken = machine.driver.cost(path, CALL)
    assert (taken.cpu, taken.first) == (1.0, 0.5)


def test_work_that_other_threads_go_on_with_belongs_to_the_call() -> None:
    machine = Machine()

    def path(_call: Call) -> Iterator[Any]:
        yield text("tea")
        machine.backlog = 0.3

    assert machine.driver.cost(path, CALL).cpu == pytest.approx(0.3)
    assert machine.backlog == 0


def test_an_asynchronous_path_is_read_as_well() -> None:
    async def path(_call: Call) -> AsyncIterator[Any]:
        yield text("green")
        yield text("tea")

    assert Machine().driver.text(path, CALL) == 8


def test_the_peak_is_what_was_held_at_once_and_not_what_is_left() -> None:
    def path(_call: Call) -> Iterator[Any]:
        held = bytearray(3_000_000)
        yield text(str(len(held)))

    assert 3_000_000 <= Driver().peak(path, CALL) < 4_000_000


def failing(call: Call) -> Iterator[Any]:
    yield text("tea")
    raise ValueError(f"{call.api_key} is wrong")


def nonsense(_call: Call) -> Iterator[Any]:
    yield 17


def silent(_call: Call) -> Iterator[Any]:
    yield text("")


def leaving(_call: Call) -> Iterator[Any]:
    yield text("tea")
    raise SystemExit


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (failing, "it fails: ValueError, [api key] is wrong"),
        (nonsense, "it yields an object of type int"),
        (silent, "it hands on no text"),
        (leaving, "it fails: SystemExit"),
    ],
)
def test_a_call_that_went_wrong_has_no_cost_but_a_reason_without_secrets(path: Any, reason: str) -> None:
    with pytest.raises(CannotMeasureError) as error:
        Machine().driver.cost(path, CALL)
    assert str(error.value).startswith(reason)


def test_a_call_without_an_end_is_given_up() -> None:
    over = threading.Event()

    def path(_call: Call) -> Iterator[Any]:
        over.wait(30)
        yield text("late")

    with pytest.raises(CannotMeasureError, match="no end within"):
        Driver(timeout=0.05).text(path, CALL)
    over.set()
