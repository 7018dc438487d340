"""`check --sweep` as scripts see it; what a sweep finds is tested where the sweep is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llm_contracts.cli import run

pytestmark = pytest.mark.long

ONE = ("--scenario", "acme/plain-stream")


def test_paths_that_agree_under_every_change_are_0(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # The project's paths end every line in LF alone, which is a fault, but read all other pieces well.
    assert run(["check", "--sweep", "faults", *ONE]) == 0
    out = capsys.readouterr().out
    assert "~busy-then-answer" in out
    assert "variants of 1 recordings, all agree." in out
    assert not (project / "report").exists()


def test_a_whole_sweep_is_kept_apart_from_the_result_of_a_check(project: Path) -> None:
    (project / "report").mkdir()
    result = project / "report" / "result.json"
    result.write_text("as it was")
    run(["check", "--sweep", "ends"])
    document = json.loads((project / "report" / "sweep.json").read_text())
    assert result.read_text() == "as it was"
    assert (document["format"], document["sweep"], document["verdicts"]) == (1, "ends", {})
    ids = [item["id"] for item in document["items"]]
    assert {"acme/plain-stream", "acme/plain-stream~cut@1", "zenith/plain-stream~silent@0"} <= set(ids)
    assert all(item["outcome"]["candidate"]["path"] == "same" for item in document["items"])


def test_differences_are_1_and_grouped(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--sweep", "recut", *ONE, "--json", "-"]) == 1
    document = json.loads(capsys.readouterr().out)
    changed = {item["id"]: item["divergences"] for item in document["items"] if item["divergences"]}
    assert "acme/plain-stream~cr" in changed
    assert run(["check", "--sweep", "recut", *ONE]) == 1
    out = capsys.readouterr().out
    assert "To decide" in out
    assert "~cr" in out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--every"], "--every goes with --sweep"),
        (["--sweep", "ends", "--engine", "vcr"], "wire engine"),
        (["--sweep", "ends", "--pieces", "one"], "--pieces does not go with --sweep"),
        (["--sweep", "ends", "--speed", "2"], "--speed does not go with --sweep"),
        (["--sweep", "ends", "--report", "x"], "--report does not go with --sweep"),
        (["--sweep", "everything"], "recut"),
    ],
)
def test_options_that_mean_nothing_together_are_2(
    project: Path, options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", *options]) == 2
    assert told in capsys.readouterr().err


def test_without_a_name_all_is_swept(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["check", *ONE, "--sweep", "--json", "-"])
    document = json.loads(capsys.readouterr().out)
    assert document["sweep"] == "all"
    names = {item["scenario"].partition("~")[2].partition("@")[0] for item in document["items"]}
    assert {"crlf", "cut", "stall"} <= names


def test_a_recording_that_cannot_be_read_is_3_and_the_others_run(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "cassettes" / "acme" / "other.yaml").write_text("no cassette")
    assert run(["check", "--sweep", "ends"]) == 3
    out = capsys.readouterr().out
    assert "acme/other.yaml" in out
    assert "variants of 3 recordings" in out
