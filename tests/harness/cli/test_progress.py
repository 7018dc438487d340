"""Progress on long work: how much is done, and how long the rest will take. Nothing where nobody looks."""

from __future__ import annotations

import io
from contextlib import redirect_stderr

import pytest
from rich.progress import Progress, Task

from llm_contracts.util.terminal import TimeLeft, progress_bar


class Terminal(io.StringIO):
    """A terminal that keeps what is drawn on it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person's terminal, whatever runs this."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")


def drawn_on(place: io.StringIO) -> str:
    """What two recordings of three leave there."""
    with redirect_stderr(place), progress_bar("check", 3) as done:
        done("openai/plain-stream")
        done("openai/rate-limit")
    return place.getvalue()


def after(done: int, seconds: float, *, total: int | None) -> Task:
    """A task of which so much is done after so long, at an even pace."""
    now = [0.0]
    progress = Progress(get_time=lambda: now[0], speed_estimate_period=600)
    task = progress.add_task("check", total=total)
    for _ in range(done):
        now[0] += seconds / done
        progress.advance(task)
    return progress.tasks[0]


@pytest.mark.parametrize(
    ("done", "seconds", "total", "left"),
    [
        pytest.param(30, 30.0, 230, "3:20 left", id="at the pace so far"),
        pytest.param(100, 1.0, 101, "0:01 left", id="never less than a second, before the end"),
        pytest.param(0, 1.0, 10, "", id="not known before anything is done"),
        pytest.param(5, 5.0, 5, "", id="nothing is left at the end"),
        pytest.param(5, 5.0, None, "", id="not known where nobody counted"),
    ],
)
def test_the_time_left_is_told_where_it_is_known(
    done: int, seconds: float, total: int | None, left: str
) -> None:
    assert TimeLeft().render(after(done, seconds, total=total)).plain == left


def test_a_terminal_is_shown_what_was_done_last_and_of_how_many() -> None:
    drawn = drawn_on(Terminal())
    assert all(shown in drawn for shown in ("check", "2/3", "openai/rate-limit"))


def test_a_pipe_is_shown_nothing() -> None:
    assert drawn_on(io.StringIO()) == ""


def test_a_log_that_pretends_to_be_a_terminal_is_shown_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert drawn_on(Terminal()) == ""
