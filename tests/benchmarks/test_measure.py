"""What benchmarks compute, on a clock that the test moves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import document, found, main, title
from benchmarks.measure import Figure, Size, figure, percentile, race


class Clock:
    """Time passes only while somebody works."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def work(self, *seconds: float) -> Callable[[], None]:
        """Something that takes so long; in the last of the given times for ever after."""
        left = list(seconds)

        def action() -> None:
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return action


def test_a_ratio_is_taken_within_each_round() -> None:
    """A machine that is busy in one round is busy for both: 2 to 1, and then 20 to 10, is twice as long."""
    clock = Clock()
    warming = (0.5, 0.5)
    timed = race(
        {"ours": clock.work(*warming, 2, 20), "theirs": clock.work(*warming, 1, 10)},
        rounds=2,
        shortest=0.1,
        clock=clock,
    )
    ratio = timed.ratio("ours", "theirs", about="reading", at_most=1.5)
    assert (ratio.name, ratio.median, ratio.low, ratio.high) == ("reading, ours / theirs", 2, 2, 2)
    assert not ratio.kept


def test_what_is_quick_is_called_as_often_as_a_timing_needs() -> None:
    clock = Clock()
    timed = race({"quick": clock.work(0.001)}, rounds=3, shortest=0.02, clock=clock)
    assert timed.seconds["quick"] == pytest.approx([0.001] * 3)
    assert clock.now == pytest.approx(0.001 * (2 + 3 * 20))
    assert timed.rate("quick", 5, "MB/s").median == pytest.approx(5000)


def test_a_figure_has_the_middle_and_the_ends_of_its_values() -> None:
    shown = figure("delay", [3, 1, 2], unit="ms", at_most=2)
    assert (shown.median, shown.low, shown.high, shown.kept) == (2, 1, 3, True)
    assert percentile(range(101), 99) == 99


def test_the_result_says_of_each_promise_whether_it_was_kept() -> None:
    broken = Figure(name="a / b", median=3, low=2, high=4, at_most=2)
    result = document(Size.QUICK, {"some": [broken]})
    assert json.loads(json.dumps(result))["benchmarks"]["some"][0] == {
        "name": "a / b", "median": 3, "low": 2, "high": 4, "unit": "x", "at_most": 2, "kept": False,
    }  # fmt: skip


def test_every_benchmark_is_found_by_its_name_and_says_what_it_is() -> None:
    assert {"cassette_reading", "capture_delay", "edge_delay"} <= found().keys()
    assert all(title(module) for module in found().values())


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["casette_reading"], "There is no benchmark 'casette_reading'. Did you mean cassette_reading?"),
        (["zzz"], "There is no benchmark 'zzz'. Known: "),
        (["cassette_reading", "--json", "nowhere/x.json"], "There is no folder nowhere"),
    ],
)
def test_a_wrong_name_or_place_is_told_before_anything_is_measured(
    arguments: list[str], complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke(main, arguments)
    assert run.exit_code == 2
    assert complaint in run.output
