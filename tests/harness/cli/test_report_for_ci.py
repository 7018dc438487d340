"""`llm-contracts report` as a CI service meets it: files, standard output, places in the repository."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from llm_contracts.cli import run
from llm_contracts.results.document import document_digest
from tests.harness.cli.test_cli import corpus, stored

KEY = "key-of-acme-1234567"


@pytest.fixture
def project(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A project whose last check found differences."""
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    run(["check", "--candidate", "shouting"])
    capsys.readouterr()
    return project


def test_each_view_goes_to_its_file_and_the_page_only_if_it_is_asked_for(project: Path) -> None:
    assert run(["report", "--junit", "out/junit.xml", "--markdown", "out/s.md", "--comment", "out/c.md"]) == 0
    assert sorted(file.name for file in (project / "out").iterdir()) == ["c.md", "junit.xml", "s.md"]
    assert not (project / "report" / "index.html").exists()
    assert ET.parse(project / "out" / "junit.xml").getroot().get("failures") == "3"
    assert "### ✗ Breaking, to decide" in (project / "out" / "s.md").read_text()
    assert run(["report", "--junit", "out/junit.xml", "--html", "out/page.html"]) == 0
    assert (project / "out" / "page.html").is_file()


def test_annotations_have_standard_output_for_themselves(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", "--annotations", "--html", "page.html", "--junit", "junit.xml"]) == 0
    captured = capsys.readouterr()
    assert captured.out
    assert all(line.startswith("::") for line in captured.out.splitlines())
    assert "page.html" in captured.err


def test_an_annotation_names_the_recording_or_the_line_that_was_reviewed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["report", "--annotations"])
    said = capsys.readouterr().out
    assert "::error file=cassettes/acme/plain-stream.yaml,title=breaking difference%3A text at" in said
    (where, *_) = {row["where"] for row in stored(project)["items"][0]["divergences"]}
    snapshot = project / "snapshots" / "acme" / "plain-stream.txt"
    snapshot.parent.mkdir(parents=True)
    snapshot.write_text(f"# acme\n\u2028\n[divergences]\nbreaking text at {where}: 1 | 2\n")
    run(["report", "--annotations"])
    assert "::error file=snapshots/acme/plain-stream.txt,line=4,title=" in capsys.readouterr().out


def test_files_are_named_from_the_repositorys_root(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project may be a folder of a larger repository; of what lies outside there is nothing to mark."""
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.parent))
    run(["report", "--annotations"])
    assert f"file={project.name}/cassettes/acme/" in capsys.readouterr().out
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project / "contracts"))
    run(["report", "--annotations"])
    assert "file=" not in capsys.readouterr().out


def test_a_summary_can_be_appended_to_another(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "--markdown", "-", "--fetch", "fetch it", "--report-url", "https://x/r.html"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("## Contracts: NO-GO")
    assert "\nfetch it\n" in out
    assert "llm-contracts check --reference plain --candidate shouting\nllm-contracts review\n" in out
    assert "https://x/r.html#rec=acme/plain-stream&d=" in out


def test_an_outdated_result_is_called_so(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "contracts" / "waivers.toml").write_text("# changed\n")
    run(["report", "--markdown", "-"])
    captured = capsys.readouterr()
    assert "**Out of date.** Changed since: contracts/waivers.toml." in captured.out
    assert "out of date" in captured.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--markdown", "-", "--comment", "-"], "Only one view can go to standard output"),
        (["--junit", "-", "--annotations"], "Only one view can go to standard output"),
        (["--fetch", "x"], "are for --markdown and --comment"),
        (["--markdown", "m", "--report-url", "javascript:alert(1)"], "is not the address of a page"),
        (["--markdown", "m", "--report-url", "https://x/> [y](z"], "is not the address of a page"),
    ],
)
def test_what_could_not_be_meant_is_2(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(["report", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (project / "m").exists()


@pytest.mark.parametrize("view", ["--junit", "--markdown", "--comment"])
def test_a_key_gets_into_no_view(
    project: Path, view: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = project / "report" / "result.json"
    document = json.loads(result.read_text().replace('"HELLO"', f'"{KEY}"').replace('"HEL"', f'"{KEY}"'))
    document["digest"] = document_digest(document)  # as if it had been written so
    result.write_text(json.dumps(document))
    assert KEY in result.read_text()
    monkeypatch.setenv("ACME_API_KEY", KEY)
    assert run(["report", view, "out"]) == 4
    assert KEY not in capsys.readouterr().err
    assert not (project / "out").exists()


def test_a_corpus_has_views_too_though_its_streams_are_no_files_of_ours(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus(project / "streams")
    run(["corpus", "streams", "--candidate", "shouting", "--report", "kept"])
    capsys.readouterr()
    assert run(["report", "--report", "kept", "--annotations", "--junit", "junit.xml"]) == 0
    out = capsys.readouterr().out
    assert "::error title=" in out
    run(["report", "--report", "kept", "--markdown", "-"])
    said = capsys.readouterr().out
    assert "llm-contracts review --report kept" in said
    assert "llm-contracts check --ref" not in said  # nobody but its owner knows where a corpus is
    assert ET.parse("junit.xml").getroot().get("tests") == "2"
