"""Keys that are known, in every place a key can get to, and then a look at every byte that is left behind."""

from __future__ import annotations

import base64
import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_contracts.cli import run
from llm_contracts.wire.cassette import load
from tests.harness.record.canary import KEY, TOKEN, canaries_in, make_leaky_project, parrot


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with parrot() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


@pytest.fixture
def project(tmp_path: Path, provider: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_leaky_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACME_API_KEY", KEY)
    monkeypatch.setenv("ACME_BASE_URL", provider)
    return tmp_path


def left_behind(folder: Path) -> dict[str, list[str]]:
    """File → the ways in which a canary can be read out of it."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    found = {str(file.relative_to(folder)): canaries_in(file.read_bytes()) for file in files}
    return {name: ways for name, ways in found.items() if ways}


def said(capfd: pytest.CaptureFixture[str], folder: Path) -> str:
    """What came out, kept in the folder, so that it is searched with everything else."""
    out, err = capfd.readouterr()
    (folder / "stdout.log").write_text(out)
    (folder / "stderr.log").write_text(err)
    return out + err


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        TOKEN,
        json.dumps("".join(f"\\u{ord(c):04x}" for c in KEY)),
        base64.b64encode(b"xy" + KEY.encode() + b"z").decode(),
        KEY.encode().hex(),
        "".join(f'data: {{"content": "{c}"}}\n\n' for c in KEY),
    ],
)
def test_the_search_itself_finds_canaries(text: str) -> None:
    assert canaries_in(f"before {text} after".encode()) != []


def test_no_canary_survives_recording_anywhere(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What can be kept is kept, what cannot is told, and neither tells the key or the token it bought."""
    assert run(["record", "--json", "record.json"]) == 1
    takes = {take["scenario"]: take for take in json.loads(Path("record.json").read_text())["takes"]}
    outcomes = {name: take["outcome"] for name, take in takes.items()}
    assert outcomes == {
        "acme/answer": "recorded",
        "acme/refused": "recorded",
        "acme/unwanted": "failed",
        "acme/cut": "failed",
    }
    assert "Incorrect API key provided: ****" in takes["acme/unwanted"]["detail"]
    assert "Incorrect API key" in said(capfd, project)
    answer = load(Path("cassettes/acme/answer.yaml"))
    assert len(answer.interactions) == 3  # the token's, the redirect's and the answer's
    assert answer.interactions[-1].response.body.count(b"data:") > len(KEY)
    assert left_behind(project) == {}


def test_an_exception_of_a_client_tells_no_canary(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["record", "--reference", "raising", "--json", "record.json"]) == 1
    assert "cannot use" in said(capfd, project)
    assert left_behind(project) == {}


def test_a_token_that_one_scenario_bought_is_hidden_in_the_recordings_of_the_next(project: Path) -> None:
    assert run(["record", "--reference", "thrifty"]) == 1
    sizes = [len(load(Path(f"cassettes/acme/{name}.yaml")).interactions) for name in ("answer", "refused")]
    assert sizes == [2, 1]
    assert left_behind(project) == {}


def test_no_canary_gets_into_the_report_of_a_check(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run(["record"])
    capfd.readouterr()
    # The key is part of what this client asks for, so nothing was recorded for what it asks with another one.
    assert run(["check", "--json", "check.json"]) == 3
    assert len(json.loads(Path("check.json").read_text())["items"]) == 2
    said(capfd, project)
    assert {file.name for file in (project / "report").iterdir()} >= {"result.json", "items.jsonl"}
    assert left_behind(project) == {}


def test_a_path_that_tells_telemetry_the_real_key_leaves_no_report(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(["record"])
    assert run(["check", "--candidate", "telling", "--json", "check.json"]) == 4
    assert "holds the value of ACME_API_KEY" in said(capfd, project)
    assert not Path("check.json").exists()
    assert left_behind(project) == {}


def test_the_recordings_pass_the_commit_hook_with_and_without_the_key(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["record", "--scenario", "answer", "--scenario", "refused"]) == 0
    assert len(list((project / "cassettes").rglob("*.yaml"))) == 2
    capfd.readouterr()
    for held in (True, False):
        if not held:
            monkeypatch.delenv("ACME_API_KEY")
        assert run(["cassettes"]) == 0
        assert capfd.readouterr() == ("2 recordings: whole, free of secrets, each with a scenario.\n", "")


def test_a_secret_that_would_get_into_the_file_ends_the_run_with_4_and_without_a_file(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The scrubber works on exchanges; who called stands beside them. So the gate looks at the whole file."""
    name = "contracts-0123456789-clients:leaking"
    (project / "contracts-0123456789-clients.py").write_text(
        (project / "contracts" / "clients.py").read_text()
    )
    monkeypatch.syspath_prepend(project)
    monkeypatch.setenv("CLIENT_TOKEN", "contracts-0123456789-clients")
    assert run(["record", "--reference", name]) == 4
    err = capfd.readouterr().err
    assert "cassettes/acme/answer.yaml: holds the value of CLIENT_TOKEN" in err
    assert "Traceback" not in err
    assert [file for file in project.rglob("cassettes/**/*") if file.is_file()] == []


def test_a_log_that_a_client_writes_is_the_clients_own(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What the harness logs holds no canary; the leaking client's own line shows that this would be seen."""
    with caplog.at_level(logging.DEBUG):
        run(["record", "--scenario", "answer"])
    ours = [record for record in caplog.records if record.name != "leaky"]
    assert canaries_in(caplog.text.encode()) != []
    assert [record for record in ours if canaries_in(record.getMessage().encode())] == []
