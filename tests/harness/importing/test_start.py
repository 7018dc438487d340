"""`llm-contracts init`: three files, no question, and a first answer from what is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from llm_contracts.cli import run
from llm_contracts.corpus.judge import CHAT
from llm_contracts.project.config import load_settings
from llm_contracts.project.load import load_project
from llm_contracts.wire.cassette import save
from tests.harness.importing.test_importing import exchange, write_cassette
from tests.harness.run.projects import cassette

_OPENAI = "https://api.openai.com/v1"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_writes_three_files_that_load(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "--reference", "openai", "--candidate", "litellm"]) == 0
    names = ("tests/contracts/clients.py", "tests/contracts/scenarios.py", "pyproject.toml")
    assert [line for line in capsys.readouterr().out.splitlines() if line[:5] == "wrote"] == [
        f"wrote  {name}" for name in names
    ]
    project = load_project(load_settings(folder))
    assert (project.settings.reference, project.settings.candidate) == ("openai", "litellm")
    (provider,) = project.providers
    assert (provider.name, provider.base_url) == ("openai", _OPENAI)
    assert [row.name for row in project.scenarios] == ["openai/plain-stream", "openai/rate-limit"]


def test_it_asks_nothing_where_nobody_could_answer(folder: Path) -> None:
    """Without a terminal, and with standard input closed."""
    done = subprocess.run(
        [sys.executable, "-m", "llm_contracts", "init"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert 'reference = "openai"\ncandidate = "litellm"\n' in (folder / "pyproject.toml").read_text()


def test_what_it_writes_is_recorded_and_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init"]) == 0
    assert run(["record", "--source", "simulator"]) == 0
    assert run(["check", "--candidate", "openai-async"]) == 0
    assert "2 recordings compared, 2 agree." in capsys.readouterr().out


@pytest.mark.parametrize(("own", "library"), [("anthropic", "anthropic"), ("google-genai", "google.genai")])
def test_the_provider_is_that_of_the_reference_and_asked_by_its_own_api(
    folder: Path, capsys: pytest.CaptureFixture[str], own: str, library: str
) -> None:
    pytest.importorskip(library)
    assert run(["init", "--reference", own, "--candidate", "httpx"]) == 0
    assert run(["record", "--source", "simulator"]) == 0
    assert "2 recorded." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("reference", "asked"),
    [
        ("anthropic", "Function.MESSAGES"),
        ("google-genai", "Function.GENERATE_CONTENT"),
        ("openai", "QUESTION,\n    ),"),
    ],
)
def test_a_server_of_ones_own_is_asked_in_the_api_of_the_reference(
    folder: Path, capsys: pytest.CaptureFixture[str], reference: str, asked: str
) -> None:
    pair = ["--reference", reference, "--candidate", f"{reference}-async"]
    assert run(["init", *pair, "--provider", "local=http://127.0.0.1:8080"]) == 0
    assert asked in (folder / "tests" / "contracts" / "scenarios.py").read_text()
    assert "Next: llm-contracts record (with LOCAL_API_KEY set)" in capsys.readouterr().out


def test_httpx_asks_anthropic_by_its_own_api(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "--reference", "httpx", "--candidate", "httpx-async", "--provider", "anthropic"]) == 0
    assert run(["record", "--source", "simulator"]) == 0
    assert run(["check"]) == 0
    assert "2 recordings compared, 2 agree." in capsys.readouterr().out


def test_what_is_there_stays(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    clients = folder / "tests" / "contracts" / "clients.py"
    clients.parent.mkdir(parents=True)
    clients.write_text("PROVIDERS = []\n")
    assert run(["init"]) == 0
    assert "left  tests/contracts/clients.py" in capsys.readouterr().out
    assert clients.read_text() == "PROVIDERS = []\n"
    assert (
        (folder / "pyproject.toml")
        .read_text()
        .startswith('[project]\nname = "shop"\n\n[tool.llm_contracts]\n')
    )


def test_a_project_that_has_begun_is_left_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init"]) == 0
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert run(["init", "--candidate", "openai-async"]) == 2
    assert "there is a project already" in capsys.readouterr().err
    assert before == {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--candidate", "litelm"), "There is no built-in client 'litelm'. Did you mean litellm"),
        (("--candidate", "openai"), "The candidate 'openai' is the reference itself."),
        (("--provider", "opnai"), "There is no well-known provider 'opnai'. Did you mean openai?"),
        (("--from", "."), "holds no recording that can be compared"),
    ],
)
def test_a_wrong_name_writes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert run(["init", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not list(folder.iterdir())


def test_what_nobody_sent_is_no_evidence_to_begin_with(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(folder / "cassettes" / "plain.yaml", cassette("acme/plain-stream"))
    assert run(["init", "--from", "cassettes"]) == 0
    out = capsys.readouterr().out
    assert "Nothing to import" in out
    assert out.endswith("Next, with the calls of an application: llm-contracts capture -- COMMAND\n")
    assert run(["check"]) == 2
    assert "has no scenario for any provider, and no call was captured." in capsys.readouterr().err


def test_an_existing_suite_brings_its_providers_and_recordings(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where its cassettes lie in the folder that a project would use, which stays its own."""
    write_cassette(folder / "cassettes" / "test_one.yaml", exchange(uri=_OPENAI + CHAT))
    write_cassette(folder / "cassettes" / "test_two.yaml", exchange(uri="https://llm.acme.example/v1" + CHAT))
    assert run(["init", "--candidate", "openai-async", "--from", "cassettes"]) == 0
    out = capsys.readouterr().out
    assert "imported    openai/imported-test-one" in out
    assert "No scenario owns" not in out
    project = load_project(load_settings(folder))
    assert [(row.name, row.key_variable) for row in project.providers] == [
        ("openai", "OPENAI_API_KEY"),
        ("llm-acme-example", "LLM_ACME_EXAMPLE_API_KEY"),
    ]
    assert run(["check"]) == 0
    assert "2 recordings compared, 2 agree." in capsys.readouterr().out
