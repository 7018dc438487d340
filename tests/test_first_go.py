"""docs/first-go.md leads to a GO over a real server, and its recordings to the same without one."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from llm_contracts.parity.result import Readiness
from llm_contracts.project.config import load_settings
from llm_contracts.project.load import load_project
from llm_contracts.run.check import check
from llm_contracts.run.options import Options
from llm_contracts.wire.cassette import Provenance, load
from tests.tutorial import ROOT, Reader, files
from tools import local_server

PAGE = (ROOT / "docs" / "first-go.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples" / "first-go"


def test_the_recordings_of_the_page_are_live_evidence_for_a_go() -> None:
    """On the day they were made: evidence gets old."""
    project = load_project(load_settings(EXAMPLE))
    recordings = [load(project.cassette(row)).recording for row in project.scenarios]
    days = {one.recorded_at.date() for one in recordings if one and one.provenance is Provenance.LIVE}
    verdict = check(project, project.scenarios, Options(today=max(days), jobs=1)).verdicts["local"]
    assert (len(recordings), verdict.answer) == (7, Readiness.READY), verdict.reasons


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
