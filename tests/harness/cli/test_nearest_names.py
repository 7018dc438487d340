"""A name that does not exist is answered with the nearest ones that do."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_contracts.cli import run
from llm_contracts.cli.exit_codes import Exit

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("line", "nearest"),
    [
        pytest.param("chekc", "check", id="command"),
        pytest.param("review shwo", "show", id="command of a command"),
        pytest.param("record --mising", "--missing", id="option"),
        pytest.param("check --engine wier", "wire", id="value"),
        pytest.param("check --sweep end", "ends", id="kind of variant"),
        pytest.param("doctor --area secret", "secrets", id="area"),
        pytest.param("check --provider opnai", "openai", id="provider"),
        pytest.param("verdict deepseak", "deepseek", id="provider as an argument"),
        pytest.param("check --scenario plan-stream", "plain-stream", id="scenario"),
        pytest.param("check --scenario openai/plan-stream", "openai/plain-stream", id="provider's scenario"),
        pytest.param(
            "check --scenario plain-stream --candidate adapter-litelm", "adapter-litellm", id="path"
        ),
        pytest.param("completion bahs", "bash", id="shell"),
    ],
)
def test_the_nearest_name_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, nearest: str
) -> None:
    monkeypatch.chdir(ROOT)
    assert run(line.split()) == Exit.USAGE
    shown = capsys.readouterr()
    assert nearest in shown.err
    assert shown.out == ""
