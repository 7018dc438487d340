"""Every command that a result tells people to type can be typed, for a provider that the project has."""

from __future__ import annotations

import itertools
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_contracts.cli import group, run
from llm_contracts.wire.cassette import save
from tests.harness.run.projects import cassette, make_project, stream
from tests.written_commands import problem

PROVIDERS = {"acme", "zenith"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return make_project(tmp_path)


def advised(file: Path) -> Iterator[str]:
    """What the verdicts of a stored result name to be run next; each is held to be possible."""
    for verdict in json.loads(file.read_text())["verdicts"].values():
        for line in verdict["next"]:
            assert problem(line, group) is None
            words = shlex.split(line)
            named = [value for option, value in itertools.pairwise(words) if option == "--provider"]
            assert set(named) <= PROVIDERS, line
            yield line


def corpus_of(root: Path, provider: str) -> Path:
    folder = root / "foreign {x}"
    folder.mkdir()
    (folder / "body").write_bytes(stream(("hel", "lo")).body)
    row = {"id": "one", "provider": provider, "file": "body", "status": 200}
    (folder / "index.jsonl").write_text(json.dumps(row))
    return folder


def test_what_a_check_advises(project: Path) -> None:
    """Of rehearsed, unreadable, missing and differing recordings."""
    result = project / "report" / "result.json"
    run(["check"])
    rehearsed = set(advised(result))
    (project / "cassettes/acme/other.yaml").write_text("version: 2\n")
    (project / "cassettes/zenith/plain-stream.yaml").unlink()
    run(["check", "--candidate", "shouting"])
    blocked = set(advised(result))
    assert "llm-contracts record --provider acme --missing" in rehearsed
    assert "llm-contracts cassettes" in blocked
    assert "llm-contracts review" in blocked


def test_a_corpus_of_ones_own_provider_can_be_recorded(project: Path) -> None:
    assert run(["corpus", str(corpus_of(project, "acme"))]) == 0
    lines = set(advised(project / "report" / "corpus" / "result.json"))
    assert "llm-contracts record --provider acme --missing" in lines


def test_nobody_is_told_to_record_somebody_elses_gateway(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["corpus", str(corpus_of(project, "gateway.example"))]) == 0
    assert list(advised(project / "report" / "corpus" / "result.json")) == []
    assert "next:" not in capsys.readouterr().out


def test_what_differs_in_a_corpus_is_reviewed_where_it_is_stored(project: Path) -> None:
    folder = str(corpus_of(project, "gateway.example"))
    assert run(["corpus", folder, "--candidate", "shouting"]) == 1
    assert list(advised(project / "report" / "corpus" / "result.json")) == [
        "llm-contracts review --report report/corpus"
    ]
    assert run(["corpus", folder, "--candidate", "shouting", "--report", "k {0}"]) == 1
    assert list(advised(project / "k {0}" / "result.json")) == ["llm-contracts review --report 'k {0}'"]


def test_what_doctor_and_error_messages_advise(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(project / "cassettes/acme/unowned.yaml", cassette("acme/other"))
    for line in (["doctor"], ["verdict"], ["report"], ["review", "list"], ["record"]):
        run(line)
    out, err = capsys.readouterr()
    written = re.findall(r"`(llm-contracts [^`]+)`", out + err)
    assert written
    assert {line: found for line in written if (found := problem(line, group))} == {}
