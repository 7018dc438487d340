"""Callers in processes of another kind: under gevent, and on both sides of a fork.

One process each, for both backends: importing LiteLLM takes seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.contracts.callers.calling import Played
from tests.contracts.callers.conftest import Play

BACKENDS = ("legacy", "litellm")
HERE = Path(__file__).parent
ROOT = HERE.parents[2]
LIMIT = 120.0
"""Seconds; a program that hangs is ended."""


def run(line: Played, *program: str | Path, **told: Any) -> subprocess.CompletedProcess[str]:
    """The program, in a process that has nothing from ours; warnings are shown."""
    environs = [{**line.environ, "LLM_BACKEND": backend} for backend in BACKENDS]
    instructions = json.dumps({"environs": environs, "question": line.question, **told})
    ran = subprocess.run(
        [sys.executable, "-W", "default", *program, instructions],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran


COMPLAINTS = ("running event loop", "was never awaited", "Non-thread-safe operation", "Traceback")


def test_twenty_greenlets_are_answered_without_a_complaint(play: Play) -> None:
    """LiteLLM's logging runs an event loop for each chunk, in threads that are greenlets here (R03)."""
    line = play("openai/plain-stream")
    ran = run(line, "-m", "gevent.monkey", HERE / "greenlets.py", callers=20)
    told = json.loads(ran.stdout)
    assert told["sockets"].startswith("gevent")
    assert told["answers"] == [[line.facts.text] * 20] * len(BACKENDS)
    assert len(line.session.requests()) == 20 * len(BACKENDS)
    assert [words for words in COMPLAINTS if words in ran.stderr] == [], ran.stderr


def test_after_a_fork_parent_and_child_are_answered_and_recorded(play: Play) -> None:
    """Though the parent has called before, and both go on at the same time: on one socket, they would take
    pieces out of each other's answers.
    """
    line = play("openai/no-done", patience=0.15)  # after `[DONE]` the SDK keeps no connection
    ran = run(line, HERE / "forking.py", calls=3)
    whole = {"text": line.facts.text, "recorded": ["run", "user_follow_ask"]}
    for backend, seen in zip(BACKENDS, json.loads(ran.stdout), strict=True):
        expected = {"before": whole, "child": [whole] * 3, "parent": [whole] * 3, "later": whole}
        assert (backend, seen) == (backend, expected)
