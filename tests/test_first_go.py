"""docs/first-go.md leads to a GO over a real server, and its recordings to the same without one."""

from __future__ import annotations

import socket
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from llm_contracts.parity.result import Readiness
from llm_contracts.parity.verdict import decide
from llm_contracts.project.config import load_settings
from llm_contracts.project.load import load_project
from llm_contracts.run.check import check
from llm_contracts.run.options import Options
from llm_contracts.wire.cassette import Provenance, load
from tests.tutorial import ROOT, Reader, files
from tools import local_server

PAGE = (ROOT / "docs" / "first-go.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples" / "first-go"


@pytest.fixture(scope="module")
def live() -> date:
    """The day on which the recordings were made: every one of them is live."""
    project = load_project(load_settings(EXAMPLE))
    recordings = [load(project.cassette(row)).recording for row in project.scenarios]
    days = {one.recorded_at.date() for one in recordings if one and one.provenance is Provenance.LIVE}
    assert (len(recordings), len(days)) == (7, 1)
    return days.pop()


def test_the_recordings_of_the_page_are_evidence_for_a_go_also_in_years(live: date) -> None:
    project = load_project(load_settings(EXAMPLE))
    result = check(project, project.scenarios, Options(today=live, jobs=1))
    assert result.verdicts["local"].answer is Readiness.READY, result.verdicts["local"].reasons

    def answer(days: int) -> Readiness:
        today, stale = live + timedelta(days=days), project.settings.stale_after_days
        own = project.provider("local").base_url
        return decide(
            "local", result.items, project.scenarios, today=today, stale_after_days=stale, base_url=own
        ).answer

    assert {days: answer(days) for days in (89, 365, 3649, 3650)} == {
        89: Readiness.READY,
        365: Readiness.READY,
        3649: Readiness.READY,
        3650: Readiness.REHEARSED,
    }


def test_both_ways_of_the_adapter_agree_on_them(live: date, tmp_path: Path) -> None:
    """The first real answers that they were compared on: those whose scenarios come with the recording."""
    copytree(EXAMPLE / "cassettes", tmp_path / "cassettes", ignore=ignore_patterns("plain-stream.yaml"))
    settings = replace(load_settings(ROOT / "tests"), cassettes=tmp_path / "cassettes")
    project = load_project(settings)
    rows = [row for row in project.scenarios if row.provider == "local"]
    verdict = check(project, rows, Options(today=live, jobs=1)).verdicts["local"]
    assert (len(rows), verdict.answer) == (6, Readiness.READY), verdict.reasons


def test_the_example_is_what_the_page_writes() -> None:
    assert files(PAGE) == {"app.py": (EXAMPLE / "app.py").read_text(encoding="utf-8")}


def test_the_page_leads_to_a_go(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp", reason="needs llama.cpp's server: pip install xllamacpp gguf")
    pytest.importorskip("gguf", reason="needs gguf: pip install xllamacpp gguf")
    model = tmp_path / "random.gguf"
    local_server.write_model(model)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = local_server.serve(model, port)
    folder = tmp_path / "folder"
    folder.mkdir()
    reader = Reader(folder=folder, environment=Path(sys.prefix))
    followed = reader.follow(PAGE.replace("8080", str(port)))
    del server
    assert "local: 6 calls of 6 shapes, 6 new recordings; 6 of the shapes recorded." in followed
    assert "GO     ready: local" in followed
    assert "NO-GO  blocked: local" in followed
