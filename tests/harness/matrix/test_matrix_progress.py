"""Progress of a matrix: a bar on a terminal, a line for each pair elsewhere."""

from __future__ import annotations

import io
import re
import sys

import pytest

from llm_contracts.matrix.progress import matrix_progress, outcome
from llm_contracts.matrix.table import Cell, CellState
from tests.harness.matrix.cells import PINNED, cell, difference, pair


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_how_far_it_is_and_what_came_of_each_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("COLUMNS", "150")
    with matrix_progress(2) as done:
        done(cell(pair("1.84.8"), difference()))
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert "1 of 2: LiteLLM 1.84.8 with openai 2.54.0: 3 scenarios, 1 differ" in text
    assert re.search(r"matrix 1/2 \S+ +.*LiteLLM 1.84.8 with openai 2.54.0", text)


def test_elsewhere_each_pair_is_a_line_with_the_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with matrix_progress(2) as done:
        done(cell(PINNED))
        done(Cell(pair=pair("1.1.0"), state=CellState.FAILED, reason="No."))
    first, last = capsys.readouterr().err.splitlines()
    assert first == f"1 of 2: {PINNED}: 3 scenarios, 0 differ; about 1 min left"
    assert last == "2 of 2: LiteLLM 1.1.0 with openai 2.54.0: could not be tried: No."


def test_what_was_not_tried_is_told_from_what_failed() -> None:
    never = Cell(pair=pair("1.82.7"), state=CellState.UNSUPPORTED, reason="It stole.")
    assert outcome(never) == "LiteLLM 1.82.7 with openai 2.54.0: not tried: It stole."
