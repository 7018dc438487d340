"""Callers in processes of another kind: under gevent, and on both sides of a fork.

One process each, for both backends: importing LiteLLM takes seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.contracts.callers.calling import Played
from tests.contracts.callers.conftest import Play

pytestmark = pytest.mark.long

BACKENDS = ("legacy", "litellm")
HERE = Path(__file__).parent
ROOT = HERE.parents[2]
LIMIT = 120.0
"""Seconds; a program that hangs is ended."""


def run(
    lines: Sequence[Played], *program: str | Path, count: int
) -> tuple[list[tuple[str, Played]], subprocess.CompletedProcess[str]]:
    """The program, in a process that has nothing from ours; warnings are shown.

    Returns:
        Backend and provider of each job that it was given, and what became of it.
    """
    jobs = [(backend, line) for line in lines for backend in BACKENDS]
    told = [
        {"environ": {**line.environ, "LLM_BACKEND": backend}, "question": line.question}
        for backend, line in jobs
    ]
    ran = subprocess.run(
        [sys.executable, "-W", "default", *program, json.dumps({"jobs": told, "count": count})],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return jobs, ran


COMPLAINTS = ("running event loop", "was never awaited", "Non-thread-safe operation", "Traceback")


def test_twenty_greenlets_are_answered_without_a_complaint(play: Play) -> None:
    """LiteLLM's logging runs an event loop for each chunk, in threads that are greenlets here (R03)."""
    lines = [play(f"{provider}/plain-stream") for provider in ("openai", "ernie_v1", "dify", "gemini")]
    jobs, ran = run(lines, "-m", "gevent.monkey", HERE / "greenlets.py", count=20)
    told = json.loads(ran.stdout)
    assert told["sockets"].startswith("gevent")
    assert told["answers"] == [[line.facts.text] * 20 for _, line in jobs]
    assert [len(line.asked) for line in lines] == [20 * len(BACKENDS)] * len(lines)
    assert [words for words in COMPLAINTS if words in ran.stderr] == [], ran.stderr


def test_after_a_fork_parent_and_child_are_answered_and_recorded(play: Play) -> None:
    """Though the parent has called before, and both go on at the same time: on one socket, they would take
    pieces out of each other's answers.
    """
    # Two that end without `[DONE]`, after which the SDK would keep no connection.
    lines = [play(name, patience=0.04) for name in ("openai/no-done", "gemini/plain-stream")]
    jobs, ran = run(lines, HERE / "forking.py", count=3)
    for (backend, line), seen in zip(jobs, json.loads(ran.stdout), strict=True):
        whole = {"text": line.facts.text, "recorded": ["run", "user_follow_ask"]}
        expected = {"before": whole, "child": [whole] * 3, "parent": [whole] * 3, "later": whole}
        place = (backend, line.scenario.name)
        assert (*place, seen) == (*place, expected), ran.stderr
