"""A recording that shows a difference becomes the smallest one that still does, and a file that shows it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from llm_contracts.cli import run
from llm_contracts.clients.call import Call
from llm_contracts.corpus.judge import CHAT
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.reduce.ddmin import ddmin
from llm_contracts.reduce.reproduce import reproduction
from llm_contracts.reduce.run import Reduced
from llm_contracts.wire.cassette import load
from tests.harness.importing.test_importing import exchange, tape
from tests.harness.run.projects import make_project
from tests.harness.wire.exchanges import stream, streamed, text_event

EVENTS = 8


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return make_project(tmp_path)


def test_what_is_not_needed_is_left_out() -> None:
    asked = []

    def holds(some: Sequence[int]) -> bool:
        asked.append(some)
        return {3, 700} <= set(some)

    assert ddmin(range(1000), holds) == [3, 700]
    assert len(asked) < 200


def test_many_events_become_few(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The candidate shouts letters; digits it hands on as they are."""
    texts = [f"{number} " for number in range(EVENTS - 1)]
    texts.insert(3, "secret")
    file = tape(project / "long.yaml", exchange(uri="https://api.acme.example/v1" + CHAT))
    (one,) = load(file).interactions
    body = stream(*texts)
    tape(
        file,
        type(one)(
            request=one.request,
            response=type(one.response)(status=200, headers=one.response.headers, body=body),
        ),
    )
    code = run(
        [
            "reduce",
            "long.yaml",
            "--reference",
            "plain",
            "--candidate",
            "shouting",
            "--to",
            "small.yaml",
            "--json",
            "-",
        ]
    )
    assert code == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["kind"], document["events_before"]) == ("text", EVENTS + 2)
    assert document["events"] <= 4
    (body_left,) = document["bodies"]
    assert len(body_left) < len(body) / 3
    assert "secret" not in (project / "small.yaml").read_text()
    (kept,) = load(project / "small.yaml").interactions
    assert kept.response.body.decode() == body_left


def test_what_does_not_differ_is_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tape(project / "a.yaml", exchange(uri="https://api.acme.example/v1" + CHAT))
    assert (
        run(["reduce", "a.yaml", "--reference", "plain", "--candidate", "shouting", "--kind", "usage"]) == 2
    )
    assert "does not show that difference. What differs: text at text" in capsys.readouterr().err


def test_a_reproduction_runs_by_itself_and_shows_both(tmp_path: Path) -> None:
    difference = Divergence(
        kind=Kind.TEXT,
        where="text",
        reference="a",
        candidate="b",
        fingerprint="f",
    )
    call = Call(
        base_url="u", api_key="k", provider="p", model="m", messages=({"role": "user", "content": "hi"},)
    )
    reduced = Reduced(
        difference=difference,
        call=call,
        interactions=(streamed(text_event("wörld") + stream()),),
        events=1,
        events_before=1,
        attempts=1,
    )
    text = reproduction(reduced, reference="openai", candidate="litellm", file="bug.py")
    assert ast.parse(text)
    assert len([line for line in text.splitlines() if line.strip()]) < 50
    file = tmp_path / "bug.py"
    file.write_text(text)
    done = subprocess.run(
        [sys.executable, file],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONWARNINGS": "ignore", "PATH": ""},
    )
    assert done.returncode == 0, done.stderr
    before, _, after = done.stdout.partition("--- litellm")
    assert before.startswith("--- openai")
    assert "wörld" in before
    assert "wörld" in after
