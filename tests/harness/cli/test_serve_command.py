"""`llm-contracts serve` as scripts and people meet it: when it starts, what it says, how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.cli import run
from llm_contracts.serve.session import Entry
from llm_contracts.serve.terminal import Lines
from llm_contracts.wire.cassette import load, save
from llm_contracts.wire.proxy.server import Edge
from tests.fixtures import Capsys
from tests.harness.run.projects import cassette

QUESTION = json.dumps(
    {"model": "acme-1", "messages": [{"role": "user", "content": "hello"}], "stream": True}
).encode()


@dataclass(kw_only=True)
class Served:
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]

    def ask(self, path: str, body: bytes | None = QUESTION, **headers: str) -> int:
        base = self.ready["base_urls"]["acme"]
        request = urllib.request.Request(base + path, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def ended(self, by: signal.Signals) -> tuple[int, str, str]:
        """The exit code, and what was printed, after this signal."""
        self.process.send_signal(by)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err


@contextmanager
def served(folder: Path, *arguments: str) -> Iterator[Served]:
    file = folder / "ready.json"
    command = [sys.executable, "-m", "llm_contracts", "serve", "--port", "0", "--json", str(file), *arguments]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    try:
        while not file.exists() and process.poll() is None:
            time.sleep(0.01)
        assert file.exists(), process.communicate()
        yield Served(process=process, ready=json.loads(file.read_text()))
    finally:
        process.kill()
        process.communicate()


def test_ctrl_c_ends_it_well_and_the_log_is_json_lines(project: Path) -> None:
    with served(project) as server:
        assert server.ready["scenarios"] == {"acme": ["plain-stream", "other"], "zenith": ["plain-stream"]}
        assert server.ready["base_urls"]["acme"].endswith("/acme/v1")
        assert server.ready["pid"] == server.process.pid
        assert server.ask("/chat/completions") == 200
        code, out, err = server.ended(signal.SIGINT)
    assert code == 0, err
    (line,) = [json.loads(line) for line in out.splitlines()]
    assert (line["provider"], line["scenario"], line["status"]) == ("acme", "plain-stream", 200)
    assert server.ready["base_urls"]["acme"] in err
    assert "1 request, 0 without an answer." in err


def test_a_request_without_an_answer_is_exit_code_1(project: Path) -> None:
    with served(project, "--log", "logs/requests.jsonl", "--provider", "acme") as server:
        assert server.ask("/chat/completions", b"{}") == 599
        assert server.ask("/models", None) == 599
        code, out, _ = server.ended(signal.SIGTERM)
    assert (code, out) == (1, "")
    lines = [json.loads(line) for line in (project / "logs" / "requests.jsonl").read_text().splitlines()]
    assert [line["reason"] for line in lines] == ["nothing_recorded"] * 2
    assert lines[0]["differs"] == ["body.model", "body.messages", "body.stream"]


def test_a_web_page_of_another_site_is_let_in_by_name_alone(project: Path) -> None:
    with served(project, "--allow-origin", "https://app.example") as server:
        allowed = server.ask("/chat/completions", Origin="https://app.example")
        assert (allowed, server.ask("/chat/completions", Origin="https://evil.example")) == (200, 403)
        _, out, _ = server.ended(signal.SIGINT)
    assert len(out.splitlines()) == 1


def test_files_and_folders_of_anybody_are_served(tmp_path: Path) -> None:
    """Without a project: a plain VCR file, by its host, and raw bodies with an index."""
    whole = cassette("acme/plain-stream")
    save(tmp_path / "theirs" / "deep" / "one.yaml", type(whole)(interactions=whole.interactions))
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "1.sse").write_bytes(whole.interactions[0].response.body)
    row = {
        "id": "s1",
        "provider": "openai",
        "file": "1.sse",
        "status": 200,
        "content_type": "text/event-stream",
    }
    (tmp_path / "raw" / "index.jsonl").write_text(json.dumps(row | {"url": None, "request": None}))
    with served(tmp_path, "theirs", "raw", "--any-body", "--speed", "recorded") as server:
        assert server.ready["scenarios"] == {"api.acme.example": ["deep/one"], "openai": ["s1"]}
        bases = server.ready["base_urls"]
        assert bases["api.acme.example"].endswith("/api.acme.example/v1")
        named = bases["openai"].replace("/openai/", "/scenario/s1/openai/") + "/chat/completions"
        with urllib.request.urlopen(named, QUESTION, timeout=60) as response:
            assert response.read() == whole.interactions[0].response.body
        _, _, err = server.ended(signal.SIGINT)
    assert "played without pauses: 1 of the recordings" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["serve", "--provider", "acne"], "Did you mean acme?"),
        (["serve", "cassettes", "--provider", "acme"], "not both"),
        (["serve", "contracts"], "nothing to serve"),
        (["serve", "nowhere"], "does not exist"),
        (["serve", "--speed", "fast"], "neither recorded, full nor a positive number"),
        (["serve", "--pieces", "0"], "neither recorded, events, one nor a positive number of bytes"),
        (["serve", "--port", "70000"], "70000"),
        (["check", "--engine", "vcr", "--speed", "2"], "--pieces and --speed need --engine wire"),
    ],
)
def test_wrong_usage_is_2_with_the_way_out(
    project: Path, capsys: Capsys, arguments: list[str], message: str
) -> None:
    assert run(arguments) == 2
    assert message in capsys.readouterr().err


def test_a_port_that_is_taken_is_2_with_the_way_out(project: Path, capsys: Capsys) -> None:
    with Edge() as other:
        assert run(["serve", "--port", str(other.port)]) == 2
    assert f"port {other.port} on 127.0.0.1 cannot be opened" in capsys.readouterr().err


def test_damaged_recordings_are_named_and_nothing_is_served(project: Path, capsys: Capsys) -> None:
    for name in ("acme/other", "zenith/plain-stream"):
        (project / "cassettes" / f"{name}.yaml").write_bytes(b"interactions: [")
    for arguments in (["serve"], ["serve", "cassettes"]):
        assert run(arguments) == 3
        err = capsys.readouterr().err
        assert "cassettes/acme/other.yaml" in err
        assert "cassettes/zenith/plain-stream.yaml" in err


@pytest.mark.parametrize("arguments", [["serve"], ["serve", "cassettes/acme"]])
def test_a_secret_in_a_recording_is_4(project: Path, capsys: Capsys, arguments: list[str]) -> None:
    (project / ".env").write_text("ACME_API_KEY=sk-very-secret-0123456789\n")
    file = project / "cassettes" / "acme" / "other.yaml"
    file.write_text(file.read_text() + "# sk-very-secret-0123456789\n")
    assert run(arguments) == 4
    err = capsys.readouterr().err
    assert "other.yaml" in err
    assert "0123456789" not in err


def test_two_recordings_of_one_name_are_refused(project: Path, capsys: Capsys) -> None:
    save(project / "again" / "x.yaml", load(project / "cassettes" / "acme" / "other.yaml"))
    assert run(["serve", "cassettes", "again"]) == 2
    assert "are both acme/other" in capsys.readouterr().err


def test_a_log_that_cannot_be_continued_says_so_once(capsys: Capsys) -> None:
    lines: list[str] = []

    def full(line: str) -> None:
        lines.append(line)
        raise OSError(28, "No space left on device")

    log = Lines("requests.jsonl", full)
    for _ in range(2):
        log(Entry(run="a", provider="acme", method="POST", path="/"))
    assert len(lines) == 1
    assert capsys.readouterr().err == (
        "requests.jsonl: the log cannot be continued (No space left on device).\n"
    )


def test_no_provider_can_take_the_server_s_own_address(project: Path, capsys: Capsys) -> None:
    whole = load(project / "cassettes" / "acme" / "other.yaml")
    assert whole.recording is not None
    save(project / "odd" / "x.yaml", replace(whole, recording=replace(whole.recording, provider="health")))
    assert run(["serve", "odd"]) == 2
    assert "'health'" in capsys.readouterr().err
